/** The retention job on the real engine: what goes, what stays, what is on record, and what nobody brings back. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../core/logger.ts';
import type { RetentionOptions, RetentionStep } from '../../ingest/retention.ts';
import { defaultLimits, type PartitionOptions } from '../../ingest/life.ts';
import { runPartition } from '../../ingest/partition.ts';
import { openLease } from '../../storage/lease.ts';
import { claimToken } from '../../storage/ledger.ts';
import { findDrift } from '../../storage/rollup-drift.ts';
import { rebuild } from '../../storage/rollups.ts';
import { startApi } from '../support/api.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { memoryPartition } from '../support/partition.ts';
import { dayMs, policy, retentionAt } from '../support/retention.ts';
import { sqlRows, sqlText } from '../support/sql.ts';
import { assignmentOf, keyOf, rangeOf, type TestWriter, writerOn } from '../support/writer.ts';

let engine: TestEngine;
let database: TestDatabase;
let writer: TestWriter;
/** Each test has a topic and days of its own, later than those before it: one database serves all, and its floor only rises. */
let topic = '';
let day = Date.parse('2026-11-22T10:00:00Z');
let midnight = 0;
const on = (at: number) => new Date(at).toISOString().slice(0, 10);
async function nextTopic(): Promise<void> {
  for (const table of ['events', 'dead_letters']) await database.clickhouse.run(`TRUNCATE TABLE ${table}`);
  topic = `gw${day}`;
  day += 2_000 * dayMs;
  midnight = day + 14 * 3_600_000;
}
/** Of offset N is the tenant t(N % 3). */
const short = policy(400, { trial: { tenants: ['t1'], days: 1 } });

beforeAll(async () => {
  engine = await startEngine();
  database = await freshDatabase(engine);
  writer = writerOn(database.clickhouse);
  await sqlText(
    engine,
    'ALTER TABLE events ADD PROJECTION by_tenant (SELECT topic, tenant, count() GROUP BY topic, tenant)',
    database.name,
  );
});
afterAll(async () => {
  await database?.close();
  await engine?.stop();
});
beforeEach(nextTopic);

const sql = <Row>(statement: string) => sqlRows<Row>(engine, statement, database.name);
const offsets = async () =>
  (await sql<{ at: string }>(`SELECT kafka_offset AS at FROM events WHERE topic = '${topic}' AND tenant != '' ORDER BY at`)).map(({ at }) =>
    Number(at),
  );
const letters = async () =>
  (await sql<{ at: string }>(`SELECT kafka_offset AS at FROM dead_letters FINAL WHERE topic = '${topic}' ORDER BY at`)).map(({ at }) =>
    Number(at),
  );
const removals = () =>
  sql<object>(
    `SELECT kind, class, policy, toInt32(sum(rows)) AS n, arraySort(groupUniqArrayArray(tenants)) AS tenants FROM removals FINAL WHERE topic = '${topic}' GROUP BY kind, class, policy ORDER BY kind DESC, class`,
  );
const claims = () =>
  sql<Record<string, unknown>>(
    `SELECT toInt32(first_offset) AS first, revision, settled, gap_reason FROM batches WHERE topic = '${topic}' AND first_offset >= 0 ORDER BY first, revision`,
  );

async function store(first: number, values: readonly string[], at = day, partition = 0) {
  const batch = writer.maker.make(keyOf(partition, topic), rangeOf(first, values), at);
  const outcome = await writer.write(assignmentOf(keyOf(partition, topic)), batch, first + 1);
  expect(outcome.kind).toBe('stored');
  return { batch, token: claimToken(keyOf(partition, topic), first) };
}

/** The loop of a writer that is assigned the partition anew, over a log that still has everything, to its end. */
async function follow(values: readonly string[], more: Partial<PartitionOptions> = {}): Promise<void> {
  const { ledger, store: own, maker, ...one } = writerOn(database.clickhouse);
  const log = memoryPartition(topic);
  log.append(values);
  log.revokeAtEnd();
  await runPartition(log, {
    logId: 'log',
    start: 'earliest',
    limits: { ...defaultLimits, ms: 50 },
    ledger,
    store: own,
    maker,
    writer: one,
    databaseClock: { now: () => day + 2 * dayMs },
    logger: silentLogger,
    onStored: () => {},
    onStopped: (_, error) => {
      throw error;
    },
    ...more,
  });
}

