/** The loop of a partition on the real engine: where it goes on, what it proves before, and what it puts on record. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { defaultLimits, type PartitionOptions } from '../../ingest/life.ts';
import { runPartition } from '../../ingest/partition.ts';
import { beginEpoch, createDatabaseClock } from '../../storage/positions.ts';
import { testClosedReader } from '../support/api.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { memoryPartition, type MemoryPartition } from '../support/partition.ts';
import { forgetful } from '../support/reader.ts';
import { sqlRows, sqlText } from '../support/sql.ts';
import { keyOf, rangeOf, writerOn } from '../support/writer.ts';

let engine: TestEngine;
let database: TestDatabase;

beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine?.stop());
beforeEach(async () => {
  database = await freshDatabase(engine);
  return () => database.close();
});

const sql = <Row>(statement: string) => sqlRows<Row>(engine, statement, database.name);
const paths = async () =>
  (await sql<{ p: string }>("SELECT url_path AS p FROM events WHERE tenant != '' ORDER BY kafka_offset, message_index")).map(({ p }) => p);
const claims = () => sql<Record<string, string | number>>('SELECT * FROM batches ORDER BY source_epoch, first_offset, revision');
const values = (count: number, from = 0) => Array.from({ length: count }, (_, at) => `/${from + at}`);

function optionsOf(more: Partial<PartitionOptions> = {}): PartitionOptions {
  const name = `p${Math.random()}`;
  const { ledger, store, maker, ...writer } = writerOn(database.clickhouse, { name });
  const databaseClock = createDatabaseClock(store, systemClock);
  const parts = { ledger, store, maker, writer, databaseClock, logger: silentLogger, onStored: () => {}, onStopped: () => {} };
  return { logId: 'log', start: 'earliest', limits: limitOf(20_000), ...parts, ...more };
}

const limitOf = (rows: number) => ({ ...defaultLimits, rows, ms: 50 });

/** Runs the loop until it has read the log to its end, then takes the partition away. */
async function drain(partition: MemoryPartition, more: Partial<PartitionOptions> = {}): Promise<void> {
  partition.revokeAtEnd();
  await runPartition(partition, optionsOf(more));
}

function logOf(contents: readonly string[]): MemoryPartition {
  const partition = memoryPartition();
  partition.append(contents);
  return partition;
}

