import { expect, test } from 'vitest';
import { intervals } from '../../../query/intervals.ts';
import { resolveRange } from '../../../query/range.ts';

const limits = { retentionMs: 1_000_000, maxRangeMs: 500_000 };
const now = 10_000_000;
const coded = (code: string) => expect.objectContaining({ code });

test('a range ends now or where it says, and may begin before the oldest event', () => {
  expect(resolveRange({ relative: 'PT1M' }, now, limits)).toEqual({ from: now - 60_000, to: now });
  expect(resolveRange({ absolute: { from: 8_900_000, to: 9_000_001 } }, now, limits)).toEqual({ from: 8_900_000, to: 9_000_001 });
});

test('a range has whole milliseconds, as its bounds', () => {
  expect(resolveRange({ relative: 'PT1.0004S' }, now, limits)).toEqual({ from: now - 1_000, to: now });
  expect(() => resolveRange({ relative: 'PT0.0004S' }, now, limits)).toThrowError(coded('BAD_USER_INPUT'));
});

test('a range that is empty, too wide, too old or no duration is refused by its code', () => {
  expect(() => resolveRange({ absolute: { from: 5, to: 5 } }, now, limits)).toThrowError(coded('BAD_USER_INPUT'));
  expect(() => resolveRange({ relative: 'P1D' }, now, limits)).toThrowError(coded('RANGE_TOO_WIDE'));
  expect(() => resolveRange({ absolute: { from: 8_800_000, to: 9_000_000 } }, now, limits)).toThrowError(coded('OLDER_THAN_RETENTION'));
  for (const relative of ['', 'PT0S', 'yesterday']) {
    expect(() => resolveRange({ relative }, now, limits)).toThrowError(coded('BAD_USER_INPUT'));
  }
});

test('an archive that arrived within retention may be asked for, however old its requests are', () => {
  const absolute = { from: 1_000, to: 2_000 };
  expect(resolveRange({ absolute }, now, { ...limits, oldestEvent: 1_999 })).toEqual(absolute);
  expect(() => resolveRange({ absolute }, now, { ...limits, oldestEvent: 2_000 })).toThrowError(coded('OLDER_THAN_RETENTION'));
  expect(() => resolveRange({ absolute }, now, { ...limits, oldestEvent: Infinity })).toThrowError(coded('OLDER_THAN_RETENTION'));
});

const maxPoints = 10_000;
const range = (from: string, to: string) => ({ from: Date.parse(from), to: Date.parse(to) });
const startsOf = (interval: string | null, from: string, to: string, timeZone = 'UTC') =>
  intervals({ range: range(from, to), interval, timeZone, maxPoints }).starts.map((at) => new Date(at).toISOString().slice(0, 16));

test('intervals cover the range without a hole, weeks from Monday, months by the calendar', () => {
  expect(startsOf('P1W', '2026-11-18T12:00Z', '2026-11-24T00:00Z')).toEqual(['2026-11-16T00:00', '2026-11-23T00:00']);
  expect(startsOf('P1M', '2026-01-31T00:00Z', '2026-03-02T00:00Z')).toEqual(['2026-01-01T00:00', '2026-02-01T00:00', '2026-03-01T00:00']);
  expect(startsOf('PT90M', '2026-11-22T01:00Z', '2026-11-22T04:00Z')).toEqual(['2026-11-22T00:00', '2026-11-22T01:30', '2026-11-22T03:00']);
  expect(startsOf('P1D', '2026-03-28T23:00Z', '2026-03-30T22:00Z', 'Europe/Vienna')).toEqual(['2026-03-28T23:00', '2026-03-29T22:00']);
  expect(startsOf('P2D', '2026-11-18T12:00Z', '2026-11-21T00:00Z')).toEqual(['2026-11-18T00:00', '2026-11-20T00:00']);
});

test.each([
  ['begins at one where midnight does not exist', 'America/Havana', '2026-03-07T05:00', '2026-03-08T05:00', '2026-03-09T04:00'],
  ['begins at one east of Greenwich too', 'Africa/Cairo', '2026-04-22T22:00', '2026-04-23T22:00', '2026-04-24T21:00'],
  ['begins at the first of two midnights', 'Atlantic/Azores', '2026-10-24T00:00', '2026-10-25T00:00', '2026-10-26T01:00'],
  ['was left out', 'Pacific/Apia', '2011-12-28T10:00', '2011-12-29T10:00', '2011-12-30T10:00'],
])('a day %s: %s', (_, timeZone, ...starts) => {
  expect(startsOf('P1D', `${starts[0]}Z`, `${starts[2].slice(0, 14)}01Z`, timeZone)).toEqual(starts);
});

test('days of every zone follow each other, each at the first minute that has its date', () => {
  for (const timeZone of Intl.supportedValuesOf('timeZone')) {
    const dateOf = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' });
    const { starts } = intervals({ range: range('2026-02-20T00:00Z', '2026-05-10T00:00Z'), interval: 'P1D', timeZone, maxPoints });
    const dates = starts.map((at) => dateOf.format(at));
    expect(new Set(dates).size, timeZone).toBe(starts.length);
    expect(starts.filter((at) => dateOf.format(at - 1) === dateOf.format(at)), timeZone).toEqual([]); // prettier-ignore
  }
});

test('without an interval there are some hundred, however wide the range', () => {
  expect(startsOf(null, '2026-11-22T10:00Z', '2026-11-22T11:00Z')).toHaveLength(120);
  expect(startsOf(null, '2025-11-22T00:00Z', '2026-11-22T00:00Z')).toHaveLength(365);
  expect(startsOf(null, '1927-01-01T00:00Z', '2026-01-01T00:00Z')).toHaveLength(99 * 12);
});

test('a zone that is none and too many intervals are refused', () => {
  const refused = expect.objectContaining({ code: 'BAD_USER_INPUT' }) as Error;
  for (const interval of ['PT1S', 'P1D'])
    expect(() => intervals({ range: { from: 0, to: 1 }, interval, timeZone: 'Mars/Base', maxPoints })).toThrow(refused);
  for (const interval of ['PT1S', 'PT1M', 'P1D'])
    expect(() => startsOf(interval, '1900-01-01T00:00Z', '2026-01-01T00:00Z')).toThrow(/intervals, 10000 are allowed/);
  for (const interval of ['PT0.5S', 'PT1.0005S', '-P1D', 'daily'])
    expect(() => startsOf(interval, '2026-01-01T00:00Z', '2026-01-02T00:00Z')).toThrow(refused);
});
