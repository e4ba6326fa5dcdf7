/**
 * Opens a message down to its records: gzip, byte order mark, JSON object or array, NDJSON, plain lines, and what shippers put
 * around a record. A document that a format recognises is a record and is not opened further. Every element counts, also one
 * that cannot be read, so that its index stays the same when a reader changes. Beyond a limit the message is refused as a whole.
 */
import { isObject, type Json } from '../core/fields.ts';
import { maxElementBytes, textOf } from './element-size.ts';
import { ReadFailure } from './gateway.ts';
import { decoded, isGzip, opened, replacement, tooLarge } from './message-bytes.ts';
import { maxMessageBytes } from './messages.ts';
import { type Element, elementOf, failed, pinnedElement, type Recogniser, skipped, unknown } from './recognise.ts';
import { openWrapper, withoutAnyPrefix, withoutPrefix } from './wrappers.ts';

const maxElements = 10_000;
const maxDepth = 3;

type Attributes = Readonly<Record<string, string>>;

export interface UnwrapOptions {
  readonly recogniser: Recogniser;
  /** Of the lines, where they are known before the first one. */
  readonly columns: readonly string[];
  /** Of each event, from what stands around the message. */
  readonly attributes: Attributes;
}

/** @throws ReadFailure for the message as a whole: TOO_LARGE, TOO_MANY_ELEMENTS, TOO_DEEP, BAD_ENCODING, SCHEMA_REGISTRY_UNSUPPORTED */
export function unwrap(value: Buffer, options: UnwrapOptions): readonly Element[] {
  if (value.length > maxMessageBytes) throw tooLarge(`expected at most ${maxMessageBytes} bytes, ${value.length} came`);
  const opening = new Opening(options);
  opening.bytes(value);
  return opening.elements;
}

class Opening {
  readonly elements: Element[] = [];
  private readonly recogniser: Recogniser;
  private attributes: Attributes;
  private columns: readonly string[];
  private isUtf8 = true;
  /** One that was recognised, whether or not it can be read. */
  private hasRecord = false;

  constructor({ recogniser, columns, attributes }: UnwrapOptions) {
    this.recogniser = recogniser;
    this.columns = columns;
    this.attributes = attributes;
  }

  bytes(value: Buffer, depth = 0): void {
    if (isGzip(value)) return this.bytes(opened(value), deeper(depth));
    const { text, isUtf8 } = decoded(value);
    this.isUtf8 = isUtf8;
    this.text(text, depth);
    // UTF-16, say, which would be as many riddles as it has line breaks. A pinned source has each line taken for its format.
    const isNone = !isUtf8 && !this.hasRecord && (text.includes('\0') || this.elements.every(({ format }) => format === ''));
    if (isNone) throw notUtf8();
  }

  private text(text: string, depth: number): void {
    const before = this.elements.length;
    const start = firstSign(text);
    const document = (start === '{' || start === '[') && !isBracketed(text) ? this.parsed(text) : undefined;
    if (document !== undefined) return this.json(document, depth);
    // Line by line: of some ten million empty ones a list would be larger than the message.
    for (let from = 0; from < text.length;) {
      const end = text.indexOf('\n', from);
      const to = end < 0 ? text.length : end;
      if (to > from) this.line(text.slice(from, to).trim(), depth);
      from = to + 1;
    }
    if (this.elements.length === before)
      this.add(failed(new ReadFailure('UNKNOWN_FORMAT', '', 'expected a record, nothing but blanks came'), ''));
  }

  private line(line: string, depth: number): void {
    if (line === '') return;
    const { columned, pinned, text } = this.recogniser;
    const bare = this.bare(line);
    const columns = columned?.format.columns?.(bare) ?? null;
    if (columns !== null) this.columns = columns;
    const isJson = (bare[0] === '{' || bare[0] === '[') && !isBracketed(bare);
    // A shipper may wrap the lines: JSON is none of theirs.
    if (!isJson && columned !== undefined && (columns !== null || this.columns.length > 0))
      return this.add(this.withColumns(elementOf(columned, bare)));
    const isLong = line.length > maxElementBytes;
    const document = isJson ? this.parsed(bare) : undefined;
    if (document !== undefined) return this.json(document, depth);
    if (isLong) return this.add(failed(tooLarge(`expected a line of at most ${maxElementBytes} bytes, more came`), line));
    if (isJson && pinned.text === undefined && text(bare) === undefined)
      return this.refuse(failed(new ReadFailure('BAD_JSON', '', 'expected a JSON document, it ends early or is malformed'), line));
    const found = text(bare);
    if (found !== undefined) this.record(elementOf(found, bare));
    else if (pinned.text === undefined) this.refuse(unknown('a line of text', this.recogniser, line));
    else this.add(pinnedElement({ name: pinned.name, format: pinned.text }, bare));
  }

  /** Without what a shipper put in front. */
  private bare(line: string): string {
    const isOwnPattern = this.recogniser.pinned.text?.order === Infinity;
    return isOwnPattern ? withoutPrefix(line) : withoutAnyPrefix(line);
  }

