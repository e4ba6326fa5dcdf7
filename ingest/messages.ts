/**
 * Cuts a file or a body into messages of the log: one line each, empty lines passed over, or the whole where that is
 * one JSON document of at most 16 MiB. A `#Fields:` line is no message: it goes along with those after it as a header.
 */
import { AuditError } from '../core/errors.ts';
import type { NewMessage } from './log.ts';

export const maxMessageBytes = 16 * 1024 * 1024;
export const fieldsHeader = 'gatetrail-fields';

const newline = 0x0a;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** What was cut off, and where it ended: `end` is the offset of the first byte after the message and its line break. */
export interface CutMessage extends NewMessage {
  readonly end: number;
}

/** A line beyond the limit; it is named, never cut. */
export interface OversizeLine {
  readonly oversize: number;
  readonly end: number;
}

/** The whole of what came, opened already. @throws PAYLOAD_TOO_LARGE for more than `most` lines */
export function cutWhole(body: Buffer, most = Infinity): (CutMessage | OversizeLine)[] {
  if (body.length <= maxMessageBytes && isOneDocument(body)) return [{ value: withoutMark(body), end: body.length }];
  if (hasMoreLines(body, most))
    throw new AuditError('PAYLOAD_TOO_LARGE', `The body has more than ${most} lines; nothing of it was taken. Send it in parts`);
  const cutter = lineCutter();
  return [...cutter.push(body), ...cutter.end()];
}

function hasMoreLines(body: Buffer, most: number): boolean {
  let at = body.indexOf(newline);
  for (let lines = 1; at >= 0; lines += 1) {
    if (lines > most) return true;
    at = body.indexOf(newline, at + 1);
  }
  return false;
}

export interface LineCutter {
  /** Lines that `chunk` completes. */
  push(chunk: Buffer): (CutMessage | OversizeLine)[];
  /** The rest without a line break, if any. */
  end(): (CutMessage | OversizeLine)[];
}

/** For streams and growing files: `start` is the offset of the first byte that will be pushed, `fields` the columns in force there. */
export function lineCutter(start = 0, fields = ''): LineCutter {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let position = start;
  let columns = fields;

  const cut = (line: Buffer, length: number): (CutMessage | OversizeLine)[] => {
    position += length;
    if (line.length > maxMessageBytes) return [{ oversize: line.length, end: position }];
    const value = trimmed(position === length ? withoutMark(line) : line);
    if (value.length === 0) return [];
    if (value[0] === 0x23 && value.subarray(0, 8).toString('latin1') === '#Fields:') {
      columns = value.toString();
      return [];
    }
    return [{ value, end: position, ...(columns !== '' && { headers: { [fieldsHeader]: columns } }) }];
  };

  return {
    push(chunk) {
      const messages: (CutMessage | OversizeLine)[] = [];
      let from = 0;
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
        const line = Buffer.concat([...rest, chunk.subarray(from, at)]);
        rest = [];
        restBytes = 0;
        messages.push(...cut(line, line.length + 1));
        from = at + 1;
      }
      if (from < chunk.length) rest.push(chunk.subarray(from));
      restBytes += chunk.length - from;
      return messages;
    },
    end() {
      const line = Buffer.concat(rest, restBytes);
      rest = [];
      return line.length === 0 ? [] : cut(line, line.length);
    },
  };
}

/** One JSON document over several lines: the first line alone is none, the whole is one. */
function isOneDocument(body: Buffer): boolean {
  const text = withoutMark(body).toString().trim();
  if (text[0] !== '{' && text[0] !== '[') return false;
  const firstBreak = text.indexOf('\n');
  return firstBreak < 0 || (!isJson(text.slice(0, firstBreak)) && isJson(text));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function withoutMark(bytes: Buffer): Buffer {
  return bytes.subarray(0, 3).equals(byteOrderMark) ? bytes.subarray(3) : bytes;
}

/** Without the carriage return of a line break and without blank lines; blanks inside a line stay. */
function trimmed(line: Buffer): Buffer {
  const value = line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
  return value.every((byte) => byte === 0x20 || byte === 0x09) ? value.subarray(0, 0) : value;
}
