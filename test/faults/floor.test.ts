/** The retention floor against a late writer, and which claims count as closed: on the real engine. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { judge } from '../../ingest/judge.ts';
import { createClosedReader } from '../../storage/closed.ts';
import { claimToken } from '../../storage/ledger.ts';
import { raiseFloor } from '../../storage/retention-floor.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { policy, retentionAt } from '../support/retention.ts';
import { sqlRows } from '../support/sql.ts';
import { assignmentOf, keyOf, rangeOf, writerOn } from '../support/writer.ts';

let engine: TestEngine;
let database: TestDatabase;
const day = Date.parse('2026-11-22T10:00:00Z');
const dayMs = 86_400_000;
const why = { reason: 'retention', setBy: 'test' };
const oneDay = { policy: policy(1) };

beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine?.stop());
beforeEach(async () => {
  database = await freshDatabase(engine);
  return () => database.close();
});

const stored = async () => (await sqlRows<{ n: number }>(engine, 'SELECT count() AS n FROM events', database.name))[0]?.n;
const claimOf = (writer: ReturnType<typeof writerOn>, first: number, values: readonly string[]) => {
  const batch = writer.maker.make(keyOf(), rangeOf(first, values), day);
  return { batch, claim: { ...batch.counts, note: '', settled: false, attempt: 0, writer: 'dead', revision: 0, sequence: 1 } };
};

test('a late writer does not bring back a day that was dropped, though its token is free again', async () => {
  const writer = writerOn(database.clickhouse);
  const { batch, claim } = claimOf(writer, 0, ['/a', '/b']);
  expect(await writer.write(assignmentOf(), batch, 1)).toMatchObject({ kind: 'stored' });
  await retentionAt(database.clickhouse, day + 2 * dayMs, oneDay).run();
  expect(await stored()).toBe(0);
  const late = writerOn(database.clickhouse);
  await late.complete(assignmentOf(), claim, claimOf(late, 0, ['/a', '/b']).batch);
  expect(await stored()).toBe(0);
});

test('a writer that was past its claim when the floor rose stores nothing either', async () => {
  const plain = writerOn(database.clickhouse);
  const held = writerOn(database.clickhouse, {
    store: {
      ...plain.store,
      async insertDeadLetters(...letters) {
        await raiseFloor(database.clickhouse, day + dayMs, why);
        return plain.store.insertDeadLetters(...letters);
      },
    },
  });
  await held.write(assignmentOf(), claimOf(held, 0, ['/a', 'bad']).batch, 1);
  expect(await stored()).toBe(0);
});

test('an insert that was under way when its day was dropped comes back once, and goes again at the next look', async () => {
  const plain = writerOn(database.clickhouse);
  const held = writerOn(database.clickhouse, {
    store: {
      ...plain.store,
      async insertEvents(block, token) {
        await retentionAt(database.clickhouse, day + 2 * dayMs, oneDay).run();
        return plain.store.insertEvents(block, token);
      },
    },
  });
  await held.write(assignmentOf(), claimOf(held, 0, ['/a', '/b']).batch, 1);
  expect(await stored()).toBe(2);
  const again = retentionAt(database.clickhouse, day + 2 * dayMs, oneDay);
  expect(await again.isDue()).toBe(true);
  await again.run();
  expect([await stored(), await again.isDue()]).toEqual([0, false]);
});

test('a day stays while a claim in it is open, until nothing can be under way any more', async () => {
  const writer = writerOn(database.clickhouse);
  const first = claimOf(writer, 0, ['/a', '/b']);
  await writer.write(assignmentOf(), first.batch, 1);
  await writer.ledger.insertClaim(keyOf(), { ...claimOf(writer, 2, ['/c']).claim, sequence: 2 }, claimToken(keyOf(), 2));
  await retentionAt(database.clickhouse, day + 2 * dayMs, { ...oneDay, longestRequestMs: 60_000 }).run();
  expect(await stored()).toBe(2);
  await retentionAt(database.clickhouse, day + 2 * dayMs, { ...oneDay, longestRequestMs: 0 }).run();
  expect(await stored()).toBe(0);
});

test('the floor is the start of a day and never sinks', async () => {
  expect(await raiseFloor(database.clickhouse, day, why)).toBe(Date.parse('2026-11-22T00:00:00Z'));
  expect(await raiseFloor(database.clickhouse, day - 5 * dayMs, why)).toBe(Date.parse('2026-11-22T00:00:00Z'));
});

test('the newest claim counts once it reads back; those before it are closed by it', async () => {
  const writer = writerOn(database.clickhouse);
  const holds = (claim: Parameters<typeof judge>[0], found: Parameters<typeof judge>[1]) => judge(claim, found).kind === 'complete';
  const closed = createClosedReader(database.clickhouse, { store: writer.store, clock: { now: () => day }, holds });
  const first = claimOf(writer, 0, ['/a', 'bad']);
  await writer.ledger.insertClaim(keyOf(), first.claim, claimToken(keyOf(), 0));
  expect(await closed.read()).toMatchObject({ partitions: [{ position: 0, isOpen: true }], watermark: 0 });
  await writer.complete(assignmentOf(), first.claim, first.batch);
  const watermark = first.claim.maxTimestamp;
  expect(await closed.read()).toMatchObject({ partitions: [{ position: 2, isOpen: false, watermark }], watermark });
  await writer.ledger.insertClaim(keyOf(), claimOf(writer, 2, ['/c']).claim, claimToken(keyOf(), 2));
  expect(await closed.read()).toMatchObject({ partitions: [{ position: 2, isOpen: true, watermark }], watermark });
});
