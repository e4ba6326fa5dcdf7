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
