import { expect, test } from 'vitest';
import { intervals } from '../../../query/intervals.ts';

const range = { from: Date.parse('2026-03-28T12:00:00Z'), to: Date.parse('2026-03-30T12:00:00Z') };
const startsOf = (interval: string, timeZone: string) =>
  intervals({ range, interval, timeZone }).starts.map((at) => new Date(at).toISOString().slice(0, 16));

test('days follow the clocks of the zone, the short one of spring too', () => {
  expect(startsOf('P1D', 'Europe/Vienna')).toEqual(['2026-03-27T23:00', '2026-03-28T23:00', '2026-03-29T22:00']);
  expect(startsOf('P1D', 'UTC')).toEqual(['2026-03-28T00:00', '2026-03-29T00:00', '2026-03-30T00:00']);
});

test('a zone that is none is refused, whatever the interval', () => {
  for (const interval of ['P1D', 'PT1H'])
    expect(() => startsOf(interval, 'Mars/Olympus')).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
});
