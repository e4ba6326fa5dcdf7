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

test('intervals cover the range without a hole, weeks from Monday, months by the calendar', () => {
  const range = (from: string, to: string) => ({ from: Date.parse(from), to: Date.parse(to) });
  const days = (interval: string, from: string, to: string, timeZone = 'UTC') =>
    intervals({ range: range(from, to), interval, timeZone }).starts.map((at) => new Date(at).toISOString().slice(0, 16));
  expect(days('P1W', '2026-11-18T12:00Z', '2026-11-24T00:00Z')).toEqual(['2026-11-16T00:00', '2026-11-23T00:00']);
  expect(days('P1M', '2026-01-31T00:00Z', '2026-03-02T00:00Z')).toEqual(['2026-01-01T00:00', '2026-02-01T00:00', '2026-03-01T00:00']);
  expect(days('PT90M', '2026-11-22T01:00Z', '2026-11-22T04:00Z')).toEqual(['2026-11-22T00:00', '2026-11-22T01:30', '2026-11-22T03:00']);
  expect(days('P1D', '2026-03-28T23:00Z', '2026-03-30T22:00Z', 'Europe/Vienna')).toEqual(['2026-03-28T23:00', '2026-03-29T22:00']);
  for (const interval of ['PT1S', 'P1D'])
    expect(() => intervals({ range: { from: 0, to: 1 }, interval, timeZone: 'Mars/Base' })).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT' }),
    );
});
