/** `gatetrail migrate [--dry-run]` */
import { untilItWorks } from '../../core/retry.ts';
import { migrate as apply, pendingMigrations } from '../../storage/migrate.ts';
import { told } from '../readiness.ts';
import { holderName, makeDatabase, openClickHouse } from '../stores.ts';
import { createLogger } from '../telemetry.ts';
import { configOf, print, type Verb } from '../verb.ts';

/** A database that is still starting is waited for. */
const waitMs = 60_000;

const migrate: Verb = {
  description: 'applies the migrations that the database lacks',
  options: { '--dry-run': 'only says which' },
  async run(flags) {
    const config = configOf(flags);
    const logger = createLogger(config.log.level, 'migrate');
    const clickhouse = openClickHouse(config, 'jobs');
    const onRetry = (error: unknown) => logger.warn({ waitsFor: told(error) }, 'waiting for the database, a minute at most');
    const retry = { firstMs: 200, maxMs: 2_000, signal: AbortSignal.timeout(waitMs), onRetry };
    try {
      await untilItWorks(() => makeDatabase(config, 'jobs'), retry);
      const names = await untilItWorks(
        () =>
          flags['dryRun'] === true
            ? pendingMigrations(clickhouse)
            : apply(clickhouse, { holder: holderName('migrate'), logger, durability: config.durability }),
        retry,
      );
      for (const name of names) print(flags['json'] === true ? { migration: name, applied: flags['dryRun'] !== true } : name);
    } finally {
      await clickhouse.close();
    }
  },
};
export default migrate;