describe('the longest class', () => {
  test('goes by whole days of UTC: at midnight, not a moment before, and what arrived at midnight stays', async () => {
    await store(0, ['/a', '/b'], midnight - 1);
    await store(2, ['/c'], midnight);
    await retentionAt(database.clickhouse, midnight + dayMs - 1, { policy: policy(1) }).run();
    expect(await offsets()).toEqual([0, 1, 2]);
    expect(await retentionAt(database.clickhouse, midnight + dayMs - 1, { policy: policy(1) }).isDue()).toBe(false);
    await retentionAt(database.clickhouse, midnight + dayMs, { policy: policy(1) }).run();
    expect(await offsets()).toEqual([2]);
    expect(await removals()).toEqual([{ kind: 'events', class: '', policy: 'default P1D', n: 2, tenants: ['t0', 't1'] }]);
    expect(await sql(`SELECT set_by FROM retention_floor WHERE toDate(floor) = '${on(midnight)}'`)).toEqual([{ set_by: 'test' }]);
  });

  test('takes the dead letters of its days too', async () => {
    await store(0, ['bad', '/b']);
    await store(2, ['bad', '/c'], midnight);
    await retentionAt(database.clickhouse, midnight + dayMs, { policy: policy(1) }).run();
    expect([await offsets(), await letters()]).toEqual([[3], [2]]);
    expect(await removals()).toContainEqual({ kind: 'dead_letters', class: '', policy: 'default P1D', n: 1, tenants: ['t'] });
  });

  test('for ever removes nothing, and a class that stays longer than the default keeps the days', async () => {
    await store(0, ['/a', '/b', '/c']);
    await retentionAt(database.clickhouse, day + 900 * dayMs, { policy: { defaultMs: Infinity, classes: [] } }).run();
    expect(await offsets()).toEqual([0, 1, 2]);
    await retentionAt(database.clickhouse, day + 100 * dayMs, { policy: policy(30, { pci: { tenants: ['t1'], days: 400 } }) }).run();
    expect(await offsets()).toEqual([1]);
    expect(await sql(`SELECT count() AS n FROM retention_floor WHERE toDate(floor) > '${on(day)}'`)).toEqual([{ n: 0 }]);
    expect(await removals()).toEqual([{ kind: 'events', class: 'default', policy: 'default P30D', n: 2, tenants: ['t0', 't2'] }]);
  });

  test('leaves an idle partition where it was: it goes on after its last claim, without a gap', async () => {
    const log = ['/0', 'bad', '/2'];
    await store(0, log);
    await retentionAt(database.clickhouse, day + 2 * dayMs, { policy: policy(1) }).run();
    await follow([...log, '/3']);
    expect(await offsets()).toEqual([3]);
    expect(await claims()).toEqual([
      { first: 0, revision: 0, settled: 0, gap_reason: '' },
      { first: 3, revision: 0, settled: 0, gap_reason: '' },
    ]);
  });
});

