/** The retention job in this process: woken every minute (UTC), done by one process at a time. */
import { startScheduler, type Scheduler } from '../alerts/scheduler.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { createRetention } from '../ingest/retention.ts';
import { openBatchStore } from '../storage/batch-store.ts';
import { openLease } from '../storage/lease.ts';
import { openLedger } from '../storage/ledger.ts';
import { createDatabaseClock } from '../storage/positions.ts';
import type { Config } from './config.ts';
import { policyOf } from './policy.ts';
import { holderName, openClickHouse } from './stores.ts';

/** Also where nothing is configured: a floor from before may have rows that came late. */
export function startRetention(config: Config, logger: Logger): Scheduler {
  // Counting a large day takes longer than any other statement.
  const clickhouse = openClickHouse(config, 'jobs', { requestTimeoutMs: 600_000 });
  const control = new AbortController();
  const holder = holderName('retention');
  const lease = openLease(clickhouse, { name: 'retention', holder, ttlMs: 30_000 });
  const store = openBatchStore(clickhouse);
  const retention = createRetention({
    clickhouse,
    ledger: openLedger(clickhouse),
    store,
    clock: createDatabaseClock(store, systemClock),
    policy: policyOf(config),
    holder,
    logger,
    mayAct: () => lease.isHeld(),
    signal: control.signal,
  });
  const tick = async () => {
    if (!(await retention.isDue())) return;
    await lease.during(() => retention.run());
  };
  const scheduler = startScheduler(tick, { job: 'retention', everySeconds: 60, logger });
  return {
    async stop() {
      control.abort();
      await scheduler.stop();
      await clickhouse.close();
    },
  };
}
