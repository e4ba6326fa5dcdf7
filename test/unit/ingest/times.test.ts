/** A written time is the instant that a calendar gives it, and what no calendar has is refused. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReadFailure } from '../../../ingest/gateway.ts';
import { clfMicros, isoMicros } from '../../../ingest/times.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const instants = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2100, 0, 1) });
const offsets = fc.integer({ min: -14 * 60, max: 14 * 60 });
const two = (value: number) => String(value).padStart(2, '0');
const offsetOf = (minutes: number, colon: string) =>
  `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}${colon}${two(Math.abs(minutes) % 60)}`;

describe('ISO 8601', () => {
  test('in any zone is the instant that Date reads', () => {
    const times = fc.property(instants, offsets, fc.constantFrom(':', ''), fc.constantFrom('T', ' ', 't'), (ms, minutes, colon, mark) => {
      const local = new Date(ms + minutes * 60_000).toISOString();
      const text = `${local.slice(0, 10)}${mark}${local.slice(11, 23)}${offsetOf(minutes, colon)}`;
      expect(isoMicros(text, '$.t')).toBe(ms * 1000);
    });
    fc.assert(times, { numRuns: 2_000 });
  });

  test.each([
    ['2026-11-24T11:00:00Z', '2026-11-24T11:00:00.000Z', 0],
    ['2026-11-24T11:00:00.1Z', '2026-11-24T11:00:00.100Z', 0],
    ['2026-11-24T11:00:00.123456Z', '2026-11-24T11:00:00.123Z', 456],
    ['2026-11-24T11:00:00.123456789z', '2026-11-24T11:00:00.123Z', 456],
    ['2026-11-24 11:00:00,5+00:00', '2026-11-24T11:00:00.500Z', 0],
    ['2024-02-29T23:59:59Z', '2024-02-29T23:59:59.000Z', 0],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z', 0],
    ['1969-12-31T23:59:59.5Z', '1969-12-31T23:59:59.500Z', 0],
  ])('%s', (text, iso, micros) => expect(isoMicros(text, '$.t')).toBe(Date.parse(iso) * 1000 + micros));

  test('without a zone is a time of the zone of the source', () => {
    expect(isoMicros('2026-07-01T12:00:00', '$.t', 'Europe/Vienna')).toBe(Date.UTC(2026, 6, 1, 10) * 1000);
    expect(isoMicros('2026-12-01T12:00:00.25', '$.t', 'Europe/Vienna')).toBe(Date.UTC(2026, 11, 1, 11, 0, 0, 250) * 1000);
    expect(() => isoMicros('2026-07-01T12:00:00', '$.t')).toThrow(ReadFailure);
  });

  test.each([
    ['Europe/Berlin', '2026-10-25T02:30:00', '2026-10-25T00:30:00Z'],
    ['Europe/London', '2026-10-25T01:30:00', '2026-10-25T00:30:00Z'],
    ['Australia/Sydney', '2026-04-05T02:30:00', '2026-04-04T15:30:00Z'],
    ['America/New_York', '2026-11-01T01:30:00', '2026-11-01T05:30:00Z'],
  ])('that clocks of %s show twice, %s, is the earlier of the two', (zone, text, iso) =>
    expect(isoMicros(text, '$.t', zone)).toBe(Date.parse(iso) * 1000),
  );

  test.each([
    ['Europe/Berlin', '2026-03-29T02:30:00', '2026-03-29T01:30:00Z'],
    ['America/New_York', '2026-03-08T02:30:00', '2026-03-08T07:30:00Z'],
  ])('that clocks of %s leap over, %s, is that of a clock that did not', (zone, text, iso) =>
    expect(isoMicros(text, '$.t', zone)).toBe(Date.parse(iso) * 1000),
  );

  test.each(['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'America/St_Johns'])(
    'is an instant at which a clock of %s shows it, and never the later of two',
    (zone) => {
      const shown = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
      for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2027, 0, 1); at += 7_200_000) {
        const text = shown.format(at);
        const read = isoMicros(text, '$.t', zone) / 1000;
        expect([shown.format(read), read <= at]).toEqual([text, true]);
      }
    },
  );
});

describe('a time of a common log line', () => {
  test('is the instant that Date reads', () => {
    const times = fc.property(instants, offsets, (ms, minutes) => {
      const local = new Date(ms + minutes * 60_000);
      const day = `${two(local.getUTCDate())}/${months[local.getUTCMonth()]}/${local.getUTCFullYear()}`;
      const text = `${day}:${local.toISOString().slice(11, 23)} ${offsetOf(minutes, '')}`;
      expect(clfMicros(text, '$.t')).toBe(ms * 1000);
    });
    fc.assert(times, { numRuns: 2_000 });
  });
});

const noTimes = [
  '2026-02-29T10:00:00Z', // no leap year
  '1900-02-29T10:00:00Z',
  '2026-04-31T10:00:00Z',
  '2026-13-01T10:00:00Z',
  '2026-00-10T10:00:00Z',
  '2026-11-00T10:00:00Z',
  '2026-11-24T24:00:00Z',
  '2026-11-24T10:60:00Z',
  '2026-11-24T10:00:60Z',
  '2026-11-24T10:00:00.Z',
  '2026-11-24T10:00:00+1',
  '2026-11-24T10:00:00+01:0',
  '2026-11-24T10:00:00+0160',
  '2026-11-24T10:00:00Zulu',
  '2026-11-24T10:00Z',
  '2026-11-24',
  '2026/11/24T10:00:00Z',
  '24/Nov/2026:11:00:00',
  '24/nov/2026:11:00:00 +0000',
  '31/Nov/2026:11:00:00 +0000',
  '24/Nov/2026 11:00:00 +0000',
  '24/Nov/2026:11:00:00 0000',
  'x',
];

test.each(noTimes)('%s is refused', (text) => {
  expect(() => isoMicros(text, '$.t')).toThrow(expect.objectContaining({ code: 'BAD_TIME', path: '$.t' }));
  expect(() => clfMicros(text, '$.t')).toThrow(expect.objectContaining({ code: 'BAD_TIME', path: '$.t' }));
});

test.each([undefined, null, ''])('%j is an absent one', (value) =>
  expect(() => isoMicros(value, '$.t')).toThrow(expect.objectContaining({ code: 'MISSING_TIME' })),
);
