/** The columnar block stores what JSON would have stored, byte for byte, for any event. The oracle is plain JSON through HTTP. */
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { emptyEvent, type CanonicalEvent, outcomes, timeSources } from '../../../schemas/event.ts';
import { createEventBlock } from '../../../storage/block.ts';
import { connect, type ClickHouse } from '../../../storage/clickhouse.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { sqlText } from '../../support/sql.ts';

const receivedAt = Date.parse('2026-11-22T10:00:00.123Z');
const constants = { receivedAt, sourceEpoch: 3, topic: 'gw', partition: 7, replay: 0, attempt: 1, normaliser: 'n1' };

let engine: TestEngine;
let database: string;
let clickhouse: ClickHouse;

beforeAll(async () => {
  engine = await startEngine();
  database = await engine.createDatabase();
  clickhouse = connect({ url: engine.url, user: engine.user, password: engine.password, database });
  const migration = (name: string) => readFileSync(join(import.meta.dirname, '../../../schemas/migrations', name), 'utf8');
  const ddl = migration('0001_storage.sql');
  const added = /ALTER TABLE events[\s\S]*(?=;\n)/.exec(migration('0006_enrichment.sql'))?.[0] ?? '';
  const events = /CREATE TABLE IF NOT EXISTS events [\s\S]*?;\n/.exec(ddl)?.[0].replace(/;\n$/, '') ?? '';
  for (const name of ['native', 'json']) {
    await sqlText(
      engine,
      events.replace('EXISTS events', `EXISTS ${name}`).replace(/non_replicated_deduplication_window = \d+, /, ''),
      database,
    );
    await sqlText(engine, added.replace('ALTER TABLE events', `ALTER TABLE ${name}`), database);
  }
});

afterAll(async () => {
  await clickhouse?.close();
  await engine?.stop();
});

const texts = Object.entries(emptyEvent())
  .filter(([name, value]) => value === '' && !name.includes('address'))
  .map(([name]) => name);
const numbers = Object.entries(emptyEvent())
  .filter(([, value]) => value === null)
  .map(([name]) => name);

const anyText = fc.oneof(
  fc.constant(''),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constant('x'.repeat(8192)),
);
const anyNumber = (name: string): fc.Arbitrary<number> => {
  if (name.endsWith('_ms')) return fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0 || 0); // JSON knows no -0
  if (name.endsWith('status_code')) return fc.integer({ min: 0, max: 65_535 });
  if (name === 'sunset_at') return fc.integer({ min: 0, max: 2 ** 32 - 1 });
  return name === 'upstream_attempts' ? fc.integer({ min: 0, max: 255 }) : fc.maxSafeNat();
};
const anyAddress = fc.oneof(fc.constant(''), fc.ipV4(), fc.ipV6());

const anyEvent: fc.Arbitrary<CanonicalEvent> = fc
  .record({
    ...Object.fromEntries(texts.map((name) => [name, anyText])),
    ...Object.fromEntries(numbers.map((name) => [name, fc.option(anyNumber(name))])),
    timestamp: fc.integer({ min: 946_684_800_000_000, max: receivedAt * 1000 }),
    time_source: fc.constantFrom(...timeSources),
    outcome: fc.constantFrom(...outcomes),
    // The address column takes canonical addresses, which readers make; URL writes an IPv6 address canonically.
    client_address: anyAddress.map(canonical),
    network_peer_address: anyAddress.map(canonical),
    signals: fc.array(anyText, { maxLength: 3 }),
    data_classes: fc.array(anyText, { maxLength: 3 }),
    attributes: fc.dictionary(fc.string({ maxLength: 10 }), anyText, { maxKeys: 4 }),
  })
  .map((event) => ({ ...emptyEvent(), ...event }) as CanonicalEvent);

function canonical(address: string): string {
  return address.includes(':') ? new URL(`http://[${address.replace(/%.*/, '')}]`).hostname.slice(1, -1) : address;
}

/** The row as JSON: times as text, absent addresses and numbers as null. */
function asJson(event: CanonicalEvent, offset: number, rows: number): string {
  const micros = BigInt(event.timestamp);
  return JSON.stringify({
    ...event,
    timestamp: `${new Date(Number(micros / 1000n)).toISOString().slice(0, -1)}${String(micros % 1000n).padStart(3, '0')}`,
    client_address: event.client_address || null,
    network_peer_address: event.network_peer_address || null,
    received_at: new Date(receivedAt).toISOString().slice(0, -1),
    source_epoch: 3,
    topic: 'gw',
    kafka_partition: 7,
    kafka_offset: offset,
    message_index: offset % 5,
    replay: 0,
    attempt: 1,
    batch_events: rows,
    normaliser: 'n1',
  }).replaceAll(/\\ud[89ab]..(?!\\ud[c-f])|(?<!\\ud[89ab]..)\\ud[c-f]../g, '\\ufffd');
}

