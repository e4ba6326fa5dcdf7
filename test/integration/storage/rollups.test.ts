/** Rollups are what the events say, whatever happens to who makes them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nextMorning, testClosedReader } from '../../support/api.ts';
import { writeBatch } from '../../support/batches.ts';
import { seeded } from '../../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { claimRow, writeClaims } from '../../support/events.ts';
import { policy, retentionAt } from '../../support/retention.ts';
import { rollupDrift } from '../../support/rollup-drift.ts';
import { sqlRows, sqlText } from '../../support/sql.ts';
import type { ClickHouse } from '../../../storage/clickhouse.ts';
import { openLease } from '../../../storage/lease.ts';
import { raiseFloor } from '../../../storage/retention-floor.ts';
import { findDrift } from '../../../storage/rollup-drift.ts';
import { readMark, staleSpans } from '../../../storage/rollup-marks.ts';
import { rebuild, rollUp } from '../../../storage/rollups.ts';

let engine: TestEngine;
let database: TestDatabase;
beforeAll(async () => {
  engine = await startEngine();
});
beforeEach(async () => {
  database = await freshDatabase(engine);
  return () => database.close();
});
afterAll(() => engine?.stop());

const day = { from: Date.parse('2026-11-22T00:00:00Z'), to: Date.parse('2026-11-23T00:00:00Z') };
const random = seeded(7);
const one = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)] as Value; // never empty

function someEvents(count: number, { from, to } = day): { timestamp: string }[] {
  return Array.from({ length: count }, () => ({
    timestamp: time(from + Math.floor(random() * (to - from))),
    tenant: one(['acme', 'globex']),
    http_route: one(['', '/orders', '/users']),
    gateway_route_name: one(['', 'orders']),
    api_name: one(['', 'shop']),
    consumer_name: one(['', 'mobile', 'batch']),
    http_response_status_code: one([200, 301, 404, 429, 503, 0, null]),
    outcome: one(['success', 'auth_failure', 'rate_limited', 'aborted']),
    duration_ms: one([null, 1.5, 20, 333.25]),
    http_request_size: one([null, 100]),
    http_response_body_size: one([null, 7]),
  }));
}
const time = (ms: number) => new Date(ms).toISOString().replace('T', ' ').replace('Z', '');

let next = 0;
/** Batches one behind the other, in the partition 0 when nothing is said. */
async function store(events: { timestamp: string }[], options: Parameters<typeof writeBatch>[3] = {}): Promise<number> {
  const first = next;
  next += events.length;
  await writeBatch(engine, database.name, { first, events }, options);
  return first;
}

const step = (clickhouse: ClickHouse = database.clickhouse) => rollUp({ clickhouse, closed: testClosedReader(clickhouse, nextMorning) });
const drift = async () => (await rollupDrift(engine, database.name)).drift;
const all = { from: 0, to: Date.parse('2026-12-01T00:00:00Z') };

/** Breaks the connection at the write whose statement or table matches. */
function breaking(at: RegExp, when: 'before' | 'after'): ClickHouse {
  const { clickhouse } = database;
  const write = async (text: string, work: () => Promise<void>) => {
    if (when === 'before' && at.test(text)) throw new Error('killed');
    await work();
    if (at.test(text)) throw new Error('killed');
  };
  return {
    ...clickhouse,
    run: (sql, options) => write(sql, () => clickhouse.run(sql, options)),
    insertRows: (table, rows, options) => write(table, () => clickhouse.insertRows(table, rows, options)),
  };
}