  private json(document: unknown, depth: number): void {
    if (Array.isArray(document)) {
      for (const each of document) this.json(each, Array.isArray(each) ? deeper(depth) : depth);
      return;
    }
    if (!isObject(document)) return this.refuse(unknown('a JSON value that is no object', this.recogniser, document));
    const found = this.recogniser.json(document);
    if (found !== undefined) {
      for (const record of found.format.records?.(document) ?? [document])
        if (!this.carried(found.format.carried?.(record) ?? '', depth)) this.record(elementOf(found, record));
    } else if (!this.wrapper(document, depth)) {
      const { json, name } = this.recogniser.pinned;
      if (json === undefined) this.refuse(unknown('a JSON object', this.recogniser, document));
      else this.add(pinnedElement({ name, format: json }, document));
    }
  }

  /** undefined where it is no JSON: null is a document too. A nesting that the parser cannot hold is none either. */
  private parsed(text: string): unknown {
    try {
      return JSON.parse(this.withLongNumbers(text)) as unknown;
    } catch {
      return undefined;
    }
  }

  private withLongNumbers(text: string): string {
    let exact = text;
    for (const { sign, pattern } of this.recogniser.longNumbers) if (sign.test(exact)) exact = exact.replaceAll(pattern, '$1"$2"');
    return exact;
  }

  /** False where there is nothing inside that could be a record. */
  private wrapper(document: Json, depth: number): boolean {
    const wrapped = openWrapper(document, (text) => this.isReadable(text)) ?? openWrapper(document, (text) => this.isTaken(text));
    if (wrapped === null) return false;
    const inside = deeper(depth);
    const around = this.attributes;
    this.attributes = { ...around, ...wrapped.attributes };
    for (const content of wrapped.contents) {
      if (wrapped.skipped !== undefined) this.add(skipped(wrapped.skipped, content));
      else if (typeof content === 'string') this.text(content, inside);
      else this.json(content, inside);
    }
    this.attributes = around;
    return true;
  }

  /** False, and nothing is opened, where no format recognises what is inside: most of what such a record carries is an ordinary log. */
  private carried(text: string, depth: number): boolean {
    if (text === '') return false;
    const [before, around] = [this.elements.length, this.attributes];
    const hasFormat = () => this.elements.slice(before).some(({ format }) => format !== '');
    try {
      this.text(text, deeper(depth));
    } catch (error) {
      // An ordinary log may well be beyond a limit of records.
      if (!(error instanceof ReadFailure) || hasFormat()) throw error;
    }
    this.attributes = around;
    const isOpened = hasFormat();
    if (!isOpened) this.elements.length = before;
    return isOpened;
  }

  private isReadable(text: string): boolean {
    const bare = this.bare(text.trim());
    if ((bare[0] === '{' || bare[0] === '[') && !isBracketed(bare) && this.parsed(bare) !== undefined) return true;
    return bare !== '' && bare.length <= maxElementBytes && this.recogniser.text(bare) !== undefined;
  }

  /** By a source all of whose lines are of one format, whatever stands in them. */
  private isTaken(text: string): boolean {
    const bare = this.bare(text.trim());
    return bare !== '' && bare.length <= maxElementBytes && (this.recogniser.pinned.text !== undefined || this.columns.length > 0);
  }

  private withColumns(element: Element): Element {
    const { columns } = this;
    return { ...element, read: (event, source) => element.read(event, { ...source, columns }) };
  }

  private record(element: Element): void {
    this.hasRecord = true;
    this.add(element);
  }

  /** What no format reads: where it has bytes that are no UTF-8, for that reason. */
  private refuse(element: Element): void {
    const isDamaged = !this.isUtf8 && textOf(element)?.includes(replacement) === true;
    this.add(isDamaged ? failed(notUtf8(), element.value) : element);
  }

  private add(element: Element): void {
    if (this.elements.length === maxElements)
      throw new ReadFailure('TOO_MANY_ELEMENTS', '', `expected at most ${maxElements} elements, more came`);
    const { attributes } = this;
    this.elements.push(
      isEmpty(attributes)
        ? element
        : {
            ...element,
            read: (event, source) => {
              element.read(event, source);
              Object.assign(event.attributes, attributes);
            },
          },
    );
  }
}

const notUtf8 = (): ReadFailure => new ReadFailure('BAD_ENCODING', '', 'expected UTF-8, other bytes came');

function isEmpty(attributes: Attributes): boolean {
  for (const _ in attributes) return false;
  return true;
}

function deeper(depth: number): number {
  if (depth === maxDepth) throw new ReadFailure('TOO_DEEP', '', `expected a record wrapped at most ${maxDepth} times, more came`);
  return depth + 1;
}

/** How a JSON array begins: with a container or a text, or with a whole value and what stands behind one. */
const arrayStart = /^\[\s*(?:$|[[{"]|(?:(?:-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)\s*)?(?:$|,|\](?!.*\S)))/;

/** A line of text, as `[2026-11-24T…` or `[error] …`: no malformed JSON, and the parser would take thirty times as long to say so. */
const isBracketed = (text: string): boolean => text[0] === '[' && !arrayStart.test(text);

function firstSign(text: string): string {
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at] ?? '';
    if (sign !== ' ' && sign !== '\n' && sign !== '\r' && sign !== '\t') return sign;
  }
  return '';
}
