/** Formats that the configuration describes: a canonical field by the place where a record has it, or a known format under other keys. */
import { readAddress } from '../core/address.ts';
import { countOf, isObject, type Json, numberOf, own, statusOf, textOf } from '../core/fields.ts';
import { type CanonicalEvent, eventFields } from '../schemas/event.ts';
import { type Gateway, type JsonFormat, ReadFailure, type SourceSettings, type TextFormat } from './gateway.ts';
import { hostOf, readTarget } from './targets.ts';
import { clfMicros, endedAt, epochMicros, finite, isoMicros } from './times.ts';

export type Unit = 'ns' | 'us' | 'ms' | 's';

export interface FieldPlace {
  /** Of the record: dots go into objects; a key with that very name comes first. Of a line: the name of a group of the pattern. */
  readonly path: string;
  /** Of a duration; default ms. */
  readonly unit?: Unit | undefined;
  /** Of the time; default start. */
  readonly is?: 'start' | 'end' | undefined;
}

export interface FieldMap {
  /** Kind of the gateway that writes it. */
  readonly gateway: string;
  readonly fields: Readonly<Partial<Record<keyof CanonicalEvent, string | FieldPlace>>>;
}

type Reading = (record: Json, event: CanonicalEvent, source: SourceSettings) => void;

const perMilli: Readonly<Record<Unit, number>> = { ns: 1e6, us: 1e3, ms: 1, s: 1e-3 };

const pinnedOnly = { order: Infinity, test: 'nothing: it is for sources that are pinned to it', skips: () => '' };

/** A JSON layout. */
export function mappedJson({ gateway, fields }: FieldMap): Gateway {
  const readings = readingsOf(fields);
  const json: JsonFormat = {
    ...pinnedOnly,
    recognises: (record) => valueAt(record, placeOf(fields.timestamp).path) !== undefined,
    read(record, event, source) {
      event.gateway_kind = gateway;
      for (const reading of readings) reading(record, event, source);
    },
  };
  return { json };
}

/** A layout of lines; the pattern names its groups, and must be linear: whoever reads the configuration sees to that. */
export function mappedText(pattern: RegExp, map: FieldMap): Gateway {
  const { json } = mappedJson(map);
  const text: TextFormat = {
    ...pinnedOnly,
    recognises: (line) => pattern.test(line),
    read(line, event, source) {
      const groups = pattern.exec(line)?.groups;
      if (groups === undefined) throw new ReadFailure('BAD_FIELD', '', 'expected a line that the pattern of its format takes');
      json?.read({ ...groups }, event, source);
    },
  };
  return { text };
}

/** A known format whose top-level keys have other names: known name by the name in the record. */
export function renamed({ json }: Gateway, keys: Readonly<Record<string, string>>): Gateway {
  if (json === undefined) return {};
  const known = (record: Json): Json => ({
    ...record,
    ...Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, own(record, key)])),
  });
  return {
    json: {
      ...json,
      recognises: (record) => json.recognises(known(record)),
      skips: (record) => json.skips(known(record)),
      read: (record, event, source) => json.read(known(record), event, source),
    },
  };
}

const placeOf = (place: string | FieldPlace | undefined): FieldPlace => (typeof place === 'object' ? place : { path: place ?? '' });

/** The time comes last: the duration tells when a request began that is logged at its end. */
function readingsOf(fields: FieldMap['fields']): readonly Reading[] {
  const places = (Object.entries(fields) as [keyof CanonicalEvent, string | FieldPlace][]).map(
    ([name, place]) => [name, placeOf(place)] as const,
  );
  return [...places.filter(([name]) => name !== 'timestamp'), ...places.filter(([name]) => name === 'timestamp')].map(([name, place]) =>
    readingOf(name, place),
  );
}

function readingOf(name: keyof CanonicalEvent, { path, unit = 'ms', is = 'start' }: FieldPlace): Reading {
  const text = (record: Json) => dashed(textOf(valueAt(record, path)));
  if (name === 'timestamp')
    return (record, event, source) => {
      const micros = timeOf(valueAt(record, path), `$.${path}`, source.timeZone);
      if (is === 'end') endedAt(micros, event);
      else event.timestamp = micros;
    };
  if (name === 'url_path') return (record, event) => readTarget(text(record), event);
  if (name === 'server_address') return (record, event) => (event.server_address = hostOf(text(record)));
  if (name === 'client_address' || name === 'network_peer_address') return (record, event) => (event[name] = readAddress(text(record)));
  if (name === 'credential_hash')
    return (record, event, source) => {
      const raw = text(record);
      if (raw !== '') event.credential_hash = source.hashKey(raw);
    };
  const { column } = eventFields[name];
  if (column === 'Nullable(UInt16)') return (record, event) => set(event, name, statusOf(valueAt(record, path)));
  if (column === 'Nullable(Float64)') return (record, event) => set(event, name, millis(numberOf(valueAt(record, path)), unit));
  if (column.startsWith('Nullable')) return (record, event) => set(event, name, countOf(valueAt(record, path)));
  return (record, event) => set(event, name, text(record));
}

/** Which values a field takes says its column: a map with others is refused when the configuration is read. */
function set(event: CanonicalEvent, name: keyof CanonicalEvent, value: string | number | null): void {
  Object.assign(event, { [name]: value });
}

/** Rounded to nanoseconds, so that 0.132 s are 132 ms. */
function millis(value: number | null, unit: Unit): number | null {
  return value === null || value < 0 ? null : finite(Math.round((value / perMilli[unit]) * 1e6) / 1e6);
}

const dashed = (text: string): string => (text === '-' ? '' : text);

/** An epoch by its magnitude, the time of a common log line, or ISO 8601. */
function timeOf(value: unknown, path: string, zone: string): number {
  if (typeof value !== 'string' || /^\d+(?:\.\d+)?$/.test(value)) return epochMicros(value, path);
  return /^\d\d\/[A-Z]/.test(value) ? clfMicros(value, path, zone) : isoMicros(dashed(value), path, zone);
}

function valueAt(record: Json, path: string): unknown {
  const whole = own(record, path);
  if (whole !== undefined) return whole;
  let at: unknown = record;
  for (const name of path.split('.')) at = isObject(at) ? own(at, name) : undefined;
  return at;
}
