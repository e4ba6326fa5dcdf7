/** For verbs that work on the stores: the ClickHouse that is configured or runs on the data folder, else an engine for as long as it takes. */
import { spawnEngine } from '../local/engine/spawn.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import type { Config } from './settings.ts';
import { assertMigrated } from './ingest.ts';
import { isEmbedded, openClickHouse } from './stores.ts';

export async function withClickHouse<Result>(config: Config, work: (clickhouse: ClickHouse) => Promise<Result>): Promise<Result> {
  const own = isEmbedded(config) && !(await engineAnswers(config)) ? await spawnEngine({ dataDir: config.dataDir }) : null;
  const clickhouse = openClickHouse(config, 'jobs');
  try {
    await assertMigrated(clickhouse);
    return await work(clickhouse);
  } finally {
    await clickhouse.close();
    await own?.stop();
  }
}

async function engineAnswers(config: Config): Promise<boolean> {
  const clickhouse = openClickHouse(config, 'jobs');
  return clickhouse.ping().finally(() => clickhouse.close());
}
