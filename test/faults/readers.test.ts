/** Two versions of the reader that store one batch at the same time, on the real engine: one of them counts, whole, and nobody stands still. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBatchStore } from '../../storage/batch-store.ts';
import { counted } from '../../storage/dead-letters.ts';
import { openLedger, type PartitionKey } from '../../storage/ledger.ts';
import { receiptOf } from '../../storage/receipts.ts';
import { campaign, seeded } from '../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { allReadings, positionsIn, type Readings } from '../support/readings.ts';
import { sqlRows } from '../support/sql.ts';
import { createTurns, type Turns } from '../support/turns.ts';
import { assignmentOf, keyOf, rangeOf, writerOn } from '../support/writer.ts';

let engine: TestEngine;
let database: TestDatabase;
const day = Date.parse('2026-11-22T10:00:00Z');
const { sizes, seed, report } = campaign('reader-races', { orders: 8 }, { orders: 100 });

beforeAll(async () => {
  engine = await startEngine();
  database = await freshDatabase(engine);
});
afterAll(async () => {
  await database?.close();
  await engine?.stop();
});

/** Claims the position, and completes the claim of the other where it was lost. */
function reader(version: keyof Readings, readings: Readings, { key, turns }: { readonly key: PartitionKey; readonly turns?: Turns }) {
  const parts = { ledger: openLedger(database.clickhouse), store: openBatchStore(database.clickhouse) };
  const writer = writerOn(database.clickhouse, { ...(turns ? turns.take(parts) : parts), normaliser: version });
  const batch = () => writer.maker.make(key, rangeOf(0, readings[version]), day);
  return async () => {
    const outcome = await writer.write(assignmentOf(key), batch(), 1);
    if (outcome.kind === 'lost') await writer.complete(assignmentOf(key), outcome.claim, batch());
  };
}

interface Stored {
  readonly normalisers: string[];
  readonly positions: string[];
}

async function judge({ partition }: PartitionKey, readings: Readings): Promise<string[]> {
  const sql = <Row>(statement: string) => sqlRows<Row>(engine, statement, database.name);
  const columns =
    "groupUniqArray(normaliser) AS normalisers, groupArray(concat(toString(kafka_offset), '/', toString(message_index))) AS positions";
  const here = `kafka_partition = ${partition}`;
  const [events] = await sql<Stored>(`SELECT ${columns} FROM events WHERE ${here} AND batch_events > 0`);
  const [letters] = await sql<Stored>(`SELECT ${columns} FROM dead_letters FINAL WHERE ${counted(here)}`);
  const [claim] = await sql<Record<'records' | 'events' | 'rejected' | 'skipped', number> & { normaliser: keyof Readings }>(
    `SELECT records, events, rejected, skipped, normaliser FROM batches WHERE ${here} ORDER BY revision DESC, attempt DESC LIMIT 1`,
  );
  if (!events || !letters || !claim) return ['no rows'];
  const faults: string[] = [];
  const foreign = [...events.normalisers, ...letters.normalisers].filter((each) => each !== claim.normaliser);
  if (foreign.length > 0) faults.push(`rows of ${foreign.join()} beside those of ${claim.normaliser}`);
  if (String([...events.positions, ...letters.positions].toSorted()) !== String(positionsIn(readings[claim.normaliser])))
    faults.push(`stored ${events.positions.join()} and rejected ${letters.positions.join()} of ${readings[claim.normaliser].join()}`);
  if (
    claim.events !== events.positions.length ||
    claim.rejected !== letters.positions.length ||
    claim.records !== claim.events + claim.rejected + claim.skipped
  )
    faults.push(`the ledger says ${JSON.stringify(claim)}`);
  const receipt = await receiptOf(database.clickhouse, { topic: 'gw', sourceEpoch: 1, partition, offsets: [0, 1] });
  if (receipt.events !== claim.events || receipt.rejected !== claim.rejected) faults.push(`the receipt says ${JSON.stringify(receipt)}`);
  return faults;
}

let partitions = 0;

test.each(allReadings)(
  'in any order of their steps the ledger, the events and the dead letters say one thing: %s',
  async (name, readings) => {
    const random = seeded(seed + partitions);
    let won = 0;
    for (let order = 0; order < sizes.orders; order += 1) {
      partitions += 1;
      const key = keyOf(partitions);
      const turns = createTurns();
      const racing = [reader('old', readings, { key, turns }), reader('new', readings, { key, turns })];
      await turns.run(racing, (waiting) => Math.floor(random() * waiting));
      await reader('old', readings, { key })();
      expect(await judge(key, readings), `order ${order}`).toEqual([]);
      const [row] = await sqlRows<{ normaliser: string }>(
        engine,
        `SELECT argMax(normaliser, (revision, attempt)) AS normaliser FROM batches WHERE kafka_partition = ${partitions}`,
        database.name,
      );
      if (row?.normaliser === 'new') won += 1;
    }
    report({ name, newOneCounts: won });
  },
);

test('a look that falls between dead letters and events of a writer does not see a batch half', async () => {
  partitions += 1;
  const key = keyOf(partitions);
  const plain = openBatchStore(database.clickhouse);
  const writer = writerOn(database.clickhouse);
  const batch = writer.maker.make(key, rangeOf(0, ['/a', 'bad']), day);
  const claim = { ...batch.counts, note: '', settled: false, attempt: 0, writer: 'w', revision: 0, sequence: 1 };
  let isFirst = true;
  const slow = openBatchStore({
    ...database.clickhouse,
    async rows(sql, query) {
      const rows = await database.clickhouse.rows<never>(sql, query);
      if (isFirst) {
        isFirst = false;
        await plain.insertDeadLetters(key, claim, batch.deadLetters);
        await plain.insertEvents(batch.encode(0), 'a token');
      }
      return rows;
    },
  });
  expect(await slow.found(key, claim)).toMatchObject({ events: 0, deadLetters: { test: 1 } });
  expect(await slow.found(key, claim)).toMatchObject({ events: 1, deadLetters: { test: 1 } });
});

test('a block that would be two parts, because it spans two days, is refused whole', async () => {
  partitions += 1;
  const writer = writerOn(database.clickhouse);
  const block = writer.maker.make(keyOf(partitions), rangeOf(0, ['/a', '/b']), day).encode(0);
  const arrival = Buffer.alloc(8);
  arrival.writeBigInt64LE(BigInt(day));
  const second = block.indexOf(arrival) + 8;
  expect(block.subarray(second, second + 8).equals(arrival)).toBe(true);
  block.writeBigInt64LE(BigInt(day + 86_400_000), second);
  await expect(writer.store.insertEvents(block, 'two days')).rejects.toMatchObject({ code: 'BACKEND_REFUSED' });
  const [row] = await sqlRows<{ n: number }>(
    engine,
    `SELECT count() AS n FROM events WHERE kafka_partition = ${partitions}`,
    database.name,
  );
  expect(row?.n).toBe(0);
});
