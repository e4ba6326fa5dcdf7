/** The start of a role that works on servers: tried until they answer, however long that takes. What no try can mend ends the process. */
import { AuditError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { untilItWorks } from '../core/retry.ts';
import { told } from './readiness.ts';
import { exitCodeOf } from './verb.ts';

export interface PatientStart {
  /** As `CODE: message`; null once the role has started. */
  waitsFor(): string | null;
  /** Resolves when the role has started, or the signal has aborted. */
  readonly over: Promise<void>;
}

interface Options {
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

export function startPatiently(start: () => Promise<void>, { signal, logger }: Options): PatientStart {
  let waitsFor: string | null = 'the start';

  async function begin(): Promise<void> {
    await start();
    waitsFor = null;
  }
  const onRetry = (error: unknown, attempt: number, waitMs: number) => {
    waitsFor = told(error);
    logger.warn({ attempt, waitMs: Math.round(waitMs), waitsFor }, 'waiting for what this role needs');
  };
  const over = untilItWorks(begin, { firstMs: 100, maxMs: 5_000, signal, onRetry }).catch((error: unknown) => {
    if (signal.aborted) return;
    if (!(error instanceof AuditError)) throw error;
    logger.error({ code: error.code }, error.message);
    process.exit(exitCodeOf(error));
  });
  return { waitsFor: () => waitsFor, over };
}