describe('a partition', () => {
  test('is stored from its origin on, batch by batch, and committed', async () => {
    const partition = logOf(values(250));
    await drain(partition, { limits: limitOf(100) });
    expect(await paths()).toEqual(values(250));
    expect((await claims()).map((claim) => [Number(claim['first_offset']), Number(claim['last_offset'])])).toEqual([
      [-1, -1],
      [0, 99],
      [100, 199],
      [200, 249],
    ]);
    expect(partition.committed).toBe(250);
  });

  test('that was read by another owner goes on after the last claim', async () => {
    await drain(logOf(values(10)));
    const next = logOf(values(25));
    await drain(next);
    expect(await paths()).toEqual(values(25));
    expect(next.handedOut).toBe(16); // the last claimed message, to know the log again, and the new ones
  });

  test('whose last claim is open is completed first, with the arrival of the claim', async () => {
    await drain(logOf(values(10)));
    const writer = writerOn(database.clickhouse);
    const receivedAt = Date.parse('2026-11-22T23:59:59.999Z') + 20 * 365 * 86_400_000;
    const { counts } = writer.maker.make(keyOf(), rangeOf(10, values(5, 10)), receivedAt);
    const open = { ...counts, note: '', settled: false, attempt: 0, writer: 'dead', revision: 0, sequence: 2 };
    await writer.ledger.insertClaim(keyOf(), open, 'log:1:gw:0:10');
    await drain(logOf(values(20)));
    expect(await paths()).toEqual(values(20));
    expect(await sql('SELECT DISTINCT toUnixTimestamp64Milli(received_at) AS at FROM events WHERE kafka_offset >= 10')).toEqual([
      { at: receivedAt },
    ]);
  });

  test('starts at the end when its source says latest, once', async () => {
    const partition = logOf(values(5));
    const running = runPartition(partition, optionsOf({ start: 'latest', limits: limitOf(10), onStored: () => partition.revoke() }));
    while ((await claims()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    partition.append(['/new']);
    await running;
    expect(await paths()).toEqual(['/new']);
    expect((await claims())[0]).toMatchObject({ last_offset: 4, note: 'latest' });
  });

  test('read again from 0 by a writer that forgot the ledger adds no row', async () => {
    await drain(logOf(values(300)), { limits: limitOf(100) });
    const before = await claims();
    const again = logOf(values(300));
    const { ledger } = writerOn(database.clickhouse);
    await drain(again, { limits: limitOf(40), position: forgetful(ledger) });
    expect(again.handedOut).toBeGreaterThanOrEqual(300);
    expect(await paths()).toEqual(values(300));
    expect(await claims()).toEqual(before);
  });

  test('fed by two owners at once is stored once', async () => {
    const contents = values(400);
    await Promise.all([drain(logOf(contents), { limits: limitOf(30) }), drain(logOf(contents), { limits: limitOf(50) })]);
    expect(await paths()).toEqual(contents);
  });
});

describe('what the log no longer has', () => {
  test('and nobody claimed is a gap with its reason', async () => {
    await drain(logOf(values(10)));
    const partition = logOf(values(30));
    partition.trim(20);
    await drain(partition);
    expect(await paths()).toEqual([...values(10), ...values(10, 20)]);
    expect((await claims())[2]).toMatchObject({ first_offset: 10, last_offset: 19, messages: 0, gap_reason: 'RETENTION_OVERRUN' });
  });

  test('though it was claimed is a gap on a revision, and the log goes on', async () => {
    await drain(logOf(values(10)));
    const writer = writerOn(database.clickhouse);
    const { counts } = writer.maker.make(keyOf(), rangeOf(10, values(5, 10)), Date.now());
    const open = { ...counts, note: '', settled: false, attempt: 0, writer: 'dead', revision: 0, sequence: 2 };
    await writer.ledger.insertClaim(keyOf(), open, 'log:1:gw:0:10');
    const partition = logOf(values(30));
    partition.trim(20);
    await drain(partition);
    expect(await paths()).toEqual([...values(10), ...values(10, 20)]);
    expect(
      (await claims()).filter((claim) => claim['gap_reason'] !== '').map((claim) => [claim['first_offset'], claim['revision']]),
    ).toEqual([
      [10, 1],
      [15, 0],
    ]);
  });
});

describe('a partition stands still', () => {
  const refusal = async (partition: MemoryPartition, more: Partial<PartitionOptions> = {}) => {
    let code = 'went on';
    await drain(partition, {
      ...more,
      onStopped(_key, error) {
        code = error.code;
      },
    });
    return code;
  };

  test('when its topic was made anew and is shorter', async () => {
    await drain(logOf(values(10)));
    expect(await refusal(logOf(values(5)))).toBe('LOG_REPLACED');
  });

  test('when another message stands at the last claimed offset, until an operator names a new epoch', async () => {
    await drain(logOf(values(10)));
    const other = logOf(values(20, 1000));
    expect(await refusal(other)).toBe('LOG_REPLACED');
    const { ledger } = writerOn(database.clickhouse);
    const topic = { logId: 'log', topic: 'gw' };
    const accepted = { starts: [{ partition: 0, start: 0 }], receivedAt: Date.now(), writer: 'operator', note: 'made anew' };
    expect(await beginEpoch(ledger, topic, accepted)).toBe(2);
    await drain(logOf(values(20, 1000)));
    expect(await sql('SELECT source_epoch, count() AS n FROM events GROUP BY source_epoch ORDER BY source_epoch')).toEqual([
      { source_epoch: 1, n: 10 },
      { source_epoch: 2, n: 20 },
    ]);
  });

  test('when its journal was replaced, each time anew, until an operator names a new epoch', async () => {
    await drain(logOf(values(10)));
    for (const [epoch, logId] of [
      [2, 'second'],
      [3, 'third'],
    ] as const) {
      const contents = values(20, epoch * 1000);
      expect(await refusal(logOf(contents), { logId })).toBe('LOG_REPLACED');
      const { ledger } = writerOn(database.clickhouse);
      const accepted = { starts: [{ partition: 0, start: 0 }], receivedAt: Date.now(), writer: 'operator', note: 'replaced' };
      expect(await beginEpoch(ledger, { logId, topic: 'gw' }, accepted)).toBe(epoch);
      await drain(logOf(contents), { logId });
      expect(await refusal(logOf(values(10))), 'the log before, which comes back').toBe('LOG_REPLACED');
      // What was read of the log before holds up nobody who waits for this one.
      const { partitions, earlier } = await testClosedReader(database.clickhouse, systemClock).read();
      expect(partitions.map((each) => [each.logId, each.sourceEpoch, each.position])).toEqual([[logId, epoch, 20]]);
      expect(earlier.map(({ sourceEpoch }) => sourceEpoch).toSorted((a, b) => a - b)).toEqual([1, 2].slice(0, epoch - 1));
    }
    expect(await sql('SELECT source_epoch, count() AS n FROM events GROUP BY source_epoch ORDER BY source_epoch')).toEqual([
      { source_epoch: 1, n: 10 },
      { source_epoch: 2, n: 20 },
      { source_epoch: 3, n: 20 },
    ]);
  });

  test('when its journal was replaced and all that was stored were dead letters', async () => {
    await drain(logOf(['bad', 'bad']));
    expect(await refusal(logOf(values(5)), { logId: 'second' })).toBe('LOG_REPLACED');
    expect(await paths()).toEqual([]);
  });

  test('when events stand beyond the ledger', async () => {
    await drain(logOf(values(10)));
    await sqlText(
      engine,
      'INSERT INTO events SELECT * REPLACE (kafka_offset + 100 AS kafka_offset) FROM events SETTINGS insert_deduplicate = 0',
      database.name,
    );
    expect(await refusal(logOf(values(20)))).toBe('EVENTS_AHEAD_OF_LEDGER');
  });
});
