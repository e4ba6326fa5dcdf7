/**
 * Malformed messages through the whole pipeline: none of them ends the process, none is lost, each becomes what it becomes when
 * it is read alone, and memory stays near what plain records need.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { catalogue } from '../../core/errors.ts';
import { deriveKey } from '../../core/keys.ts';
import type { Decoder } from '../../ingest/decoder.ts';
import { createDecoder, loadGateways } from '../../ingest/pipeline.ts';
import { account, type Counts, isStored } from '../support/accounts.ts';
import { campaign } from '../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { describeEngine, startEngine, type TestEngine } from '../support/engine.ts';
import { fuzzer, huge, plain } from '../support/fuzz.ts';
import { ingestEnvironment, startGatetrail, until, type Running } from '../support/gatetrail.ts';
import { startKafka, type TestKafka } from '../support/kafka.ts';
import { mebibytes, watchRss } from '../support/memory.ts';

const { Kafka, logLevel } = kafkajs;
const mebibyte = 1024 * 1024;
const partitions = 2;
const { sizes, seed, full, report } = campaign(
  'fuzz',
  { messages: 20_000, beyond: 2, shapes: 3 },
  { messages: 1_000_000, beyond: 50, shapes: huge.length },
);
const beyondBytes = 64 * mebibyte;
const limitBytes = 16 * mebibyte;
/**
 * Above what as many plain records take. One value of 64 MiB stands in the answer of Kafka, in what its client takes apart, and
 * of each partition in what waits and in the batch: 6 × 64 MiB. The values of one message at its limits are the rest.
 */
const boundBytes = 640 * mebibyte;

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-fuzz-'));
const topic = `fuzz-${Date.now()}`;
let kafka: TestKafka;
let engine: TestEngine;
let database: TestDatabase;
let ingest: Running;
let producer: ReturnType<InstanceType<typeof Kafka>['producer']>;
let decoder: Decoder;

beforeAll(async () => {
  const largest = String(beyondBytes + mebibyte);
  const broker = { 'message.max.bytes': largest, 'log.segment.bytes': String(256 * mebibyte) };
  [kafka, engine] = await Promise.all([startKafka({ partitions, properties: broker, heapMiB: 2_048 }), startEngine()]);
  console.log(`log: ${await kafka.describe()}; engine: ${await describeEngine(engine)}; seed ${seed}`);
  await kafka.createTopic(topic, partitions, { 'max.message.bytes': largest });
  database = await freshDatabase(engine);
  producer = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING, requestTimeout: 120_000 }).producer({
    allowAutoTopicCreation: false,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  decoder = createDecoder({
    gateways: await loadGateways(),
    sources: [],
    defaultTenant: 'default',
    intakeTopic: topic,
    allowedQueryKeys: new Set(),
    pseudonyms: deriveKey('a secret of the tests', 'pseudonyms'),
    credentials: deriveKey('a secret of the tests', 'credentials'),
    version: 'test',
  });
  ingest = await startGatetrail(['ingest'], {
    dataDir: folder,
    env: ingestEnvironment({ brokers: kafka.brokers, topic, database: database.name, server: engine }),
  });
});

