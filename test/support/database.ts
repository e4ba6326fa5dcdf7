/** A fresh database on the test's engine, with the product's migrations applied, and a client of it. */
import { silentLogger } from '../../core/logger.ts';
import { connect, type ClickHouse } from '../../storage/clickhouse.ts';
import { migrate } from '../../storage/migrate.ts';
import type { TestEngine } from './engine.ts';

export interface TestDatabase {
  readonly name: string;
  readonly clickhouse: ClickHouse;
  close(): Promise<void>;
}

export async function freshDatabase(
  engine: TestEngine,
  options: { migrated?: boolean; requestTimeoutMs?: number } = {},
): Promise<TestDatabase> {
  const name = await engine.createDatabase();
  const clickhouse = connect({
    url: engine.url,
    user: engine.user,
    password: engine.password,
    database: name,
    ...(options.requestTimeoutMs !== undefined && { requestTimeoutMs: options.requestTimeoutMs }),
  });
  if (options.migrated !== false) await migrate(clickhouse, { holder: 'test', logger: silentLogger });
  return { name, clickhouse, close: () => clickhouse.close() };
}

/** Without its rows, much sooner than a fresh one. Deduplication tokens stay: what is written then must be of another log. */
export async function emptied(clickhouse: ClickHouse): Promise<void> {
  const tables = await clickhouse.rows<{ name: string }>(
    "SELECT name FROM system.tables WHERE database = currentDatabase() AND name != 'schema_migrations' AND engine LIKE '%MergeTree'",
  );
  for (const { name } of tables) await clickhouse.run('TRUNCATE TABLE {name:Identifier}', { parameters: { name } });
}