describe('a class that is kept shorter', () => {
  const values = ['/0', '/1', '/2', '/3', '/4', '/5'];
  const run = (now = day + 2 * dayMs) => retentionAt(database.clickhouse, now, { policy: short }).run();

  test('loses its rows of the days that are due; other tenants, other days and projections stay right', async () => {
    await store(0, values);
    await store(6, ['/6', '/7'], midnight + dayMs);
    await run();
    expect(await offsets()).toEqual([0, 2, 3, 5, 6, 7]);
    const counts = (projections: number) =>
      sql(
        `SELECT tenant, toInt32(count()) AS n FROM events WHERE topic = '${topic}' GROUP BY topic, tenant ORDER BY tenant SETTINGS optimize_use_projections = ${projections}`,
      );
    expect(await counts(1)).toEqual([
      { tenant: 't0', n: 3 },
      { tenant: 't1', n: 1 },
      { tenant: 't2', n: 2 },
    ]);
    expect(await counts(1)).toEqual(await counts(0));
    expect(await removals()).toEqual([{ kind: 'events', class: 'trial', policy: 'trial P1D', n: 2, tenants: ['t1'] }]);
    expect(await claims()).toMatchObject([
      { first: 0, settled: 0 },
      { first: 6, settled: 0 },
    ]);
  });

  test('settles the newest claim first; it is never read back again, the partition goes on, and reading all again brings nothing back', async () => {
    await store(0, values);
    await run();
    expect(await claims()).toEqual([
      { first: 0, revision: 0, settled: 0, gap_reason: '' },
      { first: 0, revision: 1, settled: 1, gap_reason: '' },
    ]);
    const readBack: number[] = [];
    const own = {
      ...writer.store,
      async found(...[key, claim]: Parameters<typeof writer.store.found>) {
        readBack.push(claim.firstOffset);
        return writer.store.found(key, claim);
      },
    };
    await follow([...values, '/6'], { store: own, writer: writerOn(database.clickhouse, { store: own }) });
    expect(readBack).not.toContain(0);
    expect(await offsets()).toEqual([0, 2, 3, 5, 6]);
    expect((await claims()).map(({ gap_reason }) => gap_reason)).toEqual(['', '', '']);
  });

  test('does not come back by a late copy of the batch, nor of one that was all its own', async () => {
    const mixed = await store(0, values);
    const own = await store(7, ['/7'], day, 1);
    await run();
    expect(await offsets()).toEqual([0, 2, 3, 5]);
    await writer.store.insertEvents(mixed.batch.encode(0), mixed.token);
    await writer.store.insertEvents(own.batch.encode(0), own.token);
    expect(await offsets()).toEqual([0, 2, 3, 5]);
    const [table] = await sql<{ ddl: string }>(
      "SELECT create_table_query AS ddl FROM system.tables WHERE database = currentDatabase() AND name = 'events'",
    );
    expect(table?.ddl).toContain('remove_empty_parts = 0');
  });

  test('waits for a day in which a batch is not stored yet, and takes it once it is', async () => {
    await store(0, values);
    await store(0, ['/0', '/1', '/2'], day - dayMs, 1);
    const batch = writer.maker.make(keyOf(0, topic), rangeOf(6, ['/6', '/7']), day);
    const claim = { ...batch.counts, note: '', settled: false, attempt: 0, writer: 'dead', revision: 0, sequence: 7 };
    await writer.ledger.insertClaim(keyOf(0, topic), claim, claimToken(keyOf(0, topic), 6));
    await run();
    expect(await offsets()).toEqual([0, 0, 1, 2, 2, 3, 4, 5]);
    await writer.complete(assignmentOf(keyOf(0, topic)), claim, batch);
    await run();
    expect(await offsets()).toEqual([0, 0, 2, 2, 3, 5, 6]);
  });

  test('takes its dead letters, and leaves those of others and the counts of the ledger', async () => {
    await store(0, ['bad', '/1', 'bad']);
    await sqlText(
      engine,
      `INSERT INTO dead_letters SELECT * REPLACE ('t1' AS tenant, 9 AS kafka_offset) FROM dead_letters WHERE topic = '${topic}' LIMIT 1`,
      database.name,
    );
    await run();
    expect(await letters()).toEqual([0, 2]);
    expect(await sql(`SELECT toInt32(sum(rejected)) AS n FROM batches WHERE topic = '${topic}' AND revision = 0`)).toEqual([{ n: 2 }]);
  });

  test('leaves a range complete and explained, before and after, also once the rest of the day is dropped', async () => {
    await store(0, values);
    const api = await startApi(database.clickhouse, { clock: { now: () => day + 900 * dayMs } });
    const range = `range: {absolute: {from: "${on(day)}T00:00:00Z", to: "${on(day)}T12:00:00Z"}}`;
    const ask = async () =>
      (await api.ask(`{completeness(${range}) {complete statement partitions {events pruned gaps {reason}}}}`)).data.completeness;
    expect(await ask()).toMatchObject({ complete: true, partitions: [{ events: 6, pruned: 0, gaps: [] }] });
    await run();
    const thinned = await ask();
    expect(thinned).toMatchObject({ complete: true, partitions: [{ events: 6, pruned: 2, gaps: [] }] });
    expect(thinned.statement).toContain('2 of the events were removed by retention since (trial P1D)');
    await run(day + 401 * dayMs);
    const dropped = await ask();
    expect(dropped).toMatchObject({ complete: true, partitions: [{ events: 6, pruned: 6, gaps: [] }] });
    expect(dropped.statement).toContain('(default P400D, trial P1D)');
    api.close();
  });
});

