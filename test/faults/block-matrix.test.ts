/**
 * One token, many bodies. The deduplication id of an insert depends on how its body is cut into blocks, so whatever the
 * product may send under one token must be one block and be stored once; the last tests show what happens without that.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { emptyEvent } from '../../schemas/event.ts';
import { openBatchStore } from '../../storage/batch-store.ts';
import { createEventBlock } from '../../storage/block.ts';
import { campaign } from '../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { eventRow } from '../support/events.ts';
import { sqlText } from '../support/sql.ts';

const { sizes, report } = campaign('block-matrix', { largest: 70_000 }, { largest: 500_000 });
const rowCounts = [1, 1000, 70_000, 100_000, 500_000].filter((rows) => rows <= sizes.largest);
/** As JSON half a million rows are no longer one text. */
const jsonCounts = rowCounts.filter((rows) => rows >= 1000 && rows <= 100_000);
const receivedAt = Date.parse('2026-11-22T10:00:00Z');
const token = 'log:1:gw:0:0';

let engine: TestEngine;
let database: TestDatabase;

beforeAll(async () => {
  engine = await startEngine();
  database = await freshDatabase(engine);
});
afterAll(async () => {
  report({
    rowCounts,
    pairs: rowCounts.length ** 2,
    twoBlocks: 2 * (rowCounts.length - 1),
    json: 2 * jsonCounts.length,
    found: 'stored once',
  });
  await database?.close();
  await engine?.stop();
});
beforeEach(async () => {
  await sqlText(engine, 'TRUNCATE TABLE events', database.name); // forgets the tokens too
});

const stored = async () => Number(await sqlText(engine, 'SELECT count() FROM events', database.name));
const parts = async () =>
  Number(
    await sqlText(
      engine,
      "SELECT count() FROM system.parts WHERE database = currentDatabase() AND table = 'events' AND active AND rows > 0",
      database.name,
    ),
  );

const bodies = new Map<string, Buffer | string>();
/** Made once each: the large ones take longer to make than to store. */
function once<Body extends Buffer | string>(name: string, make: () => Body): Body {
  if (!bodies.has(name)) bodies.set(name, make());
  return bodies.get(name) as Body; // one name is one kind of body
}

const native = (rows: number, attempt = 0): Buffer => once(`native ${rows} ${attempt}`, () => nativeBlock(rows, attempt));

function nativeBlock(rows: number, attempt: number): Buffer {
  const block = createEventBlock();
  for (let offset = 0; offset < rows; offset += 1)
    block.add({ ...emptyEvent(), timestamp: receivedAt * 1000, tenant: `t${offset % 7}`, url_path: `/p/${offset}` }, offset, 0);
  return block.encode({ receivedAt, sourceEpoch: 1, topic: 'gw', partition: 0, replay: 0, attempt, normaliser: 'n' });
}

const jsonRow = (offset: number) => JSON.stringify(eventRow({ received_at: '2026-11-22 10:00:00.000', kafka_offset: offset }));
const json = (rows: number): string => once(`json ${rows}`, () => Array.from({ length: rows }, (_, offset) => jsonRow(offset)).join('\n'));

/** An insert that the product would never send: another writer, another format, settings left out. */
async function insertAsOthers(body: string | Buffer, settings: Readonly<Record<string, number>>): Promise<void> {
  const format = typeof body === 'string' ? 'JSONEachRow' : 'Native';
  const parameters = new URLSearchParams({
    database: database.name,
    query: `INSERT INTO events FORMAT ${format}`,
    insert_deduplication_token: token,
  });
  for (const [name, value] of Object.entries(settings)) parameters.set(name, String(value));
  const response = await fetch(`${engine.url}/?${parameters}`, {
    method: 'POST',
    headers: { 'X-ClickHouse-User': engine.user, 'X-ClickHouse-Key': engine.password },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(answer);
}

const asTheProduct = {
  async_insert: 0,
  use_strict_insert_block_limits: 1,
  max_insert_threads: 1,
  input_format_parallel_parsing: 0,
  max_block_size: 1_100_000,
  max_insert_block_size: 1_100_000,
};
const bare = { async_insert: 0 };
const cutByBlocks = { ...asTheProduct, use_strict_insert_block_limits: 0 };

describe('what the product sends under one token', () => {
  const pairs = rowCounts.flatMap((first) => rowCounts.map((second) => [first, second] as const));

  test.each(pairs)('a block of %i rows, then one of %i: the first is stored, once, as one part', async (first, second) => {
    const store = openBatchStore(database.clickhouse);
    await store.insertEvents(native(first), token);
    await store.insertEvents(native(second), token);
    expect([await stored(), await parts()]).toEqual([first, 1]);
  });

  test('another attempt of the same rows under the same token is stored once', async () => {
    const store = openBatchStore(database.clickhouse);
    for (const attempt of [0, 1, 0]) await store.insertEvents(native(1000, attempt), token);
    expect(await stored()).toBe(1000);
  });

  test.each(jsonCounts)('%i rows as JSON with the same settings, before or after: stored once', async (rows) => {
    const store = openBatchStore(database.clickhouse);
    await store.insertEvents(native(rows), token);
    await insertAsOthers(json(rows), asTheProduct);
    expect(await stored()).toBe(rows);
    await sqlText(engine, 'TRUNCATE TABLE events', database.name);
    await insertAsOthers(json(rows), asTheProduct);
    await store.insertEvents(native(rows), token);
    expect(await stored()).toBe(rows);
  });
});

describe('a body of two blocks, which the product never sends,', () => {
  const halves = (rows: number) => Buffer.concat([native(rows / 2), native(rows / 2)]);

  test.each(rowCounts.filter((rows) => rows > 1))(
    'is joined by its settings: %i rows so and in one block, in both orders, are stored once',
    async (rows) => {
      const store = openBatchStore(database.clickhouse);
      await store.insertEvents(native(rows), token);
      await store.insertEvents(halves(rows), token);
      expect([await stored(), await parts()]).toEqual([rows, 1]);
      await sqlText(engine, 'TRUNCATE TABLE events', database.name);
      await store.insertEvents(halves(rows), token);
      await store.insertEvents(native(rows), token);
      expect([await stored(), await parts()]).toEqual([rows, 1]);
    },
  );
});

describe('why: without one block or without these settings the engine stores both', () => {
  test('JSON of many rows is cut into blocks: it is stored beside the same rows as Native, in both orders', async () => {
    const store = openBatchStore(database.clickhouse);
    await store.insertEvents(native(70_000), token);
    await insertAsOthers(json(70_000), bare);
    expect(await stored()).toBe(140_000);
    await sqlText(engine, 'TRUNCATE TABLE events', database.name);
    await insertAsOthers(json(70_000), bare);
    await store.insertEvents(native(70_000), token);
    expect(await stored()).toBe(140_000);
  });

  test('JSON of few rows and JSON of many under one token are both stored', async () => {
    await insertAsOthers(json(1000), bare);
    await insertAsOthers(json(70_000), bare);
    expect(await stored()).toBe(71_000);
  });

  test('one block and two blocks are both stored where blocks may be cut', async () => {
    const two = Buffer.concat([native(1000), native(1000)]);
    await insertAsOthers(native(1000), cutByBlocks);
    await insertAsOthers(two, cutByBlocks);
    expect(await stored()).toBe(3000);
  });
});