describe('rollups equal the events', () => {
  test('of every group and hour, also of those without status, and made three times they are the same', async () => {
    await store(someEvents(400));
    expect(await step()).toBe(24);
    const verdict = await rollupDrift(engine, database.name);
    expect(verdict).toMatchObject({ drift: [] });
    expect(verdict.hours).toBeGreaterThan(200);
    const sums = () =>
      sqlText(engine, "SELECT sum(requests), sum(duration_ms_sum) FROM rollup_hour FINAL WHERE tenant != ''", database.name);
    const once = await sums();
    for (let again = 0; again < 2; again += 1) {
      await sqlText(engine, 'TRUNCATE TABLE rollup_marks', database.name);
      expect(await step()).toBe(24);
    }
    expect(await drift()).toEqual([]);
    expect(await sums()).toBe(once);
    expect(await step()).toBe(0);
  });

  test.each([
    ['between the two tables', /INSERT INTO rollup_hour/, 'after'],
    ['between rows and mark', /rollup_marks/, 'before'],
  ] as const)('after a crash %s', async (_, at, when) => {
    await store(someEvents(50));
    await step();
    await store(someEvents(50));
    await expect(step(breaking(at, when))).rejects.toThrow('killed');
    await step();
    expect(await drift()).toEqual([]);
    expect(await staleSpans(database.clickhouse, all)).toEqual([]);
  });

  test('of an archive of many years that arrived in a day, in statements whose parameters ClickHouse takes', async () => {
    const from = Date.parse('2024-11-22T00:00:00Z');
    await store(Array.from({ length: 13_000 }, (_, at) => ({ timestamp: time(from + at * 3_600_000), tenant: 'acme' })));
    const { clickhouse } = database;
    const sizes: number[] = [];
    const weigh = (options?: { readonly parameters?: object }) =>
      void sizes.push(...Object.values(options?.parameters ?? {}).map((value) => String(value).length));
    const weighed: ClickHouse = {
      ...clickhouse,
      run: (sql, options) => (weigh(options), clickhouse.run(sql, options)),
      rows: (sql, options) => (weigh(options), clickhouse.rows(sql, options)),
    };
    expect(await step(weighed)).toBe(13_000);
    expect(await rebuild({ clickhouse: weighed }, all)).toBe(13_000);
    expect(Math.max(...sizes)).toBeLessThan(128 * 1024); // http_max_field_value_size
    expect(await findDrift(clickhouse, all)).toEqual([]);
    const sum = "SELECT sum(requests) FROM rollup_hour FINAL WHERE tenant != ''";
    expect(await sqlText(engine, sum, database.name)).toBe('13000\n');
  });

  test('with several jobs at once, while batches come', async () => {
    for (let round = 0; round < 3; round += 1) {
      await store(someEvents(60));
      await Promise.all([step(), step(), store(someEvents(20), { partition: 1 }), step()]);
    }
    await step();
    expect(await drift()).toEqual([]);
  });

  test('when a job that stood still comes back with what it read before: the later read counts', async () => {
    await store(someEvents(40));
    await step();
    const copy = (table: string) => sqlText(engine, `CREATE TABLE old_${table} ENGINE = Memory AS SELECT * FROM ${table}`, database.name);
    await copy('rollup_hour');
    await copy('rollup_consumer_hour');
    await sqlText(engine, "ALTER TABLE events DELETE WHERE consumer_name = 'mobile' SETTINGS mutations_sync = 2", database.name);
    await store(someEvents(40));
    await rebuild({ clickhouse: database.clickhouse }, all);
    for (const table of ['rollup_hour', 'rollup_consumer_hour'])
      await sqlText(engine, `INSERT INTO ${table} SELECT * FROM old_${table}`, database.name);
    expect(await drift()).toEqual([]);
    await sqlText(engine, 'OPTIMIZE TABLE rollup_consumer_hour FINAL', database.name);
    expect(await drift()).toEqual([]);
  });

  test('when events come late, days after their hour, and when their day of arrival is another', async () => {
    await store(someEvents(100));
    await step();
    await store(someEvents(30), { receivedAt: '2026-11-25 12:00:00.000' });
    await store(someEvents(30, { from: day.from - 40 * 86_400_000, to: day.from }), { receivedAt: '2026-11-25 12:00:01.000' });
    expect(await drift()).not.toEqual([]);
    await step();
    expect(await drift()).toEqual([]);
  });

  test('when a revision says that events of a claim are gone: groups that vanished have no row', async () => {
    const [kept, gone] = [someEvents(20), someEvents(20).map((event) => ({ ...event, tenant: 'gone' }))];
    await store(kept);
    const first = await store(gone);
    await step();
    const isThere = () => sqlRows(engine, "SELECT 1 FROM rollup_hour WHERE tenant = 'gone'", database.name).then((rows) => rows.length > 0);
    expect(await isThere()).toBe(true);
    await sqlText(engine, "ALTER TABLE events DELETE WHERE tenant = 'gone' SETTINGS mutations_sync = 2", database.name);
    expect(await drift()).not.toEqual([]);
    const times = gone.map(({ timestamp }) => timestamp).toSorted();
    const claim = { first_offset: first, last_offset: first + 19, min_timestamp: times[0], max_timestamp: times.at(-1) };
    await writeClaims(engine, database.name, [claimRow({ ...claim, revision: 1, settled: 1 })]);
    expect(await step()).toBeGreaterThan(0);
    expect(await drift()).toEqual([]);
    expect(await step()).toBe(0);
  });

  test('when a dead letter is read again: its events lie below the mark, and count once they are there', async () => {
    const first = await store(someEvents(5));
    await store(someEvents(5));
    await step();
    const [event] = someEvents(1);
    const range = { first_offset: first, last_offset: first + 4, replay: 1 };
    const claim = { ...range, events: 1, min_timestamp: event?.timestamp, max_timestamp: event?.timestamp };
    await writeClaims(engine, database.name, [claimRow(claim)]);
    await step();
    await writeBatch(engine, database.name, { first: first + 2, events: event ? [{ ...event, replay: 1 }] : [] }, { only: 'events' });
    await step();
    expect(await drift()).toEqual([]);
    expect(await step()).toBe(0);
  });

  test('when a topic was made anew: what its last life still had is made too', async () => {
    await store(someEvents(10));
    await writeClaims(engine, database.name, [claimRow({ first_offset: -1, last_offset: -1, source_epoch: 2 })]);
    await step();
    expect(await drift()).toEqual([]);
    expect(await staleSpans(database.clickhouse, all)).toEqual([]);
  });
});

