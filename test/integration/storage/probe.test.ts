import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClickHouse } from '../../../storage/clickhouse.ts';
import { probeTokens } from '../../../storage/probe.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';

let engine: TestEngine;
let database: TestDatabase;
beforeAll(async () => {
  engine = await startEngine();
  database = await freshDatabase(engine, { migrated: false });
});
afterAll(async () => {
  await database?.close();
  await engine?.stop();
});

test('a server that holds tokens passes, and no probe table stays', async () => {
  await probeTokens(database.clickhouse);
  expect(await database.clickhouse.rows('SELECT name FROM system.tables WHERE database = currentDatabase()')).toEqual([]);
});

test('a server that keeps no window is refused, and no probe table stays', async () => {
  const { clickhouse } = database;
  const forgetful: ClickHouse = {
    ...clickhouse,
    run: (sql, options) => clickhouse.run(sql.replace('window = 100000', 'window = 0'), options),
  };
  await expect(probeTokens(forgetful)).rejects.toMatchObject({ code: 'TOKENS_NOT_HELD' });
  expect(await clickhouse.rows('SELECT name FROM system.tables WHERE database = currentDatabase()')).toEqual([]);
});
