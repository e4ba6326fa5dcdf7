/** The bytes of a message: what they open to, and as which text. */
import { isAscii, isUtf8 } from 'node:buffer';
import { gunzipSync } from 'node:zlib';
import { maxElementBytes } from './element-size.ts';
import { ReadFailure } from './gateway.ts';

const maxOpenedBytes = 64 * 1024 * 1024;
const maxRatio = 200;
/** What a parser makes of a value may take twenty times its bytes, as for `{}`: so many of a message are some 300 MiB. */
const maxValues = 4_000_000;

const byteOrderMark = '\ufeff';

export const tooLarge = (message: string): ReadFailure => new ReadFailure('TOO_LARGE', '', message);

export const isGzip = (value: Buffer): boolean => value[0] === 0x1f && value[1] === 0x8b;

/** Of gzip. @throws ReadFailure TOO_LARGE, BAD_ENCODING */
export function opened(value: Buffer): Buffer {
  const limit = Math.min(maxOpenedBytes, Math.max(value.length * maxRatio, 64 * 1024));
  try {
    return gunzipSync(value, { maxOutputLength: limit });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(`expected gzip that opens to at most ${limit} bytes, more came`);
    throw new ReadFailure('BAD_ENCODING', '', 'expected a whole gzip stream, it is damaged');
  }
}

/** Stands in a text for bytes that are no UTF-8. */
export const replacement = '\ufffd';

interface Decoded {
  readonly text: string;
  /** False where signs of the text stand for bytes that are none. */
  readonly isUtf8: boolean;
}

/**
 * Without a byte order mark. Most messages are ASCII, and JSON.parse reads a string of single bytes a sixth faster than another.
 * One byte that is no UTF-8 is a sign of its own: a client can send it in a path, and would take a whole batch out of the audit.
 * @throws ReadFailure SCHEMA_REGISTRY_UNSUPPORTED, TOO_LARGE
 */
export function decoded(value: Buffer): Decoded {
  // A magic byte, then the id of a schema in four bytes.
  if (value[0] === 0 && value.length > 5) {
    const message = 'expected JSON or text, Confluent schema-registry framing came; let the producer write plain JSON';
    throw new ReadFailure('SCHEMA_REGISTRY_UNSUPPORTED', '', message);
  }
  if (value.length > maxElementBytes) assertFewValues(value);
  if (isAscii(value)) return { text: value.toString('latin1'), isUtf8: true };
  const text = value.toString();
  return { text: text.startsWith(byteOrderMark) ? text.slice(1) : text, isUtf8: isUtf8(value) };
}

/** By the signs that begin one, wherever they stand. @throws ReadFailure TOO_LARGE */
function assertFewValues(value: Buffer): void {
  let count = 0;
  // By index: an iterator takes as long as parsing would.
  for (let at = 0; at < value.length; at += 1) {
    const sign = value[at];
    if (sign === 0x2c || sign === 0x5b || sign === 0x7b) count += 1; // , [ {
  }
  if (count > maxValues) throw tooLarge(`expected a message of at most ${maxValues} JSON values, ${count} came`);
}
