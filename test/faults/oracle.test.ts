/** Both oracles find what they are there for: each kind of damage, planted by hand into tables that were clean. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { derivedFaults } from '../support/derived.ts';
import { createDigest } from '../support/digest.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { eventRow, writeEvents } from '../support/events.ts';
import { clean, isCovered, judge, type Acknowledged } from '../support/oracle.ts';
import { sqlText } from '../support/sql.ts';
import { rebuild } from '../../storage/rollups.ts';

let engine: TestEngine;
let database: TestDatabase;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine?.stop());

const arrived = '2026-11-23 00:00:00.000';
const place = () => ({ server: engine, database: database.name, topic: 'gw' });
const sql = (statement: string) => sqlText(engine, statement, database.name);

/** Ten messages of one event each, but for the one at 4, which cannot be read: two batches behind an origin. */
const acknowledged: Acknowledged[] = Array.from({ length: 10 }, (_, offset) => ({
  partition: 0,
  offset,
  sha256: `sha-${offset}`,
  elements: offset === 4 ? [{ kind: 'rejected', code: 'BAD_JSON' }] : [{ kind: 'event', requestId: `id-${offset}` }],
}));

const digest = createDigest(1);
for (const message of acknowledged) digest.add(message);

const event = (offset: number, more: object = {}) =>
  eventRow({ topic: 'gw', kafka_offset: offset, request_id: `id-${offset}`, received_at: arrived, ...more });
const claim = (first: number, last: number, more: object = {}) => ({
  log_id: 'log',
  source_epoch: 1,
  topic: 'gw',
  first_offset: first,
  last_offset: last,
  received_at: arrived,
  last_sha256: `sha-${last}`,
  ...more,
});
const claims = (...rows: object[]) =>
  sql(`INSERT INTO batches SETTINGS insert_deduplicate = 0 FORMAT JSONEachRow\n${rows.map((row) => JSON.stringify(row)).join('\n')}`);

beforeEach(async () => {
  database = await freshDatabase(engine);
  await claims(
    claim(-1, -1, { sequence: 0 }),
    claim(0, 4, { messages: 5, records: 5, events: 4, rejected: 1, sequence: 1 }),
    claim(5, 9, { messages: 5, records: 5, events: 5, sequence: 2 }),
  );
  await writeEvents(
    engine,
    database.name,
    [0, 1, 2, 3, 5, 6, 7, 8, 9].map((offset) => event(offset)),
  );
  await sql(`INSERT INTO dead_letters (source_epoch, topic, kafka_offset, code) VALUES (1, 'gw', 4, 'BAD_JSON')`);
  return () => database.close();
});

test('tables as they must be are clean', async () => {
  const verdict = await judge(place(), acknowledged);
  expect(verdict).toMatchObject({ ...clean, messages: 10, records: 10, events: 9, rejected: 1, batches: 2 });
  expect(await isCovered(place(), acknowledged)).toBe(true);
  expect(await digest.judge(place())).toEqual(verdict);
  expect(await digest.isCovered(place())).toBe(true);
});

test.each([
  ['a lost event', { lost: 1 }, () => sql('ALTER TABLE events DELETE WHERE kafka_offset = 7 SETTINGS mutations_sync = 1')],
  ['a lost dead letter', { lost: 1 }, () => sql('TRUNCATE TABLE dead_letters')],
  ['an event that stands twice', { doubled: 1 }, () => writeEvents(engine, database.name, [event(7)])],
  ['an event that nobody produced', { foreign: 1 }, () => writeEvents(engine, database.name, [event(11)])],
  ['another event in its place', { lost: 1, foreign: 1 }, () => replace(event(7, { request_id: 'other' }))],
  [
    'an event of another arrival',
    { faults: [/did not arrive with its batch/] },
    () => replace(event(7, { received_at: '2026-11-24 00:00:00.000' })),
  ],
  [
    'two claims of one position',
    { faults: [/two claims at 5/] },
    () => claims(claim(5, 9, { messages: 5, records: 5, events: 5, sequence: 2 })),
  ],
  [
    'claims that overlap',
    { faults: [/the claims at 5 and 8 overlap/] },
    () => claims(claim(8, 9, { messages: 2, records: 2, events: 2, sequence: 3 })),
  ],
  [
    'a hole in the chain',
    { faults: [/a hole from 0 to 4/] },
    () => sql('ALTER TABLE batches DELETE WHERE first_offset = 0 SETTINGS mutations_sync = 1'),
  ],
  ['a batch that does not add up', { faults: [/records are not accounted for at 5/] }, () => revise({ skipped: 1 })],
  ['a batch that says other counts', { faults: [/the batch at 5 says/] }, () => revise({ events: 4, skipped: 1 })],
  ['a batch that ends with another message', { faults: [/ends with another message/] }, () => revise({ last_sha256: 'other' })],
  [
    'a ledger that stops too early',
    { faults: [/the ledger ends at 4, the topic at 9/] },
    () => sql('ALTER TABLE batches DELETE WHERE first_offset = 5 SETTINGS mutations_sync = 1'),
  ],
])('%s is found', async (_, found: { lost?: number; doubled?: number; foreign?: number; faults?: RegExp[] }, plant) => {
  await plant();
  const { faults = [], ...counts } = found;
  for (const verdict of [await judge(place(), acknowledged), await digest.judge(place())]) {
    expect(verdict).toMatchObject({ lost: 0, doubled: 0, foreign: 0, ...counts });
    for (const fault of faults) expect(verdict.faults).toContainEqual(expect.stringMatching(fault));
  }
});

test('an aggregate projection is read, and says what the events say', async () => {
  const minute = 'toStartOfMinute(timestamp)';
  await sql(
    `ALTER TABLE events ADD PROJECTION with_states (SELECT tenant, ${minute}, count(), quantilesState(0.5)(duration_ms) GROUP BY tenant, ${minute})`,
  );
  await sql('ALTER TABLE events MATERIALIZE PROJECTION with_states SETTINGS mutations_sync = 1');
  await summedUp();
  expect(await derivedFaults(place())).toEqual([]);
});

const summedUp = () => rebuild({ clickhouse: database.clickhouse }, { from: 0, to: Date.parse(`${arrived}Z`) });

test.each([
  ['of an hour that nobody made', () => sql('TRUNCATE TABLE rollup_hour'), /rollup_hour: missing/],
  [
    'that says more than the events',
    () => sql("ALTER TABLE rollup_consumer_hour UPDATE requests = 10 WHERE tenant != '' SETTINGS mutations_sync = 1"),
    /rollup_consumer_hour: not in the events/,
  ],
  [
    'of an event that is gone',
    () => sql('ALTER TABLE events DELETE WHERE kafka_offset = 7 SETTINGS mutations_sync = 1'),
    /rollup_hour: not in the events/,
  ],
])('a rollup %s is found', async (_, plant, fault) => {
  await summedUp();
  expect(await derivedFaults(place())).toEqual([]);
  await plant();
  expect(await derivedFaults(place())).toContainEqual(expect.stringMatching(fault));
});

async function replace(row: Record<string, unknown>): Promise<void> {
  await sql('ALTER TABLE events DELETE WHERE kafka_offset = 7 SETTINGS mutations_sync = 1');
  await writeEvents(engine, database.name, [row]);
}

const revise = (more: object) => claims(claim(5, 9, { messages: 5, records: 5, events: 5, sequence: 2, revision: 1, ...more }));
