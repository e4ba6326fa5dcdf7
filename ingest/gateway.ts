/** The contract of a record format: one file in `gateways/` each, named as the format is. */
import type { ErrorCode } from '../core/errors.ts';
import { type Json, numberOf } from '../core/fields.ts';
import type { CanonicalEvent } from '../schemas/event.ts';

interface Format<Element> {
  /** Place in the ordered list of recognition: of formats that match, the lowest wins. Source: the rows of the list are in docs. */
  readonly order: number;
  recognises(element: Element): boolean;
  /** Why it is no request, or '' when it is one. */
  skips(element: Element): string;
  /** Fills an empty event with what the format gives, as it came: redaction is later. @throws ReadFailure */
  read(element: Element, event: CanonicalEvent): void;
}

export interface JsonGateway extends Format<Json> {
  readonly form: 'json';
}

export interface TextGateway extends Format<string> {
  readonly form: 'text';
}

export type Gateway = JsonGateway | TextGateway;

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

/**
 * Microseconds from an epoch time; its unit shows by its magnitude, because writers do not follow their own schema.
 * @throws ReadFailure MISSING_TIME, BAD_TIME
 */
export function epochMicros(value: unknown, path: string): number {
  if (value === undefined || value === null || value === '')
    throw new ReadFailure('MISSING_TIME', path, 'expected an epoch time, nothing came');
  const epoch = numberOf(value);
  if (epoch === null || epoch < 0) throw new ReadFailure('BAD_TIME', path, `expected an epoch time, a ${typeof value} that is none came`);
  if (epoch < 1e11) return Math.round(epoch * 1e6);
  if (epoch < 1e14) return Math.round(epoch * 1e3);
  if (epoch < 1e17) return Math.round(epoch);
  return Math.round(epoch / 1e3);
}

/** Microseconds from ISO 8601 with an offset or Z; digits below the microsecond are cut. @throws ReadFailure MISSING_TIME, BAD_TIME */
export function isoMicros(value: unknown, path: string): number {
  if (value === undefined || value === null || value === '')
    throw new ReadFailure('MISSING_TIME', path, 'expected an ISO 8601 time, nothing came');
  const parts =
    typeof value === 'string' ? /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d+))?([Zz]|[+-]\d\d:?\d\d)$/.exec(value) : null;
  const [, day, time, digits = '', offset] = parts ?? [];
  const seconds = Date.parse(`${day}T${time}${offset}`);
  if (Number.isNaN(seconds) || Number.isNaN(calendarTime(`${day}T${time}`)))
    throw new ReadFailure('BAD_TIME', path, 'expected an ISO 8601 time with an offset, something else came');
  return seconds * 1000 + Number(digits.padEnd(6, '0').slice(0, 6));
}

/** Milliseconds of `2026-11-22T10:00:00` in UTC; NaN for a day or hour that no calendar has, which Date would roll over into the next. */
export function calendarTime(text: string): number {
  const ms = Date.parse(`${text}Z`);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== text ? Number.NaN : ms;
}

/** Splits what stands in a request line: path and query, without the scheme and host of an absolute form. */
export function readTarget(target: string, event: CanonicalEvent): void {
  const host = hostOf(target);
  const path = host === null ? target : target.slice(host.to);
  const mark = path.indexOf('?');
  event.url_path = (mark < 0 ? path : path.slice(0, mark)) || (host === null ? '' : '/');
  event.url_query = mark < 0 ? '' : path.slice(mark + 1);
}

/** Where the host of an absolute URL stands; a query can follow without a path, and is no part of it: there it would not be redacted. */
function hostOf(url: string): { readonly from: number; readonly to: number } | null {
  const from = url.startsWith('https://') ? 8 : url.startsWith('http://') ? 7 : 0;
  if (from === 0) return null;
  const length = url.slice(from).search(/[/?#]/);
  return { from, to: length < 0 ? url.length : from + length };
}

/** Scheme and host of an absolute URL; user info and port are left out. A URL inside a path or a query is what a client wrote. */
export function readOrigin(url: string, event: CanonicalEvent): void {
  const place = hostOf(url);
  if (place === null) return;
  event.url_scheme = url.slice(0, place.from - 3);
  const authority = url.slice(place.from, place.to);
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const colon = host.lastIndexOf(':');
  event.server_address = colon > host.indexOf(']') ? host.slice(0, colon) : host;
}
