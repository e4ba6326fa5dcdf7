/** The job that keeps the rollups: woken by the clock, led by the ledger, one process at a time. */
import type { Scheduler } from '../alerts/scheduler.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import { rollUp } from '../storage/rollups.ts';
import { startJob } from './job.ts';
import { closedReader } from './watermark.ts';

/** Hours that got events since are read from the events: the job may come late, the answers are the same. */
const everySeconds = 10;

export function startRollups(clickhouse: ClickHouse, logger: Logger): Scheduler {
  const closed = closedReader(clickhouse, systemClock);
  return startJob({ name: 'rollups', everySeconds, clickhouse, logger }, ({ during, mayAct }) => async () => {
    const hours = await during(() => rollUp({ clickhouse, closed, mayAct }));
    if (hours) logger.debug({ hours }, 'hours were summed up');
  });
}
