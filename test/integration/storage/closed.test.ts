/** A reader of closed claims that is asked again and again says what one says that reads the whole ledger, and reads little of it. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { nextMorning, testClosedReader } from '../../support/api.ts';
import { seeded } from '../../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { claimRow, writeClaims } from '../../support/events.ts';
import { sqlText } from '../../support/sql.ts';
import type { ClickHouse } from '../../../storage/clickhouse.ts';

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

const random = seeded(11);
const pick = (below: number) => Math.floor(random() * below);
const time = (ms: number) => new Date(ms).toISOString().replace('T', ' ').replace('Z', '');
const start = Date.parse('2026-11-22T10:00:00Z');
const claims = (...rows: object[]) => writeClaims(engine, database.name, rows);
const fresh = () => testClosedReader(database.clickhouse, nextMorning).read();

/** A claim without events is complete as it stands; one with events, none of which is stored, is open until another follows. */
function claimAt(first: number, more: Record<string, unknown> = {}) {
  const arrived = start + first * 1_000;
  const late = pick(3) === 0 ? pick(86_400_000) : 0;
  const events = pick(4) === 0 ? { events: 0, skipped: 10 } : {};
  const times = { received_at: time(arrived), min_timestamp: time(arrived - late), max_timestamp: time(arrived - late) };
  return claimRow({ first_offset: first, last_offset: first + 9, ...times, ...events, ...more });
}

test('it says the same, whatever comes: late events, revisions of the newest claim, topics that are made anew', async () => {
  const reader = testClosedReader(database.clickhouse, nextMorning);
  const ends = [0, 0, 0];
  const epochs = [1, 1, 1];
  for (let step = 0; step < 30; step += 1) {
    const partition = pick(3);
    const place = { kafka_partition: partition, topic: `t${partition}`, source_epoch: epochs[partition] };
    const kind = pick(6);
    if (kind === 0) {
      epochs[partition] = (epochs[partition] ?? 0) + 1;
      ends[partition] = 0;
    } else if (kind === 1 && ends[partition] !== 0) {
      await claims(
        claimAt((ends[partition] ?? 0) - 10, { ...place, revision: step + 1, events: 0, records: 10, gap_reason: 'RETENTION_OVERRUN' }),
      );
    } else {
      await claims(claimAt(ends[partition] ?? 0, place));
      ends[partition] = (ends[partition] ?? 0) + 10;
    }
    if (pick(2) === 0) expect(await reader.read(), `step ${step}`).toEqual(await fresh());
  }
  expect(await reader.read()).toEqual(await fresh());
});

test('of a ledger that lost its newest claims, as after a restore, it says what is there', async () => {
  const reader = testClosedReader(database.clickhouse, nextMorning);
  await claims(...[0, 10, 20].map((first) => claimAt(first)), claimAt(0, { kafka_partition: 1 }));
  await reader.read();
  await sqlText(engine, 'ALTER TABLE batches DELETE WHERE first_offset = 20 SETTINGS mutations_sync = 1', database.name);
  expect(await reader.read()).toEqual(await fresh());
});

test('many partitions are no request that is too long', async () => {
  const reader = testClosedReader(database.clickhouse, nextMorning);
  const topic = 'a-long-name-'.repeat(10);
  await claims(...Array.from({ length: 150 }, (_, partition) => claimAt(0, { kafka_partition: partition, topic, settled: 1 })));
  for (let times = 0; times < 2; times += 1) expect((await reader.read()).partitions).toHaveLength(150);
});

test('the second look reads a small part of a long ledger', async () => {
  const rows = 200_000;
  await sqlText(
    engine,
    `INSERT INTO batches (log_id, source_epoch, topic, kafka_partition, first_offset, last_offset, events, received_at, max_timestamp)
SELECT 'log', 1, 'edge', number % 4, intDiv(number, 4) * 10, intDiv(number, 4) * 10 + 9, 10, '2026-11-23 00:00:00', '2026-11-22 00:00:00' FROM numbers(${rows})`,
    database.name,
  );
  const read: number[] = [];
  const client = engine.client({ database: database.name });
  const counting: ClickHouse = {
    ...database.clickhouse,
    async rows<Row>(sql: string, { parameters, settings }: { parameters?: object; settings?: object } = {}) {
      const answer = await client.query({
        query: sql,
        format: 'JSON',
        ...(parameters && { query_params: { ...parameters } }),
        clickhouse_settings: { output_format_json_quote_64bit_integers: 1, ...settings },
      });
      const { data, statistics } = await answer.json<Row>();
      if (sql.startsWith('WITH effective')) read.push(Number(statistics?.rows_read));
      return data;
    },
  };
  const reader = testClosedReader(counting, nextMorning);
  await reader.read();
  await claims(claimAt((rows / 4) * 10));
  expect(await reader.read()).toEqual(await fresh());
  expect(read[0]).toBeGreaterThanOrEqual(rows);
  expect(read[1]).toBeLessThan(rows / 2);
});
