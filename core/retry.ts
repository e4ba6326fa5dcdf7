/** Tries again what may heal by itself: exponential back-off with jitter, until it works or the signal aborts. */
import { sleep } from './clock.ts';
import { AuditError } from './errors.ts';

export interface RetryOptions {
  /** First wait, doubled each time up to `maxMs`. */
  readonly firstMs: number;
  readonly maxMs: number;
  readonly signal: AbortSignal;
  /** Told before each wait. */
  readonly onRetry?: (error: unknown, attempt: number, waitMs: number) => void;
}

/** @throws what `work` throws when it is not retryable, or once the signal aborts. */
export async function untilItWorks<Result>(work: () => Promise<Result>, options: RetryOptions): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (options.signal.aborted || !(error instanceof AuditError) || !error.retryable) throw error;
      // Jitter up to a quarter: many processes that lost the same server must not come back in one instant.
      const waitMs = Math.min(options.maxMs, options.firstMs * 2 ** (attempt - 1)) * (1 - Math.random() / 4);
      options.onRetry?.(error, attempt, waitMs);
      await sleep(waitMs, options.signal);
    }
  }
}
