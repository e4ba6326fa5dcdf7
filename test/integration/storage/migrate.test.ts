import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../core/logger.ts';
import { eventFields, storageFields } from '../../../schemas/event.ts';
import { openLease } from '../../../storage/lease.ts';
import { migrate, migrationsFolder, pendingMigrations } from '../../../storage/migrate.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';

let engine: TestEngine;
let database: TestDatabase;
let folder: string;

beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine?.stop());
beforeEach(async () => {
  database = await freshDatabase(engine, { migrated: false });
  folder = mkdtempSync(join(tmpdir(), 'gatetrail-migrations-'));
  cpSync(migrationsFolder, folder, { recursive: true });
  return async () => {
    await database.close();
    rmSync(folder, { recursive: true });
  };
});

const run = (holder = 'a') => migrate(database.clickhouse, { holder, logger: silentLogger, folder });
const tables = async () =>
  (await database.clickhouse.rows<{ name: string }>('SELECT name FROM system.tables WHERE database = currentDatabase()')).map(
    ({ name }) => name,
  );

describe('migrations', () => {
  test('make every table once; a second run has nothing to do', async () => {
    expect(await pendingMigrations(database.clickhouse, folder)).toContain('0001_storage');
    expect(await run()).toContain('0001_storage');
    expect(await tables()).toEqual(
      expect.arrayContaining(['events', 'batches', 'dead_letters', 'retention_floor', 'leases', 'schema_migrations']),
    );
    expect(await run()).toEqual([]);
    expect(await pendingMigrations(database.clickhouse, folder)).toEqual([]);
  });

  test('are all missing where the database itself is', async () => {
    await database.clickhouse.run('DROP DATABASE {name:Identifier}', { parameters: { name: database.name } });
    expect(await pendingMigrations(database.clickhouse, folder)).toContain('0001_storage');
  });

  test('are applied by one of many processes that start together; the others wait for it', async () => {
    const applied = await Promise.all(['a', 'b', 'c', 'd'].map((holder) => run(holder)));
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
  });

  test('go on after a crash in the middle of a file', async () => {
    writeFileSync(
      join(folder, '9000_broken.sql'),
      'CREATE TABLE IF NOT EXISTS half (a Int8) ENGINE = MergeTree ORDER BY a;\nCREATE NONSENSE;\n',
    );
    await expect(run()).rejects.toMatchObject({ code: 'BACKEND_REFUSED' });
    writeFileSync(join(folder, '9000_broken.sql'), 'CREATE TABLE IF NOT EXISTS half (a Int8) ENGINE = MergeTree ORDER BY a;\n');
    expect(await run()).toEqual(['9000_broken']);
  });

  test('that were changed after they were applied stop the start', async () => {
    await run();
    writeFileSync(join(folder, '0001_storage.sql'), '-- changed\nSELECT 1;\n');
    await expect(run()).rejects.toMatchObject({ code: 'MIGRATION_CHANGED', message: expect.stringContaining('0001_storage') });
  });

  test('of a newer version stop the start', async () => {
    writeFileSync(join(folder, '9001_future.sql'), 'SELECT 1;\n');
    await run();
    rmSync(join(folder, '9001_future.sql'));
    await expect(run()).rejects.toMatchObject({ code: 'SCHEMA_TOO_NEW', message: expect.stringContaining('9001_future') });
  });

  test('give events exactly the columns of the canonical event', async () => {
    await run();
    const columns = await database.clickhouse.rows<{ name: string; type: string }>(
      "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = 'events' ORDER BY position",
    );
    expect(columns).toEqual(Object.entries({ ...storageFields, ...eventFields }).map(([name, { column }]) => ({ name, type: column })));
  });

  test('give every table that takes tokens a window of 100,000', async () => {
    await run();
    for (const table of ['events', 'batches', 'leases', 'retention_floor']) {
      const [row] = await database.clickhouse.rows<{ ddl: string }>(
        'SELECT create_table_query AS ddl FROM system.tables WHERE database = currentDatabase() AND name = {table:String}',
        {
          parameters: { table },
        },
      );
      expect(row?.ddl).toContain('non_replicated_deduplication_window = 100000');
    }
  });
});

describe('a lease', () => {
  const lease = (holder: string, ttlMs = 60_000) => openLease(database.clickhouse, { name: 'scheduler', holder, ttlMs });
  beforeEach(() => run().then(() => {}));

  test('has one holder of many that ask at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const holders = ['a', 'b', 'c', 'd', 'e'].map((holder) => lease(`${round}${holder}`));
      const won = await Promise.all(holders.map((each) => each.acquire()));
      expect(won.filter(Boolean)).toHaveLength(1);
      await holders[won.indexOf(true)]?.release();
    }
  });

  test('is kept by renewing, and refused to others meanwhile', async () => {
    const [mine, theirs] = [lease('a'), lease('b')];
    expect([await mine.acquire(), await theirs.acquire(), await mine.acquire(), await mine.isHeld(), await theirs.isHeld()]).toEqual([
      true,
      false,
      true,
      true,
      false,
    ]);
  });

  test('goes to another once it has expired; the old holder sees it', async () => {
    const old = lease('a', 1_500);
    expect(await old.acquire()).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    expect(await old.isHeld()).toBe(false);
    expect(await lease('b').acquire()).toBe(true);
    expect(await old.acquire()).toBe(false);
  });

  test('is renewed beside work that takes longer than it lasts, and not after it', async () => {
    const [mine, theirs] = [lease('a', 1_500), lease('b')];
    const held = await mine.during(async () => {
      await new Promise((resolve) => setTimeout(resolve, 3_500));
      expect(await theirs.during(async () => 'theirs')).toBeNull();
      return mine.isHeld();
    });
    expect(held).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    expect(await theirs.acquire()).toBe(true);
  });

  test('is free at once after a release', async () => {
    const mine = lease('a');
    await mine.acquire();
    await mine.release();
    expect(await mine.isHeld()).toBe(false);
    expect(await lease('b').acquire()).toBe(true);
  });

  test('skips an epoch whose token was burnt', async () => {
    const burnt = {
      async_insert: 0,
      insert_deduplicate: 1,
      deduplicate_insert_select: 'force_enable',
      insert_deduplication_token: 'lease:scheduler:1',
    };
    await database.clickhouse.run("INSERT INTO leases SELECT 'other', 1, 'x', now64(3)", { settings: burnt });
    expect(await lease('a').acquire()).toBe(true);
    const [row] = await database.clickhouse.rows<{ epoch: string }>("SELECT max(epoch) AS epoch FROM leases WHERE name = 'scheduler'");
    expect(row?.epoch).toBe('2');
  });
});
