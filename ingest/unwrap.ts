/**
 * Opens a message down to its elements: gzip, byte order mark, JSON object or array, NDJSON, `records[]`, plain lines. Every
 * element counts, also one that cannot be read, so that its index stays the same when a reader changes. Beyond a limit the
 * message is refused as a whole, nothing of it in part.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { gunzipSync } from 'node:zlib';
import { isObject } from '../core/fields.ts';
import { ReadFailure } from './gateway.ts';
import { maxMessageBytes } from './messages.ts';

const maxOpenedBytes = 64 * 1024 * 1024;
const maxRatio = 200;
const maxElements = 10_000;
const maxDepth = 3;

/** A JSON value, a line of text, or the reason why it is neither. */
export type Element = { readonly json: unknown } | { readonly text: string } | { readonly failure: ReadFailure; readonly text: string };

/** The JSON value of an element, null where it is none. */
export const jsonOf = (element: Element): unknown => ('json' in element ? element.json : null);

export const textOf = (element: Element): string => ('text' in element ? element.text : JSON.stringify(element.json));

const byteOrderMark = '\ufeff';

/** @throws ReadFailure for the message as a whole: TOO_LARGE, TOO_MANY_ELEMENTS, TOO_DEEP, BAD_ENCODING, SCHEMA_REGISTRY_UNSUPPORTED */
export function unwrap(value: Buffer): Element[] {
  const elements: Element[] = [];
  openBytes(value, 0, elements);
  return elements;
}

function openBytes(value: Buffer, depth: number, elements: Element[]): void {
  if (value.length > maxMessageBytes && depth === 0) throw tooLarge(`expected at most ${maxMessageBytes} bytes, ${value.length} came`);
  if (value[0] === 0x1f && value[1] === 0x8b) return openBytes(opened(value), deeper(depth), elements);
  // A magic byte, then the id of a schema in four bytes.
  if (value[0] === 0 && value.length > 5) {
    throw new ReadFailure(
      'SCHEMA_REGISTRY_UNSUPPORTED',
      '',
      'expected JSON or text, Confluent schema-registry framing came; let the producer write plain JSON',
    );
  }
  openText(decoded(value), depth, elements);
}

function openText(text: string, depth: number, elements: Element[]): void {
  const start = firstSign(text);
  if (start === '{' || start === '[') {
    const document = parsed(text);
    if (document !== undefined) return openJson(document, depth, elements);
  }
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed !== '') openLine(trimmed, depth, elements);
  }
  if (elements.length === 0)
    add(elements, { failure: new ReadFailure('UNKNOWN_FORMAT', '', 'expected a record, nothing but blanks came'), text: '' });
}

function openLine(line: string, depth: number, elements: Element[]): void {
  if (line[0] !== '{' && line[0] !== '[') return add(elements, { text: line });
  const document = parsed(line);
  if (document !== undefined) openJson(document, depth, elements);
  else add(elements, { failure: new ReadFailure('BAD_JSON', '', 'expected a JSON document, it ends early or is malformed'), text: line });
}

function openJson(document: unknown, depth: number, elements: Element[]): void {
  if (Array.isArray(document)) {
    deeper(depth);
    for (const each of document) openJson(each, depth + 1, elements);
    return;
  }
  const records = isObject(document) ? document['records'] : undefined;
  if (Array.isArray(records)) return openJson(records, deeper(depth), elements);
  add(elements, { json: document });
}

function add(elements: Element[], element: Element): void {
  if (elements.length === maxElements)
    throw new ReadFailure('TOO_MANY_ELEMENTS', '', `expected at most ${maxElements} elements, more came`);
  elements.push(element);
}

function deeper(depth: number): number {
  if (depth === maxDepth) throw new ReadFailure('TOO_DEEP', '', `expected a record wrapped at most ${maxDepth} times, more came`);
  return depth + 1;
}

const tooLarge = (message: string): ReadFailure => new ReadFailure('TOO_LARGE', '', message);

function opened(value: Buffer): Buffer {
  const limit = Math.min(maxOpenedBytes, Math.max(value.length * maxRatio, 64 * 1024));
  try {
    return gunzipSync(value, { maxOutputLength: limit });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(`expected gzip that opens to at most ${limit} bytes, more came`);
    throw new ReadFailure('BAD_ENCODING', '', 'expected a whole gzip stream, it is damaged');
  }
}

/** Without a byte order mark. Most messages are ASCII, and JSON.parse reads a string of single bytes a sixth faster than another. */
function decoded(value: Buffer): string {
  if (isAscii(value)) return value.toString('latin1');
  if (!isUtf8(value)) throw new ReadFailure('BAD_ENCODING', '', 'expected UTF-8, other bytes came');
  const text = value.toString();
  return text.startsWith(byteOrderMark) ? text.slice(1) : text;
}

/** undefined where it is no JSON: null is a document too. A nesting that the parser cannot hold is none either. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function firstSign(text: string): string {
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at] ?? '';
    if (sign !== ' ' && sign !== '\n' && sign !== '\r' && sign !== '\t') return sign;
  }
  return '';
}
