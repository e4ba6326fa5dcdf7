import { expect, test } from 'vitest';
import { rangeIn } from '../../../app/time-range.ts';

const now = Date.parse('2026-11-22T12:00:00Z');

test('a range is instants with an offset or spans back from now; it ends now when nothing is said', () => {
  expect(rangeIn({ from: '2026-11-22T10:00:00+01:00', to: 'PT1H' }, now)).toEqual({ from: now - 3 * 3_600_000, to: now - 3_600_000 });
  expect(rangeIn({ from: '7d' }, now)).toEqual({ from: now - 7 * 86_400_000, to: now });
  expect(rangeIn({}, now)).toEqual({ from: 0, to: now });
});

test.each([{ from: 'yesterday' }, { from: '2026-11-22T10:00:00' }, { from: '1h', to: '2h' }, { from: '999999999999d' }])(
  '%j is refused',
  (flags) => {
    expect(() => rangeIn(flags, now)).toThrow(/--from/);
  },
);