async function stored(table: string): Promise<string> {
  return sqlText(engine, `SELECT * FROM ${table} ORDER BY kafka_offset FORMAT JSONEachRow`, database);
}

/** Names of the columns that differ: whole rows are too long to read. */
function differing(native: string, json: string): string[] {
  const rows = (text: string) =>
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const others = rows(json);
  return rows(native).flatMap((row, at) =>
    Object.keys(row)
      .filter((name) => JSON.stringify(row[name]) !== JSON.stringify(others[at]?.[name]))
      .map((name) => `${at}.${name}: ${JSON.stringify(row[name])} != ${JSON.stringify(others[at]?.[name])}`.slice(0, 300)),
  );
}

const block = createEventBlock();

async function storeBothWays(events: readonly CanonicalEvent[]): Promise<void> {
  for (const table of ['native', 'json']) await sqlText(engine, `TRUNCATE TABLE ${table}`, database);
  block.reset();
  events.forEach((event, offset) => block.add(event, offset, offset % 5));
  await clickhouse.insertBlock('native', block.encode(constants), {});
  const lines = events.map((event, offset) => asJson(event, offset, events.length));
  await sqlText(
    engine,
    `INSERT INTO json SETTINGS async_insert = 0, precise_float_parsing = 1 FORMAT JSONEachRow\n${lines.join('\n')}`,
    database,
  );
}

describe('a block of events', () => {
  test('stores what JSON stores, for any events', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyEvent, { minLength: 1, maxLength: 40 }), async (events) => {
        await storeBothWays(events);
        const [native, json] = await Promise.all([stored('native'), stored('json')]);
        expect(differing(native, json)).toEqual([]);
        expect(native).toBe(json);
      }),
      { numRuns: 25, seed: 5, endOnFailure: true },
    );
  });

  test.each([1, 255, 256, 257, 65_535, 65_537, 100_000])('stores %i rows with as many distinct texts', async (rows) => {
    await sqlText(engine, 'TRUNCATE TABLE native', database);
    block.reset();
    for (let offset = 0; offset < rows; offset += 1) {
      block.add(
        { ...emptyEvent(), timestamp: receivedAt * 1000, tenant: `t${offset}`, url_path: `/p/${offset}`, signals: [`s${offset}`] },
        offset,
        0,
      );
    }
    await clickhouse.insertBlock('native', block.encode(constants), {});
    const wrong = `countIf(tenant != concat('t', toString(kafka_offset)) OR url_path != concat('/p/', toString(kafka_offset)) OR signals != [concat('s', toString(kafka_offset))])`;
    const answer = await sqlText(engine, `SELECT count(), uniqExact(tenant), ${wrong}, max(batch_events) FROM native`, database);
    expect(answer.trim().split('\t').map(Number)).toEqual([rows, rows, 0, rows]);
    // All columns in one file: a file for each would have to be opened and synced with every insert.
    const parts = `SELECT part_type FROM system.parts WHERE active AND database = '${database}' AND table = 'native'`;
    expect((await sqlText(engine, parts, database)).trim()).toBe('Compact');
  });

  test('knows its rows and the span of its times', () => {
    block.reset();
    expect(block).toMatchObject({ rows: 0, minTimestamp: 0, maxTimestamp: 0 });
    for (const timestamp of [5, 3, 9]) block.add({ ...emptyEvent(), timestamp }, 0, 0);
    expect(block).toMatchObject({ rows: 3, minTimestamp: 3, maxTimestamp: 9 });
  });

  test('can be encoded again under another attempt, and differs in that alone', async () => {
    await sqlText(engine, 'TRUNCATE TABLE native', database);
    block.reset();
    block.add({ ...emptyEvent(), timestamp: receivedAt * 1000 }, 1, 0);
    for (const attempt of [0, 2]) await clickhouse.insertBlock('native', block.encode({ ...constants, attempt }), {});
    expect((await sqlText(engine, 'SELECT attempt, count() FROM native GROUP BY attempt ORDER BY attempt', database)).trim()).toBe(
      '0\t1\n2\t1',
    );
  });

  test('takes copies: the event may be used again by its reader', async () => {
    await sqlText(engine, 'TRUNCATE TABLE native', database);
    block.reset();
    const event = { ...emptyEvent(), timestamp: receivedAt * 1000 };
    for (const path of ['/a', '/b']) {
      event.url_path = path;
      block.add(event, 0, 0);
    }
    await clickhouse.insertBlock('native', block.encode(constants), {});
    expect((await sqlText(engine, 'SELECT url_path FROM native ORDER BY url_path', database)).trim()).toBe('/a\n/b');
  });
});
