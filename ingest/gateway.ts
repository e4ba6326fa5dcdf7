/** The contract of a record format: one file in `gateways/` each, named as the format is. */
import type { ErrorCode } from '../core/errors.ts';
import type { Json } from '../core/fields.ts';
import type { CanonicalEvent } from '../schemas/event.ts';

/** What the configuration says of where a record comes from. */
export interface SourceSettings {
  /** IANA name, for times that have no zone of their own. */
  readonly timeZone: string;
  /** Of a layout whose lines do not name their columns. */
  readonly columns: readonly string[];
  /** Whether an address is one of the source's own proxies; null where none is named, and then no list is looked through. */
  readonly isTrusted: ((address: string) => boolean) | null;
  /** Keyed hash of a raw key, for `credential_hash`: the key itself goes into no column. After a rotation those of before follow it. */
  readonly hashKey: (raw: string) => string;
}

interface Format<Element> {
  /** Place in the ordered list of recognition: of formats that match, the lowest wins; Infinity: for sources alone that are pinned to it. Source: the rows of the list are in docs. */
  readonly order: number;
  /** What `recognises` looks for, in words. */
  readonly test: string;
  recognises(element: Element): boolean;
  /** Why it is no request, or '' when it is one. Asked of what a pinned source holds too, recognised or not. */
  skips(element: Element): string;
  /** Fills an empty event with what the format gives, as it came: redaction is later. @throws ReadFailure */
  read(element: Element, event: CanonicalEvent, source: SourceSettings): void;
}

export interface JsonFormat extends Format<Json> {
  /** Whole numbers that JSON.parse would round, which come as text: what a document looks like that holds some, found quickly, and where they stand. */
  readonly longNumbers?: { readonly sign: RegExp; readonly pattern: RegExp };
  /** Where one document holds several records: each of them, in order, as `read` takes it. */
  records?(document: Json): readonly Json[];
  /** Where a record that is no request can carry the line or the document of one: its text, or ''. */
  carried?(record: Json): string;
}

export interface TextFormat extends Format<string> {
  /** Columns that a line names for those after it, which are then of this format; null for any other line. */
  columns?(line: string): readonly string[] | null;
}

/** A gateway writes JSON, lines of text, or either. */
export interface Gateway {
  readonly json?: JsonFormat;
  readonly text?: TextFormat;
  /** What the configuration says of it, where it is not built in: this decides how a record is read. */
  readonly definition?: unknown;
}

/** A record of a known format that cannot be read. The message says what was expected and what came, without values. */
export class ReadFailure extends Error {
  readonly code: ErrorCode;
  /** JSON path inside the element, '' for the whole. */
  readonly path: string;

  constructor(code: ErrorCode, path: string, message: string) {
    super(message);
    this.code = code;
    this.path = path;
  }
}
