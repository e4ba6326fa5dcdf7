/**
 * The write protocol over shards, on the engine: two tables stand for the local tables of two shards, one for both is what
 * the Distributed twin is. What Keeper would do is left out: there is one copy of each table, which is always up to date.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ClickHouse, Cluster } from '../../../storage/clickhouse.ts';
import { createClosedReader } from '../../../storage/closed.ts';
import { systemClock } from '../../../core/clock.ts';
import { judge } from '../../../ingest/judge.ts';
import { readMigrations } from '../../../storage/migrate.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { assignmentOf, keyOf, rangeOf, writerOn } from '../../support/writer.ts';

let engine: TestEngine;
let database: TestDatabase;

beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine?.stop());
beforeEach(async () => {
  database = await freshDatabase(engine);
  const { clickhouse } = database;
  const create = (await readMigrations()).flatMap(({ statements }) => statements).find((sql) => sql.includes('EXISTS events (')) ?? '';
  await clickhouse.run('DROP TABLE events');
  for (const shard of [1, 2, 3]) await clickhouse.run(create.replace('EXISTS events (', `EXISTS events_${shard} (`));
  await clickhouse.run("CREATE TABLE events AS events_1 ENGINE = Merge(currentDatabase(), '^events_')");
  return () => database.close();
});

/** A client of a cluster with so many shards, all of which are this database. */
function clusterOf(shards: number): ClickHouse {
  const { clickhouse } = database;
  const nodeOf = (shard: number): ClickHouse => {
    const local = (sql: string) => sql.replaceAll('events_local', `events_${shard}`);
    return {
      ...clickhouse,
      rows: (sql, options) => clickhouse.rows(local(sql), options),
      run: async (sql, options) => (sql.startsWith('SYSTEM SYNC REPLICA') ? undefined : clickhouse.run(local(sql), options)),
      insertBlock: (table, block, options) => clickhouse.insertBlock(local(table), block, options),
    };
  };
  const cluster: Cluster = {
    name: 'c',
    shards: async () => shards,
    onShard: (shard, work) => work(nodeOf(shard)),
    assertUsable: async () => {},
    close: async () => {},
  };
  return { ...clickhouse, cluster };
}

const rowsOf = async (sql: string) => (await database.clickhouse.rows<{ row: string }>(`SELECT toString(${sql}`)).map(({ row }) => row);
const stored = () =>
  rowsOf("(_table, kafka_partition, count())) AS row FROM events WHERE _table != '' GROUP BY _table, kafka_partition ORDER BY row");

async function store(clickhouse: ClickHouse, partition: number, first = 0) {
  const writer = writerOn(clickhouse);
  const batch = writer.maker.make(keyOf(partition), rangeOf(first, ['/a', 'bad', '/b']), Date.now());
  return writer.write(assignmentOf(keyOf(partition)), batch, 1);
}

test('a batch is stored whole on the shard of its partition, and its claim says on which', async () => {
  const clickhouse = clusterOf(2);
  for (const partition of [0, 1, 2, 3]) expect((await store(clickhouse, partition)).kind).toBe('stored');
  const places = await stored();
  expect(places).toHaveLength(4);
  const shards = places.map((place) => Number(/events_(\d)/.exec(place)?.[1]));
  expect(shards.filter((shard) => shard === 1)).toHaveLength(2);
  const claimed = await rowsOf("(concat('events_', toString(shard)), kafka_partition, events)) AS row FROM batches ORDER BY row");
  expect(claimed).toEqual(places);
});

test('a batch that was claimed when there were fewer shards is completed where its claim says', async () => {
  for (const partition of [0, 1, 2, 3, 4, 5]) {
    const early = writerOn(clusterOf(2));
    const key = keyOf(partition);
    const batch = early.maker.make(key, rangeOf(0, ['/a']), Date.now());
    const { counts } = batch;
    const claim = { ...counts, note: '', settled: false, attempt: 0, writer: 'dead', revision: 0, sequence: 1 };
    await early.ledger.insertClaim(key, claim, `${partition}`);
    const late = writerOn(clusterOf(3));
    const open = await late.ledger.tail(key);
    if (open === null) throw new Error('a claim was to be there');
    await late.complete(assignmentOf(key), open, late.maker.make(key, rangeOf(0, ['/a']), open.receivedAt));
    expect(await late.isComplete(key, open)).toBe(true);
  }
  expect((await stored()).filter((place) => place.includes('events_3'))).toEqual([]);
});

test('a batch is closed for its readers once it reads back from its shard, and no event stands beyond it', async () => {
  const clickhouse = clusterOf(2);
  await store(clickhouse, 0);
  await store(clickhouse, 1);
  const { ledger, store: batches } = writerOn(clickhouse);
  const holds: Parameters<typeof createClosedReader>[1]['holds'] = (claim, found) => judge(claim, found).kind === 'complete';
  const { partitions } = await createClosedReader(clickhouse, { store: batches, clock: systemClock, holds }).read();
  expect(partitions.map(({ position, isOpen }) => ({ position, isOpen }))).toEqual([
    { position: 3, isOpen: false },
    { position: 3, isOpen: false },
  ]);
  const tail = await ledger.tail(keyOf(0));
  if (tail === null) throw new Error('a claim was to be there');
  expect(await batches.hasEventsBeyond(keyOf(0), tail)).toBe(false);
});

test('what the table would refuse is found out beside it, on a table of one node', async () => {
  const writer = writerOn(clusterOf(2));
  const early = writer.maker.make(keyOf(), rangeOf(0, ['/a']), Date.now());
  expect(await writer.store.accepts(early.encode(0))).toBe(true);
  expect(await writer.store.accepts(Buffer.from('no block'))).toBe(false);
  // Keys are of no account here, constraints are: a block that breaks one must be refused here too.
  const [row] = await database.clickhouse.rows<{ engine: string; sql: string }>(
    "SELECT engine, create_table_query AS sql FROM system.tables WHERE database = currentDatabase() AND name = 'refused_events'",
  );
  expect(row?.engine).toBe('MergeTree');
  expect(row?.sql).toContain('CONSTRAINT timestamp_is_not_ahead_of_arrival CHECK');
});
