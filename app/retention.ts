/** The retention job in this process: woken every minute (UTC), done by one process at a time. */
import type { Scheduler } from '../alerts/scheduler.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { createRetention } from '../ingest/retention.ts';
import { openBatchStore } from '../storage/batch-store.ts';
import { openKept } from '../storage/kept-bytes.ts';
import { openLedger } from '../storage/ledger.ts';
import { createDatabaseClock } from '../storage/positions.ts';
import type { Config } from './settings.ts';
import { startJob } from './job.ts';
import { policyOf } from './policy.ts';
import { openClickHouse } from './stores.ts';

/** Also where nothing is configured: a floor from before may have rows that came late. */
export function startRetention(config: Config, logger: Logger): Scheduler {
  // Counting a large day takes longer than any other statement.
  const clickhouse = openClickHouse(config, 'jobs', { requestTimeoutMs: 600_000 });
  const store = openBatchStore(clickhouse);
  const job = startJob({ name: 'retention', everySeconds: 60, clickhouse, logger }, ({ during, ...turn }) => {
    const clock = createDatabaseClock(store, systemClock);
    const retention = createRetention({
      ...turn,
      clickhouse,
      ledger: openLedger(clickhouse),
      store,
      clock,
      policy: policyOf(config),
      logger,
    });
    const kept = openKept(clickhouse);
    return async () => {
      if (await retention.isDue()) await during(() => retention.run());
      await kept.dropBefore(clock.now() - bytesKeptMs(config));
    };
  });
  return {
    async stop() {
      await job.stop();
      await clickhouse.close();
    },
  };
}

/** Never longer than the dead letters of any tenant. */
function bytesKeptMs(config: Config): number {
  const { classes, defaultMs } = policyOf(config);
  return Math.min(config.deadLetters.keep, defaultMs, ...classes.map(({ keepMs }) => keepMs));
}
