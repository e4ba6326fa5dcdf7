/** Spans of time as people write them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../../core/duration.ts';

describe('a span is read', () => {
  it.each<[string, number]>([
    ['PT5M', 300_000],
    ['P7D', 604_800_000],
    ['P1W', 604_800_000],
    ['P1DT2H3M4S', 93_784_000],
    ['PT0.5S', 500],
    ['PT0S', 0],
    ['P1M', 30 * 86_400_000],
    ['P1Y', 365 * 86_400_000],
    ['-PT1M', -60_000],
    ['250ms', 250],
    ['90s', 90_000],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
  ])('%s', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each([
    '',
    '5',
    'm',
    '5 m',
    '5M',
    '1.5h',
    '-5m',
    'five minutes',
    'P',
    'PT',
    '5m5s',
    'PT5M and more',
    'in PT5M',
    'PT5M ',
    'PT5H3',
    'P1DT',
  ])('%j is none', (text) => expect(parseDuration(text)).toBeNull());
});

describe('a span is written', () => {
  it.each<[number, string]>([
    [0, 'PT0S'],
    [500, 'PT0.5S'],
    [60_000, 'PT1M'],
    [300_000, 'PT5M'],
    [86_400_000, 'P1D'],
    [604_800_000, 'P7D'],
    [93_784_000, 'P1DT2H3M4S'],
  ])('%d as %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it('so that it is read as the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (ms) => Math.abs((parseDuration(formatDuration(ms)) ?? Number.NaN) - ms) < 0.001),
    );
  });
});
