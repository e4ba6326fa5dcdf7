/** Trying again: what may heal is tried until it works, what may not is told at once, and a stop ends the waiting. */
import { describe, expect, it } from 'vitest';
import { AuditError } from '../../../core/errors.ts';
import { untilItWorks } from '../../../core/retry.ts';

const away = () => new AuditError('BACKEND_UNAVAILABLE', 'no answer');

function failing(times: number, error: () => Error = away) {
  let calls = 0;
  return {
    calls: () => calls,
    work: async () => {
      calls += 1;
      if (calls <= times) throw error();
      return 'done';
    },
  };
}

const quick = (signal = new AbortController().signal) => ({ firstMs: 1, maxMs: 4, signal });

describe('work that fails', () => {
  it('is tried until it works', async () => {
    const { work, calls } = failing(3);
    expect(await untilItWorks(work, quick())).toBe('done');
    expect(calls()).toBe(4);
  });

  it('waits twice as long each time up to the most, less a quarter at most', async () => {
    const waits: number[] = [];
    const onRetry = (_error: unknown, attempt: number, waitMs: number) => void (waits[attempt - 1] = waitMs);
    await untilItWorks(failing(5).work, { ...quick(), onRetry });
    for (const [index, most] of [1, 2, 4, 4, 4].entries()) {
      expect(waits[index]).toBeLessThanOrEqual(most);
      expect(waits[index]).toBeGreaterThanOrEqual(most * 0.75);
    }
  });

  it.each([
    ['that trying again cannot mend', () => new AuditError('BACKEND_REFUSED', 'no')],
    ['that is not of the catalogue', () => new TypeError('a fault of ours')],
  ])('with an error %s is not tried again', async (_what, error) => {
    const { work, calls } = failing(1, error);
    await expect(untilItWorks(work, quick())).rejects.toThrow(error().message);
    expect(calls()).toBe(1);
  });

  it('ends with its last error when it is told to stop, also in the middle of a wait', async () => {
    const control = new AbortController();
    const { work, calls } = failing(99);
    const ended = untilItWorks(work, { firstMs: 60_000, maxMs: 60_000, signal: control.signal, onRetry: () => control.abort() });
    await expect(ended).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
    expect(calls()).toBe(2);
  });
});
