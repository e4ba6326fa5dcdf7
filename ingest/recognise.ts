/** Which format a record is of: pure, in a fixed order, and never a looser second guess after a reader failed. */
import { isObject, type Json } from '../core/fields.ts';
import type { CanonicalEvent } from '../schemas/event.ts';
import { type Gateway, type JsonFormat, ReadFailure, type SourceSettings, type TextFormat } from './gateway.ts';

export interface Named<Format> {
  readonly name: string;
  readonly format: Format;
}

/** What is sought in the records of a source. */
export interface Recogniser {
  /** undefined where no format matches. A pinned source has one format alone. */
  json(document: Json): Named<JsonFormat> | undefined;
  text(line: string): Named<TextFormat> | undefined;
  /** The format that lines with these columns are of, where one names columns. */
  readonly columned: Named<TextFormat> | undefined;
  /** Of the JSON formats that have some. */
  readonly longNumbers: readonly NonNullable<JsonFormat['longNumbers']>[];
  /** Names of the formats that are sought. */
  readonly names: readonly string[];
  /** Names of all formats that match, the first of them the one that is taken. */
  matching(value: unknown): readonly string[];
  /** Of a pinned source: takes what it does not recognise too, to skip it or to say what is wrong. */
  readonly pinned: Gateway & { readonly name: string };
}

/** A record with its format. */
export interface Element {
  /** '' where none was recognised. */
  readonly format: string;
  /** What it was recognised by, in words. */
  readonly test: string;
  /** The JSON value or the line of text. */
  readonly value: unknown;
  /** Why it is no request, or ''. @throws ReadFailure UNKNOWN_FORMAT and what else kept it from being recognised */
  skips(): string;
  /** @throws ReadFailure */
  read(event: CanonicalEvent, source: SourceSettings): void;
}

/** By the format that a source is pinned to, undefined for any. */
export function createRecognisers(gateways: ReadonlyMap<string, Gateway>): (pinned: string | undefined) => Recogniser {
  const json = formatsOf(gateways, ({ json: format }) => format);
  const text = formatsOf(gateways, ({ text: format }) => format);
  const recognisers = new Map<string | undefined, Recogniser>();

  function make(pinned: string | undefined): Recogniser {
    const wanted = <Format extends { readonly order: number }>(formats: readonly Named<Format>[]) =>
      formats.filter(({ name, format }) => (pinned === undefined ? format.order < Infinity : name === pinned));
    const [documents, lines] = [wanted(json), wanted(text)];
    return {
      json: (document) => documents.find(({ format }) => format.recognises(document)),
      text: (line) => lines.find(({ format }) => format.recognises(line)),
      longNumbers: documents.flatMap(({ format }) => format.longNumbers ?? []),
      names: [...new Set([...documents, ...lines].map(({ name }) => name))],
      matching: (value) => (typeof value === 'string' ? namesOf(lines, value) : isObject(value) ? namesOf(documents, value) : []),
      columned: lines.find(({ format }) => format.columns !== undefined),
      pinned: { name: pinned ?? '', ...(pinned === undefined ? {} : gateways.get(pinned)) },
    };
  }

  return (pinned) => {
    let recogniser = recognisers.get(pinned);
    if (recogniser === undefined) {
      recogniser = make(pinned);
      if (pinned === undefined || gateways.has(pinned)) recognisers.set(pinned, recogniser);
    }
    return recogniser;
  };
}

function namesOf<Value>(formats: readonly Named<{ recognises(value: Value): boolean }>[], value: Value): string[] {
  return formats.filter(({ format }) => format.recognises(value)).map(({ name }) => name);
}

function formatsOf<Format extends { readonly order: number }>(
  gateways: ReadonlyMap<string, Gateway>,
  pick: (gateway: Gateway) => Format | undefined,
): readonly Named<Format>[] {
  return [...gateways]
    .flatMap(([name, gateway]) => {
      const format = pick(gateway);
      return format === undefined ? [] : [{ name, format }];
    })
    .toSorted((a, b) => a.format.order - b.format.order);
}

interface Reader<Value> {
  readonly test: string;
  skips(value: Value): string;
  read(value: Value, event: CanonicalEvent, source: SourceSettings): void;
}

/** A record of a format, as its own reader takes it. */
export function elementOf<Value>({ name, format }: Named<Reader<Value>>, value: Value): Element {
  const { test } = format;
  return { format: name, test, value, skips: () => format.skips(value), read: (event, source) => format.read(value, event, source) };
}

/** What a pinned source holds and its format does not recognise. */
export function pinnedElement<Value>(named: Named<Reader<Value>>, value: Value): Element {
  return { ...elementOf(named, value), test: `nothing: the format is given, its own test does not match (${named.format.test})` };
}

export function failed(failure: ReadFailure, value: unknown): Element {
  const fail = () => {
    throw failure;
  };
  return { format: '', test: '', value, skips: fail, read: fail };
}

export function skipped(why: string, value: unknown): Element {
  return { format: '', test: '', value, skips: () => why, read: () => {} };
}

/** What no format recognises. */
export function unknown(came: string, { names }: Recogniser, value: unknown): Element {
  const message = `expected a record of ${names.join(', ')}; ${came} came that is none`;
  return failed(new ReadFailure('UNKNOWN_FORMAT', '', message), value);
}
