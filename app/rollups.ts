/** The job that keeps the rollups: woken by the clock, led by the ledger, one process at a time. */
import { startScheduler, type Scheduler } from '../alerts/scheduler.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import { openLease } from '../storage/lease.ts';
import { rollUp } from '../storage/rollups.ts';
import { holderName } from './stores.ts';
import { closedReader } from './watermark.ts';

/** Hours that got events since are read from the events: the job may come late, the answers are the same. */
const everySeconds = 10;

export function startRollups(clickhouse: ClickHouse, logger: Logger): Scheduler {
  const lease = openLease(clickhouse, { name: 'rollups', holder: holderName('rollups'), ttlMs: 30_000 });
  const closed = closedReader(clickhouse, systemClock);
  let stopping = false;
  const mayAct = async () => !stopping && (await lease.isHeld());
  const scheduler = startScheduler(
    async () => {
      const hours = await lease.during(() => rollUp({ clickhouse, closed, mayAct }));
      if (hours) logger.debug({ hours }, 'hours were summed up');
    },
    { job: 'rollups', everySeconds, logger },
  );
  return {
    async stop() {
      stopping = true;
      await scheduler.stop();
      // One that cannot be given back runs out.
      await lease.release().catch(() => {});
    },
  };
}
