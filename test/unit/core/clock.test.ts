/** Waiting that can be ended. */
import { describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../../core/clock.ts';

describe('sleep', () => {
  it('waits as long as it is told', async () => {
    const startedAt = performance.now();
    await sleep(30);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(28);
  });

  it('ends at once, without an error, when it is told to or was told before', async () => {
    const control = new AbortController();
    const waiting = sleep(60_000, control.signal);
    control.abort();
    await expect(waiting).resolves.toBeUndefined();
    await expect(sleep(60_000, control.signal)).resolves.toBeUndefined();
  });
});

it('the clock of the system says milliseconds of today', () => {
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
});