describe('the mark', () => {
  test('does not go past a claim whose events are not there yet, and its hours are told as stale', async () => {
    await store(someEvents(10));
    const events = someEvents(10, { from: day.from + 3_600_000, to: day.from + 2 * 3_600_000 });
    const first = await store(events, { only: 'claim' });
    await step();
    expect(Object.values((await readMark(database.clickhouse))?.positions ?? {})).toEqual([first]);
    expect(await staleSpans(database.clickhouse, day)).toEqual([{ from: day.from + 3_600_000, to: day.from + 2 * 3_600_000 }]);
    await writeBatch(engine, database.name, { first, events }, { only: 'events' });
    await step();
    expect(await drift()).toEqual([]);
    expect(await staleSpans(database.clickhouse, day)).toEqual([]);
  });

  test('is missing before the first step: everything is stale', async () => {
    await store(someEvents(10));
    expect(await staleSpans(database.clickhouse, day)).toEqual([day]);
  });

  test('is not saved by a job that lost its lease on the way', async () => {
    await store(someEvents(50));
    const lease = openLease(database.clickhouse, { name: 'rollups', holder: 'a', ttlMs: 60_000 });
    const other = openLease(database.clickhouse, { name: 'rollups', holder: 'b', ttlMs: 60_000 });
    await other.acquire();
    const closed = testClosedReader(database.clickhouse, nextMorning);
    await rollUp({ clickhouse: database.clickhouse, closed, mayAct: () => lease.isHeld() });
    expect(await readMark(database.clickhouse)).toBeNull();
  });
});

test('an hour of more groups than a block has rows is one part: nobody sees a half of it', async () => {
  await sqlText(
    engine,
    `INSERT INTO events (received_at, kafka_offset, batch_events, normaliser, topic, source_epoch, timestamp, tenant, outcome, time_source, consumer_name)
SELECT '2026-11-23 00:00:00', number, 150000, 'test', 'edge', 1, '2026-11-22 10:00:00', 'acme', 'success', 'start', toString(number) FROM numbers(150000)`,
    database.name,
  );
  await sqlText(engine, 'SYSTEM STOP MERGES rollup_consumer_hour', database.name);
  await rebuild({ clickhouse: database.clickhouse }, day);
  const parts = await sqlRows(
    engine,
    `SELECT toUInt32(rows) AS n FROM system.parts WHERE active AND database = '${database.name}' AND table = 'rollup_consumer_hour'`,
  );
  expect(parts).toEqual([{ n: 150_001 }]);
});

describe('of a class that is kept shorter', () => {
  const morning = nextMorning.now() + 3 * 86_400_000;
  const short = policy(400, { trial: { tenants: ['globex'], days: 1 } });
  const jobOf = (clickhouse = database.clickhouse) => retentionAt(clickhouse, morning, { policy: short });
  const left = () =>
    sqlRows<{ tenant: string }>(
      engine,
      "SELECT DISTINCT tenant FROM (SELECT tenant FROM rollup_hour UNION ALL SELECT tenant FROM rollup_consumer_hour) WHERE tenant != ''",
      database.name,
    ).then((rows) => rows.map(({ tenant }) => tenant));

  test('the rollups go with the events, all versions of them, and nothing else does', async () => {
    await store(someEvents(60));
    await step();
    await store(someEvents(60, { from: day.from, to: day.from + 7_200_000 }));
    await step();
    await jobOf().run();
    expect(await drift()).toEqual([]);
    expect(await left()).toEqual(['acme']);
    expect(await findDrift(database.clickhouse, all)).toEqual([]);
    expect(await jobOf().isDue()).toBe(false);
    expect(await step()).toBeGreaterThan(0); // the claim that was settled
    expect(await drift()).toEqual([]);
  });

  test.each([
    ['before the rollups', /ALTER TABLE events DELETE/, 'after'],
    ['between the rollups', /ALTER TABLE rollup_hour DELETE/, 'after'],
  ] as const)('they go by the next run of a job that died %s', async (_, at, when) => {
    await store(someEvents(60));
    await step();
    await expect(jobOf(breaking(at, when)).run()).rejects.toThrow('killed');
    await expect.poll(drift).not.toEqual([]); // the mutation goes on by itself
    await step(); // whatever the job of the rollups does meanwhile
    expect(await jobOf().isDue()).toBe(true);
    await jobOf().run();
    expect(await drift()).toEqual([]);
    expect(await left()).toEqual(['acme']);
    expect(await jobOf().isDue()).toBe(false);
  });

  test('what a job writes that read the events before they went is found by the next run', async () => {
    await store(someEvents(60));
    await step();
    for (const table of ['rollup_hour', 'rollup_consumer_hour'])
      await sqlText(engine, `CREATE TABLE old_${table} ENGINE = Memory AS SELECT * FROM ${table}`, database.name);
    await jobOf().run();
    for (const table of ['rollup_hour', 'rollup_consumer_hour'])
      await sqlText(engine, `INSERT INTO ${table} SELECT * REPLACE (version + 1024 AS version) FROM old_${table}`, database.name);
    expect(await drift()).not.toEqual([]);
    await jobOf().run();
    expect(await drift()).toEqual([]);
  });

  test('they stay on a day that waits for a batch which is not stored yet', async () => {
    await store(someEvents(60));
    await step();
    await store(someEvents(5), { only: 'claim' });
    await jobOf().run();
    expect(await drift()).toEqual([]);
    expect((await left()).toSorted()).toEqual(['acme', 'globex']);
  });
});