describe('a class of data', () => {
  const values = ['/chd/0', '/chd/1', '/2', '/3', '/chd/4', '/5'];
  const hours = () =>
    sql(`SELECT arrayStringConcat(data_classes, ',') AS data, toInt32(sum(requests)) AS n FROM rollup_hour FINAL
WHERE arrived = '${on(day)}' AND tenant != '' GROUP BY data ORDER BY data`);
  const roll = () => rebuild({ clickhouse: database.clickhouse }, { from: day - dayMs, to: day + dayMs });
  const both = policy(400, { kept: { tenants: ['t1'], dataClasses: ['chd'], days: 400 }, cards: { dataClasses: ['chd'], days: 1 } });

  test('goes from events and rollups of its days; what a class before it has stays, and nothing drifts', async () => {
    await store(0, [...values, 'bad']);
    await roll();
    expect(await hours()).toEqual([
      { data: '', n: 3 },
      { data: 'chd', n: 3 },
    ]);
    await retentionAt(database.clickhouse, day + 2 * dayMs, { policy: both }).run();
    expect(await offsets()).toEqual([1, 2, 3, 4, 5]);
    expect(await hours()).toEqual([
      { data: '', n: 3 },
      { data: 'chd', n: 2 },
    ]);
    expect(await findDrift(database.clickhouse, { from: day - dayMs, to: day + dayMs })).toEqual([]);
    expect(await removals()).toEqual([{ kind: 'events', class: 'cards', policy: 'cards P1D', n: 1, tenants: ['t0'] }]);
    expect(await letters()).toEqual([6]); // nobody knows what data it has
  });

  test('that is widened takes more of a batch, and both counts explain what is gone', async () => {
    await store(0, ['/chd/0', '/1', '/2', '/phi/3', '/4', '/5', '/phi/6']);
    for (const dataClasses of [['chd'], ['chd', 'phi']])
      await retentionAt(database.clickhouse, day + 2 * dayMs, { policy: policy(400, { cards: { dataClasses, days: 1 } }) }).run();
    expect(await offsets()).toEqual([1, 2, 4, 5]);
    expect(await removals()).toEqual([{ kind: 'events', class: 'cards', policy: 'cards P1D', n: 3, tenants: ['t0'] }]);
    const api = await startApi(database.clickhouse, { clock: { now: () => day + 2 * dayMs } });
    const range = `range: {absolute: {from: "${on(day)}T00:00:00Z", to: "${on(day)}T12:00:00Z"}}`;
    const { data } = await api.ask(`{completeness(${range}) {complete partitions {events pruned}}}`);
    api.close();
    expect(data.completeness).toEqual({ complete: true, partitions: [{ events: 7, pruned: 3 }] });
  });

  test('that is kept longer than the default stays when the rest of its day goes', async () => {
    await store(0, [...values, 'bad']);
    await retentionAt(database.clickhouse, day + 31 * dayMs, { policy: policy(30, { cards: { dataClasses: ['chd'], days: 400 } }) }).run();
    expect([await offsets(), await letters()]).toEqual([[0, 1, 4], []]);
  });
});

describe('a job that ends', () => {
  class Killed extends Error {}
  /** The state that a job leaves, whatever happened on the way. */
  const state = async () => ({ offsets: await offsets(), letters: await letters(), removals: await removals(), claims: await claims() });
  const both = policy(3, { trial: { tenants: ['t1'], days: 1 } });

  async function fill() {
    await nextTopic();
    await store(0, ['/0', '/1', 'bad'], day - 2 * dayMs, 1);
    await store(0, ['/0', '/1', 'bad', '/3']);
  }
  const jobOf = (more: Partial<RetentionOptions> = {}) => retentionAt(database.clickhouse, day + 2 * dayMs, { policy: both, ...more });
  const whole = {
    offsets: [0, 3],
    letters: [2],
    removals: [
      { kind: 'events', class: '', policy: 'default P3D', n: 2, tenants: ['t0', 't1'] },
      { kind: 'events', class: 'trial', policy: 'trial P1D', n: 1, tenants: ['t1'] },
      { kind: 'dead_letters', class: '', policy: 'default P3D', n: 1, tenants: ['t'] },
    ],
    claims: [0, 0, 1].map((settled) => ({ first: 0, revision: settled, settled, gap_reason: '' })),
  };
  /** Dies before its effect number `at`; gives which that was. */
  async function dies(at: number): Promise<string> {
    let effects = 0;
    const trace = (step: RetentionStep) => {
      if (effects++ === at) throw new Killed(step);
    };
    return jobOf({ trace })
      .run()
      .then(
        () => 'none',
        (error: unknown) => (error instanceof Killed ? error.message : String(error)),
      );
  }

  test('before any of its effects is completed by the next ones, with the same result', async () => {
    await fill();
    // Each gets one effect further than the one before: days with their dead letters, then the class.
    for (const [at, step] of [
      [0, 'floor'],
      [1, 'record'],
      [1, 'drop'],
      [2, 'record'],
      [1, 'delete'],
      [2, 'settle'],
      [1, 'record'],
      [1, 'delete'],
    ] as const)
      expect(await dies(at)).toBe(step);
    expect(await jobOf().isDue()).toBe(true);
    expect(await dies(2)).toBe('none');
    expect(await state()).toEqual(whole);
    expect(await jobOf().isDue()).toBe(false);
  }, 600_000);

  test("does nothing more once its lease is another process's", async () => {
    await fill();
    const before = await state();
    await jobOf({ mayAct: async () => false }).run();
    expect(await state()).toEqual(before);
  });

  test('and two that run at the same time, leave what one leaves; under a lease one of them works', async () => {
    await fill();
    await Promise.all([1, 2].map(() => jobOf().run()));
    expect(await state()).toEqual(whole);
    const lease = (holder: string) => openLease(database.clickhouse, { name: 'retention', holder, ttlMs: 30_000 });
    const done = await lease('a').during(() => lease('b').during(async () => 'both'));
    expect(done).toBeNull();
  });
});
