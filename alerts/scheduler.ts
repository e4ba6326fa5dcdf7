/** Ticks only wake: what is to be done follows from data. Cron in UTC, and a watchdog beside it for a cron that stopped. */
import { schedule } from 'node-cron';
import type { Logger } from '../core/logger.ts';
import { messageOf } from '../core/errors.ts';

export interface Scheduler {
  /** Resolves when a tick under way has ended. */
  stop(): Promise<void>;
}

export interface SchedulerOptions {
  /** Whose ticks these are, for the log. */
  readonly job: string;
  /** Divides a minute. */
  readonly everySeconds: number;
  readonly logger: Logger;
}

export function startScheduler(tick: () => Promise<void>, { job, everySeconds, logger }: SchedulerOptions): Scheduler {
  let running: Promise<void> | null = null;
  let lastWake = performance.now();
  const wake = () => {
    lastWake = performance.now();
    running ??= tick()
      .catch((error: unknown) => logger.error({ job, error: messageOf(error) }, 'a tick of a job failed and comes again'))
      .finally(() => {
        running = null;
      });
  };
  const task = schedule(`*/${everySeconds} * * * * *`, wake, { timezone: 'UTC' });
  const watchdog = setInterval(() => {
    if (performance.now() - lastWake > everySeconds * 2_500) wake();
  }, everySeconds * 1_000);
  wake();
  return {
    async stop() {
      clearInterval(watchdog);
      await task.destroy();
      await running;
    },
  };
}
