/** How a process ends: politely on a signal, at once on the second, and always when its supervisor is gone. */
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';

const graceMs = 5_000;

/** Calls `stop` once, on SIGINT, SIGTERM or the end of the channel to the supervisor; ends the process whatever comes. */
export function endWith(stop: () => Promise<void>, logger: Logger): void {
  let isStopping = false;
  const end = (why: string, limitMs: number) => {
    if (isStopping) process.exit(1);
    isStopping = true;
    logger.info({ why }, 'stopping');
    setTimeout(() => process.exit(1), limitMs).unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ error: messageOf(error) }, 'did not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => end('SIGTERM', graceMs));
  process.on('SIGINT', () => {
    // Under a supervisor Ctrl-C reaches every process of the terminal; the supervisor says when to end.
    if (!process.connected) end('SIGINT', graceMs);
  });
  process.on('message', (message) => {
    if (message === 'stop') end('the supervisor', graceMs);
  });
  process.on('disconnect', () => end('the supervisor is gone', 1_500));
}

/** What nobody expected ends the process: a fresh one goes on from the ledger. */
export function crashOnUnknown(logger: Logger): void {
  const crash = (error: unknown) => {
    logger.error({ err: error }, 'an unknown fault; the process ends');
    process.exit(1);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
}