afterAll(async () => {
  await ingest?.kill();
  await producer?.disconnect();
  await database?.close();
  await Promise.allSettled([engine?.stop(), kafka?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** What each message becomes when it is read alone: by partition, by offset. */
const wanted: Counts[][] = Array.from({ length: partitions }, () => []);

function alone(value: Buffer): Counts {
  const counts = { events: 0, rejected: 0, skipped: 0 };
  decoder.decode({ offset: 0, timestamp: -1, value, headers: {} }, topic, Date.now(), {
    event: () => (counts.events += 1),
    rejected: () => (counts.rejected += 1),
    skipped: () => (counts.skipped += 1),
  });
  return counts;
}

/** There are few plain records, and many of each. */
const known = new Map<Buffer, Counts>();
function plainAlone(value: Buffer): Counts {
  const counts = known.get(value) ?? alone(value);
  known.set(value, counts);
  return counts;
}

/** To one partition in this order. @throws when Kafka did not take them */
async function send(partition: number, values: readonly Buffer[], countsOf = alone): Promise<void> {
  const [answer] = await producer.send({ topic, acks: -1, messages: values.map((value) => ({ partition, value })) });
  const list = wanted[partition] ?? [];
  expect(Number(answer?.baseOffset)).toBe(list.length);
  for (const value of values) list.push(countsOf(value));
}

const togetherBytes = 4 * mebibyte;

/** Messages 0 to `count`, in turn to each partition. */
async function sendAll(count: number, make: (n: number) => Buffer, countsOf = alone): Promise<number> {
  let [waiting, bytes, sent, turn]: [Buffer[], number, number, number] = [[], 0, 0, 0];
  for (let n = 0; n < count; n += 1) {
    const value = make(n);
    waiting.push(value);
    bytes += value.length;
    if (bytes < togetherBytes && waiting.length < 2_000 && n < count - 1) continue;
    await send(turn % partitions, waiting, countsOf);
    sent += bytes;
    [waiting, bytes, turn] = [[], 0, turn + 1];
  }
  return sent;
}

const place = () => ({ server: engine, database: database.name, topic });
const stored = (withinMs: number) =>
  until(
    () =>
      isStored(
        place(),
        wanted.map(({ length }) => length),
      ),
    Boolean,
    withinMs,
  );
const minute = 60_000;
const seconds = (ms: number) => Math.round(ms / 1_000);

test(
  'nothing that comes ends the process, is lost, or takes memory without a bound',
  { timeout: full ? 30 * minute : 8 * minute },
  async () => {
    const startedAt = performance.now();
    const before = watchRss(ingest.pid);
    const plainBytes = await sendAll(sizes.messages, plain, plainAlone);
    await stored(full ? 10 * minute : 2 * minute);
    const plainMost = before.stop();
    const plainAt = performance.now();

    const rss = watchRss(ingest.pid);
    const make = fuzzer(seed);
    const fuzzedBytes = await sendAll(sizes.messages, (n) => make(n).value);
    for (const [, shape] of huge.slice(0, sizes.shapes)) await send(0, [shape(limitBytes)]);
    for (let n = 0; n < sizes.beyond; n += 1) {
      const [, shape] = huge[n % huge.length] ?? huge[0];
      await send(n % partitions, [shape(n % 10 === 9 ? limitBytes + 1 : beyondBytes)]);
    }
    await sendAll(2, plain); // behind all that, each partition goes on
    await stored(full ? 15 * minute : 3 * minute);
    const most = rss.stop();

    const accounts = await account(place(), wanted);
    report({
      seconds: { plain: seconds(plainAt - startedAt), fuzzed: seconds(performance.now() - plainAt) },
      plainMiB: mebibytes(plainBytes),
      fuzzedMiB: mebibytes(fuzzedBytes),
      rssMiB: { plain: mebibytes(plainMost), fuzzed: mebibytes(most), bound: mebibytes(boundBytes) },
      ...accounts,
    });
    expect(accounts.faults).toEqual([]);
    expect(accounts.messages).toBe(2 * sizes.messages + sizes.shapes + sizes.beyond + 2);
    expect(accounts.codes['TOO_LARGE']).toBeGreaterThanOrEqual(sizes.beyond);
    expect(accounts.codes['STORE_REFUSED']).toBeUndefined();
    expect(Object.keys(catalogue)).toEqual(expect.arrayContaining(Object.keys(accounts.codes)));
    expect(most - plainMost).toBeLessThan(boundBytes);
    expect((await fetch(`${ingest.ready.url}/readyz`)).status).toBe(200);
    expect(await ingest.stop()).toBe(0);
  },
);
