/** Formats that the configuration describes: a canonical field by the place where a record has it, or a known format under other keys. */
import { readAddress } from '../core/address.ts';
import type { LinearPattern } from '../core/linear-pattern.ts';
import { countOf, isObject, type Json, numberOf, own, statusOf, textOf } from '../core/fields.ts';
import { type CanonicalEvent, enrichedFields, eventFields } from '../schemas/event.ts';
import { decideClient, readForwarded } from './forwarded.ts';
import { type Gateway, type JsonFormat, ReadFailure, type SourceSettings, type TextFormat } from './gateway.ts';
import { dashed } from './server-logs.ts';
import { hostOf, readOrigin, readTarget, versionOf } from './targets.ts';
import { clfMicros, endedAt, epochMicros, finite, isoMicros } from './times.ts';

export type Unit = 'ns' | 'us' | 'ms' | 's';

export interface FieldPlace {
  /** Of the record: dots go into objects; a key with that very name comes first. Of a line: the name of a group of the pattern. Default: the name of the field. */
  readonly path?: string | undefined;
  /** Of a duration; default ms. */
  readonly unit?: Unit | undefined;
  /** Of the time; default start. */
  readonly is?: 'start' | 'end' | undefined;
}

export type FieldName = Exclude<keyof CanonicalEvent, (typeof neverMapped)[number]>;

export interface FieldMap {
  /** Kind of the gateway that writes it. */
  readonly gateway: string;
  readonly fields: Readonly<Partial<Record<FieldName, FieldPlace>>>;
}

/** What configuration and enrichment say, and what no single value says. */
const neverMapped = [
  'time_source',
  'tenant',
  'gateway_kind',
  'source_format',
  'http_request_method_original',
  'outcome',
  'signals',
  'attributes',
  ...enrichedFields,
] as const;

/** In the order in which they are read: a query of its own after the path, which may bring one; the time after the duration. */
const first = ['url_path', 'url_query', 'duration_ms'] as const;
const excluded: readonly string[] = [...first, ...neverMapped, 'timestamp'];
export const fieldNames: readonly FieldName[] = [
  ...first,
  ...(Object.keys(eventFields) as FieldName[]).filter((name) => !excluded.includes(name)),
  'timestamp',
];

export const isDuration = (name: FieldName): boolean => name.endsWith('_ms');

type Reading = (record: Json, event: CanonicalEvent, source: SourceSettings) => void;

const perMilli: Readonly<Record<Unit, number>> = { ns: 1e6, us: 1e3, ms: 1, s: 1e-3 };

const pinnedOnly = { order: Infinity, test: 'nothing: it is for what names it', skips: () => '' };

/** A JSON layout. */
export function mappedJson({ gateway, fields }: FieldMap): Gateway {
  const readings = fieldNames.flatMap((name) => (fields[name] === undefined ? [] : readingOf(name, fields[name])));
  const time = valueAt(fields.timestamp?.path ?? 'timestamp');
  const json: JsonFormat = {
    ...pinnedOnly,
    test: 'a value where the configuration says that the time stands',
    recognises: (record) => time(record) !== undefined,
    read(record, event, source) {
      event.gateway_kind = gateway;
      for (const reading of readings) reading(record, event, source);
      // With both addresses the gateway has decided who the client is.
      if (event.client_address === '' || event.network_peer_address === '') {
        event.client_address ||= event.network_peer_address;
        decideClient(event, source);
      }
    },
  };
  return { json };
}

/** A layout of lines; the pattern takes a line as a whole, or not at all. */
export function mappedText(pattern: LinearPattern, map: FieldMap): Gateway {
  const { json } = mappedJson(map);
  const text: TextFormat = {
    ...pinnedOnly,
    test: 'nothing: every line of its source is taken for one',
    // Looked for once, when it is read.
    recognises: () => true,
    read(line, event, source) {
      const groups = pattern.groups(line);
      if (groups === null) throw new ReadFailure('BAD_FIELD', '', 'expected a line that the pattern of its format takes as a whole');
      json?.read(groups, event, source);
    },
  };
  return { text };
}

