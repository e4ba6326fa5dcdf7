/** ClickHouse is away while records come in at full rate: the process holds what its bound says, and no more, however long it takes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bufferBound, readAheadBytes } from '../../ingest/buffer.ts';
import { campaign } from '../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { describeEngine, startEngine, type TestEngine } from '../support/engine.ts';
import { type Gate, startGate } from '../support/gate.ts';
import { ingestEnvironment, startGatetrail, until, type Running } from '../support/gatetrail.ts';
import { startKafka, type TestKafka } from '../support/kafka.ts';
import { mebibytes, rssOf, watchRss } from '../support/memory.ts';
import { clean, isCovered, judge } from '../support/oracle.ts';
import { sqlRows } from '../support/sql.ts';
import { startProducer, type Producer } from '../support/producer.ts';

const partitions = 4;
// The short form has smaller batches, so that its few seconds fill what there is to fill.
const { sizes, seed, ...printed } = campaign(
  'away-memory',
  { awayS: 4, rate: 4_000, batchMiB: 1 },
  { awayS: 60, rate: 20_000, batchMiB: 64 },
);
const batchBytes = sizes.batchMiB * 1024 * 1024;
const bound = bufferBound({ bytes: batchBytes }, partitions);
const aheadBytes = readAheadBytes({ bytes: batchBytes });

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-away-'));
const topic = `away-${Date.now()}`;
let kafka: TestKafka;
let engine: TestEngine;
let database: TestDatabase;
let gate: Gate;
let ingest: Running;
let producer: Producer;

beforeAll(async () => {
  [kafka, engine] = await Promise.all([startKafka({ partitions }), startEngine()]);
  console.log(`log: ${await kafka.describe()}; engine: ${await describeEngine(engine)}`);
  gate = await startGate(() => engine.url);
  await gate.open();
  await kafka.createTopic(topic, partitions);
  database = await freshDatabase(engine);
  producer = await startProducer({ brokers: kafka.brokers, topic, partitions, seed });
  ingest = await startGatetrail(['ingest'], {
    dataDir: folder,
    env: {
      ...ingestEnvironment({ brokers: kafka.brokers, topic, database: database.name, server: { ...engine, url: gate.url } }),
      GATETRAIL_INGEST_BATCH_BYTES: String(batchBytes),
    },
  });
});

afterAll(async () => {
  await ingest?.kill();
  await producer?.close();
  await database?.close();
  await gate?.shut();
  await Promise.allSettled([engine?.stop(), kafka?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const place = () => ({ server: engine, database: database.name, topic });
const wait = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1_000));

async function buffered(): Promise<number> {
  const text = await (await fetch(`${ingest.ready.url}/metrics`)).text();
  return Number(/^gatetrail_ingest_buffered_bytes (\S+)$/m.exec(text)?.[1]);
}
/**
 * Asks whether no more is read ahead, though records come: for two seconds the same, and of each partition at least the half
 * below which it would read on.
 */
function steady(): () => Promise<boolean> {
  let seen = 0;
  let since = performance.now();
  return async () => {
    const bytes = await buffered();
    if (bytes !== seen || bytes < (partitions * aheadBytes) / 2) since = performance.now();
    seen = bytes;
    return performance.now() - since > 2_000;
  };
}
async function claimedPartitions(): Promise<number> {
  const sql = 'SELECT uniqExact(kafka_partition) AS n FROM batches WHERE first_offset >= 0';
  const [row] = await sqlRows<{ n: string }>(engine, sql, database.name);
  return Number(row?.n);
}
async function isReady(): Promise<boolean> {
  return (await fetch(`${ingest.ready.url}/readyz`)).ok;
}

const timeout = printed.full ? 1_800_000 : 600_000;

test('memory stays within the stated bound, and everything arrives afterwards', { timeout }, async () => {
  await until(isReady, Boolean, 60_000);
  const atRest = rssOf(ingest.pid);
  producer.start(sizes.rate);
  await until(claimedPartitions, (count) => count === partitions, 60_000); // one without a position reads nothing ahead
  await wait(2); // it has worked at full rate, as one that meets an outage has
  const before = rssOf(ingest.pid);
  const rss = watchRss(ingest.pid);
  await gate.shut();
  // What one partition may hold ahead, and one fetch that was under way.
  const most = partitions * (aheadBytes + Math.min(8 * 1024 * 1024, batchBytes));
  const isFull = await until(steady(), Boolean, 60_000).then(
    () => true,
    () => false, // the rate did not fill it: then the bound says little, and the report tells
  );
  await wait(sizes.awayS);
  const ahead = await buffered();
  const peak = rss.stop();
  await producer.stop();
  await gate.open();
  await until(() => isCovered(place(), producer.acknowledged), Boolean, 240_000).catch(() => {}); // the verdict says what is missing
  const verdict = await judge(place(), producer.acknowledged);
  printed.report({
    recordsPerSecond: producer.rate,
    isFull,
    rssMiB: { atRest: mebibytes(atRest), before: mebibytes(before), peak: mebibytes(peak), grewBy: mebibytes(peak - atRest) },
    aheadMiB: mebibytes(ahead),
    boundMiB: mebibytes(bound),
    shareOfBound: Number(((peak - atRest) / bound).toFixed(2)),
    ...verdict,
  });
  expect(verdict).toMatchObject(clean);
  expect(isFull).toBe(true);
  expect(ahead).toBeLessThanOrEqual(most);
  expect(peak - atRest).toBeLessThan(1.15 * bound);
});