describe('below the retention floor', () => {
  test('hours stay as they were made, names of consumers go, and what comes later is added', async () => {
    await store(someEvents(50), { receivedAt: '2026-11-23 00:00:00.000' });
    await step();
    await raiseFloor(database.clickhouse, Date.parse('2026-11-24T00:00:00Z'), { reason: 'test', setBy: 'test' });
    await sqlText(engine, 'ALTER TABLE events DROP PARTITION 20261123', database.name);
    await store(someEvents(7), { receivedAt: '2026-11-25 00:00:00.000' });
    await step();
    await rebuild({ clickhouse: database.clickhouse }, all);
    const total = (table: string) =>
      sqlText(engine, `SELECT sum(requests) FROM ${table} FINAL WHERE tenant != ''`, database.name).then(Number);
    expect(await total('rollup_hour')).toBe(57);
    expect(await total('rollup_consumer_hour')).toBe(7);
    expect(await drift()).toEqual([]);
    expect(await findDrift(database.clickhouse, all)).toEqual([]);
  });
});

test('drift is found by both judges, at its hour alone, and mended', async () => {
  const planted = [
    ["ALTER TABLE rollup_hour UPDATE requests = requests + 1 WHERE tenant != ''", 'rollup_hour'],
    ['ALTER TABLE rollup_hour UPDATE duration_ms_sum = duration_ms_sum + 1 WHERE duration_ms_samples > 0', 'rollup_hour'],
    ["ALTER TABLE rollup_consumer_hour DELETE WHERE tenant = 'acme'", 'rollup_consumer_hour'],
    [
      "INSERT INTO rollup_consumer_hour SELECT * REPLACE ('x' AS consumer_name) FROM rollup_consumer_hour WHERE tenant != ''",
      'rollup_consumer_hour',
    ],
    ["ALTER TABLE events DELETE WHERE tenant = 'acme'", 'rollup_hour'],
  ] as const;
  const hour = (at: number) => day.from + at * 3_600_000;
  for (const at of planted.keys()) await store(someEvents(20, { from: hour(at), to: hour(at + 1) }));
  await step();
  for (const [at, [statement]] of planted.entries()) {
    const within = `hour = fromUnixTimestamp(${hour(at) / 1000})`;
    const only = statement.includes('TABLE events') ? within.replace('hour', 'toStartOfHour(timestamp)') : within;
    await sqlText(engine, `${statement} AND ${only}${statement.startsWith('ALTER') ? ' SETTINGS mutations_sync = 2' : ''}`, database.name);
  }
  const found = await findDrift(database.clickhouse, all);
  expect(new Set(found.map(({ hour: when, table }) => `${when} ${table}`))).toEqual(
    new Set([...planted.map(([, table], at) => `${hour(at)} ${table}`), `${hour(4)} rollup_consumer_hour`]),
  );
  expect(await drift()).not.toEqual([]);
  expect(await findDrift(database.clickhouse, { from: hour(5), to: hour(24) })).toEqual([]);
  expect(await rebuild({ clickhouse: database.clickhouse }, { from: hour(1), to: hour(1) + 1 })).toBe(1);
  expect((await findDrift(database.clickhouse, all)).map(({ hour: when }) => when)).not.toContain(hour(1));
  expect(await rebuild({ clickhouse: database.clickhouse }, all)).toBe(planted.length);
  expect(await findDrift(database.clickhouse, all)).toEqual([]);
  expect(await drift()).toEqual([]);
});