/** A known format whose top-level keys have other names: known name by the name in the record. */
export function renamed(like: JsonFormat, keys: Readonly<Record<string, string>>): Gateway {
  const names = Object.entries(keys);
  const known = (record: Json): Json => {
    const copy: Record<string, unknown> = { ...record };
    for (const [name, key] of names) copy[name] = own(record, key);
    return copy;
  };
  return {
    json: {
      ...like,
      order: Infinity,
      recognises: (record) => like.recognises(known(record)),
      skips: (record) => like.skips(known(record)),
      read: (record, event, source) => like.read(known(record), event, source),
    },
  };
}

function readingOf(name: FieldName, { path = name, unit = 'ms', is = 'start' }: FieldPlace): Reading {
  const at = valueAt(path);
  const text = (record: Json) => dashed(textOf(at(record)));
  switch (name) {
    case 'timestamp':
      return (record, event, source) => {
        const micros = timeOf(at(record), `$.${path}`, source.timeZone);
        if (is === 'end') endedAt(micros, event);
        else event.timestamp = micros;
      };
    case 'url_path':
      return (record, event) => {
        readOrigin(text(record), event);
        readTarget(text(record), event);
      };
    case 'url_query':
      return (record, event) => (event.url_query = text(record).replace(/^\?/, '') || event.url_query);
    case 'server_address':
      return (record, event) => (event.server_address = hostOf(text(record)) || event.server_address);
    case 'client_address':
    case 'network_peer_address':
      return (record, event) => (event[name] = readAddress(text(record)));
    case 'forwarded_for':
      return (record, event) => readForwarded(text(record), event);
    case 'credential_hash':
      return (record, event, source) => {
        const raw = text(record);
        if (raw !== '') event.credential_hash = source.hashKey(raw);
      };
    case 'network_protocol_version':
      return (record, event) => (event.network_protocol_version = versionOf(text(record)));
    case 'trace_id':
    case 'span_id':
      return (record, event) => (event[name] = text(record).toLowerCase());
    default:
      return (record, event) => set(event, name, valueOf(name, at(record), unit));
  }
}

/** Which values a field takes says its column. */
function valueOf(name: FieldName, value: unknown, unit: Unit): string | number | null {
  const { column } = eventFields[name];
  if (column === 'Nullable(UInt8)') return countOf(value, 255);
  if (column === 'Nullable(UInt16)') return statusOf(value);
  if (column === 'Nullable(Float64)') return millis(numberOf(value), unit);
  return column.startsWith('Nullable') ? countOf(value) : dashed(textOf(value));
}

function set(event: CanonicalEvent, name: FieldName, value: string | number | null): void {
  (event as unknown as Record<string, string | number | null>)[name] = value; // of the kind that its column takes
}

/** Rounded to nanoseconds, so that 0.132 s are 132 ms. */
function millis(value: number | null, unit: Unit): number | null {
  return value === null || value < 0 ? null : finite(Math.round((value / perMilli[unit]) * 1e6) / 1e6);
}

/** An epoch by its magnitude, the time of a common log line, or ISO 8601. */
function timeOf(value: unknown, path: string, zone: string): number {
  if (typeof value !== 'string' || /^\d+(?:\.\d+)?$/.test(value)) return epochMicros(value, path);
  return value[2] === '/' ? clfMicros(value, path, zone) : isoMicros(dashed(value), path, zone);
}

/** Walks into objects along the dots, unless a key with that very name is there. */
function valueAt(path: string): (record: Json) => unknown {
  const names = path.split('.');
  return (record) => {
    const whole = own(record, path);
    if (whole !== undefined || names.length === 1) return whole;
    let at: unknown = record;
    for (const name of names) at = isObject(at) ? own(at, name) : undefined;
    return at;
  };
}
