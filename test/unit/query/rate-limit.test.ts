import { describe, expect, test } from 'vitest';
import { createRateLimit } from '../../../query/rate-limit.ts';

function limited(perMinute: number) {
  let at = 1_000_000;
  const ask = createRateLimit(perMinute, { now: () => at });
  return { ask, pass: (ms: number) => (at += ms) };
}

describe('a key that asks', () => {
  test('as often as it may is not held up, one time more is told when to come again', () => {
    const { ask } = limited(60);
    for (let time = 0; time < 60; time += 1) ask('a');
    expect(() => ask('a')).toThrow(expect.objectContaining({ code: 'RATE_LIMITED', facts: { retryAfterMs: 1_000 } }));
  });

  test('again after that time is answered once, and not twice', () => {
    const { ask, pass } = limited(60);
    for (let time = 0; time < 60; time += 1) ask('a');
    pass(1_000);
    ask('a');
    expect(() => ask('a')).toThrow();
  });

  test('too often does not hold up another key', () => {
    const { ask } = limited(1);
    ask('a');
    expect(() => ask('a')).toThrow();
    ask('b');
  });

  test('is not punished for a clock that is put back', () => {
    const { ask, pass } = limited(2);
    ask('a');
    pass(-3_600_000);
    ask('a');
    pass(60_000);
    ask('a');
  });
});
