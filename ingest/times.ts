/** Times and durations as gateways write them, in microseconds since the epoch and in milliseconds. */
import { numberOf } from '../core/fields.ts';
import type { CanonicalEvent } from '../schemas/event.ts';
import { clockMs, dayMs, endOfFraction, fractionMicros, isoDayMs, numberAt, offsetMs } from './calendar.ts';
import { ReadFailure } from './gateway.ts';

const isAbsent = (value: unknown): boolean => value === undefined || value === null || value === '';

/**
 * Microseconds from an epoch time; its unit shows by its magnitude, because writers do not follow their own schema. Of a text
 * of nanoseconds no digit is lost.
 * @throws ReadFailure MISSING_TIME, BAD_TIME
 */
export function epochMicros(value: unknown, path: string): number {
  if (isAbsent(value)) throw new ReadFailure('MISSING_TIME', path, 'expected an epoch time, nothing came');
  if (typeof value === 'string' && /^\d{18,19}$/.test(value)) return Number(value.slice(0, -3));
  const epoch = numberOf(value) ?? Number.NaN;
  if (!Number.isFinite(epoch) || epoch < 0)
    throw new ReadFailure('BAD_TIME', path, `expected an epoch time, a ${typeof value} that is none came`);
  if (epoch < 1e11) return Math.round(epoch * 1e6);
  if (epoch < 1e14) return Math.round(epoch * 1e3);
  if (epoch < 1e17) return Math.round(epoch);
  return Math.round(epoch / 1e3);
}

/**
 * Microseconds from ISO 8601 with an offset or Z; digits below the microsecond are cut. A time without a zone is one of `zone`,
 * where that is given.
 * @throws ReadFailure MISSING_TIME, BAD_TIME
 */
export function isoMicros(value: unknown, path: string, zone?: string): number {
  if (isAbsent(value)) throw new ReadFailure('MISSING_TIME', path, 'expected an ISO 8601 time, nothing came');
  const text = typeof value === 'string' ? value : '';
  const local = text[10] === 'T' || text[10] === ' ' || text[10] === 't' ? isoDayMs(text) + clockMs(text, 11) : Number.NaN;
  const end = endOfFraction(text, 19);
  const ms = end === text.length ? zonedMs(local, zone) : local - offsetMs(text, end);
  const micros = ms * 1000 + fractionMicros(text, 19, end);
  if (Number.isNaN(micros)) throw new ReadFailure('BAD_TIME', path, 'expected an ISO 8601 time with an offset, something else came');
  return micros;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * Microseconds from `24/Nov/2026:11:00:00 +0000`, also with a fraction; without an offset it is a time of `zone`.
 * Source: Common Log Format, httpd.apache.org, mod_log_config, %t.
 * @throws ReadFailure MISSING_TIME, BAD_TIME
 */
export function clfMicros(text: string, path: string, zone?: string): number {
  if (text === '') throw new ReadFailure('MISSING_TIME', path, 'expected a time like 22/Nov/2026:10:00:00 +0000, nothing came');
  const day = text[2] === '/' && text[6] === '/' && text[11] === ':' ? clfDayMs(text) : Number.NaN;
  const local = day + clockMs(text, 12);
  const end = endOfFraction(text, 20);
  const ms = end === text.length ? zonedMs(local, zone) : text[end] === ' ' ? local - offsetMs(text, end + 1) : Number.NaN;
  const micros = ms * 1000 + fractionMicros(text, 20, end);
  if (Number.isNaN(micros)) throw new ReadFailure('BAD_TIME', path, 'expected a time like 22/Nov/2026:10:00:00 +0000, something else came');
  return micros;
}

const clfDayMs = (text: string): number => dayMs(numberAt(text, 7, 4), months.indexOf(text.slice(3, 6)) + 1, numberAt(text, 0, 2));

const formatters = new Map<string, Intl.DateTimeFormat>();

/** What a clock of the zone shows at an instant, as if it were UTC. Milliseconds. */
function shownMs(instantMs: number, zone: string): number {
  let formatter = formatters.get(zone);
  if (formatter === undefined) {
    const two = '2-digit';
    formatter = new Intl.DateTimeFormat('sv-SE', {
      timeZone: zone,
      year: 'numeric',
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
    });
    formatters.set(zone, formatter);
  }
  return Date.parse(`${formatter.format(instantMs).replace(' ', 'T')}Z`);
}

const day = 86_400_000;

/**
 * The instant at which a clock of the zone shows `local`; of two, the earlier. Where clocks leap over it, as if they had not leapt
 * yet. NaN without a zone.
 */
export function zonedMs(local: number, zone: string | undefined): number {
  if (zone === undefined || Number.isNaN(local)) return Number.NaN;
  if (zone === 'UTC') return local;
  const offset = (at: number) => shownMs(at, zone) - at;
  // No zone changes its clocks twice in two days: on any other day both are the same.
  const [before, after] = [offset(local - day), offset(local + day)];
  const earlier = local - Math.max(before, after);
  if (before === after || shownMs(earlier, zone) === local) return earlier;
  const later = local - Math.min(before, after);
  return shownMs(later, zone) === local ? later : local - before;
}

/** For formats that tell when a request ended: its start where the duration is known. */
export function endedAt(endMicros: number, event: CanonicalEvent): void {
  const { duration_ms: duration } = event;
  event.timestamp = duration === null ? endMicros : endMicros - Math.round(duration * 1000);
  event.time_source = duration === null ? 'end' : 'end_minus_duration';
}

/** Milliseconds from seconds, without the noise of a product of floats: 1.001 s are 1001 ms. Null stays null, and what is negative is absent. */
export function millisFromSeconds(seconds: number | null): number | null {
  return seconds === null || seconds < 0 ? null : finite(Math.round(seconds * 1e6) / 1e3);
}

const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 36e5 };

/** Milliseconds from a duration as Go writes it, `1m2.5s` or `850µs`; null for what is none. Source: pkg.go.dev/time, Duration.String. */
export function goMillis(text: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return null;
  let nanos = 0;
  for (const [, number, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|μs|ms|s|m|h)/gy))
    nanos += Math.round(Number(number) * (unitMs[unit] ?? 0) * 1e6);
  return finite(nanos / 1e6);
}

/** Null in the place of what is beyond all numbers. */
export const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
