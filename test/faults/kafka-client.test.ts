/** The member of the group over a real Kafka: what it asks for, when it is to be believed alive, and when it has to end. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import kafkajs from 'kafkajs';
import { type Logger, silentLogger } from '../../core/logger.ts';
import { recordOverheadBytes } from '../../ingest/buffer.ts';
import type { AssignedPartition, Log, LogConsumer } from '../../ingest/log.ts';
import { openKafka } from '../../ingest/logs/kafka.ts';
import { until } from '../support/gatetrail.ts';
import { startKafka, type TestKafka } from '../support/kafka.ts';
import { type KafkaProxy, startKafkaProxy } from '../support/kafka-proxy.ts';

const { CompressionTypes, Kafka, logLevel } = kafkajs;
const stuckAfterMs = 4_000;
let proxy: KafkaProxy;
let kafka: TestKafka;
let log: Log;
const open: LogConsumer[] = [];

beforeAll(async () => {
  proxy = await startKafkaProxy();
  // The broker names the proxy as its address, so that no request can go round it.
  kafka = await startKafka({ partitions: 1, properties: { 'advertised.listeners': `PLAINTEXT://${proxy.address}` } });
  const [host = '', port = ''] = (kafka.brokers[0] ?? '').split(':');
  proxy.target = { host, port: Number(port) };
  log = openKafka({ brokers: [proxy.address], clientId: 'test', stuckAfterMs, logger: silentLogger });
});
afterEach(async () => {
  if (proxy.swallowed.size > 0) proxy.cut(); // else stopping waits for the answer
  proxy.swallowed.clear();
  await Promise.all(open.splice(0).map((consumer) => consumer.stop()));
});
afterAll(async () => {
  await log?.close();
  await kafka?.stop();
  proxy?.close();
});

/** A broker that is not ours names no proxy as its address, and its files are not here. */
const onOwnBroker = (name: string, work: () => Promise<void>) => test(name, () => (kafka.branch === 'maven' ? work() : undefined));

let topics = 0;
async function freshTopic(): Promise<string> {
  topics += 1;
  await kafka.createTopic(`client-${topics}`, 1);
  return `client-${topics}`;
}

/** A consumer of the topics, reading from their start once it is asked. */
async function consume(names: readonly string[], readAheadBytes = 16 * 1024 * 1024, { from = log, logger = silentLogger } = {}) {
  const partitions: AssignedPartition[] = [];
  const failures: unknown[] = [];
  const consumer = await from.consume({
    topics: names,
    group: `g-${names.join()}`,
    readAheadBytes,
    logger,
    onFailure: (error) => failures.push(error),
    onAssigned: (partition) => partitions.push(partition),
  });
  open.push(consumer);
  await until(
    async () => partitions.length,
    (count) => count >= names.length,
    30_000,
  );
  for (const partition of partitions) partition.seek(0);
  return { partitions, failures, consumer };
}

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const records = (count: number, bytes = 10) => Array.from({ length: count }, () => ({ value: Buffer.alloc(bytes, 'x') }));

/** Asks all the time, as a writer does that has nothing to write. */
async function readFor(ms: number, partitions: readonly AssignedPartition[]): Promise<number[]> {
  const reached = partitions.map(() => 0);
  for (const deadline = Date.now() + ms; Date.now() < deadline;) {
    const fetched = await Promise.all(partitions.map((partition) => partition.next({ maxWaitMs: 300, maxBytes: 1e6 })));
    fetched.forEach(({ to }, at) => (reached[at] = to));
  }
  return reached;
}

onOwnBroker('asks for much at once, waits half a second at most, keeps its session for 45 s and lets no topic be made', async () => {
  const topic = await freshTopic();
  const { partitions } = await consume([topic]);
  await readFor(1_500, partitions);
  const join = proxy.asked('joinGroup').at(-1) ?? Buffer.alloc(0);
  expect(join.readInt32BE(2 + join.readInt16BE(0))).toBe(45_000);
  const fetch = proxy.asked('fetch').at(-1) ?? Buffer.alloc(0);
  const [maxWaitMs, minBytes, maxBytes] = [4, 8, 12].map((at) => fetch.readInt32BE(at));
  expect({ maxWaitMs, minBytes, maxBytes }).toEqual({ maxWaitMs: 500, minBytes: 1 << 20, maxBytes: 32 << 20 });
  expect(fetch.readInt32BE(fetch.length - 10)).toBe(8 << 20); // of the partition; no forgotten topics and no rack follow
  expect(proxy.asked('metadata').every((body) => body.at(-1) === 0)).toBe(true);
});

onOwnBroker('asks for no more than it may keep, and does not wait for what it may not get', async () => {
  const topic = await freshTopic();
  await log.append(topic, records(60, 100_000));
  const { partitions } = await consume([topic], 300_000);
  let seen = 0;
  for (const deadline = Date.now() + 30_000; seen < 60 && Date.now() < deadline;)
    seen += (await partitions[0]?.next({ maxWaitMs: 1_000, maxBytes: 1e6 }))?.messages.length ?? 0;
  expect(seen).toBe(60);
  const fetch = proxy.asked('fetch').at(-1) ?? Buffer.alloc(0);
  expect({ minBytes: fetch.readInt32BE(8), ofPartition: fetch.readInt32BE(fetch.length - 10) }).toEqual({
    minBytes: 300_000, // more than the partition may give would be waited for each time
    ofPartition: 300_000,
  });
});

onOwnBroker('stays in the group, with heartbeats, while a slow writer takes nothing and the partition is paused', async () => {
  const topic = await freshTopic();
  for (let batch = 0; batch < 6; batch += 1) await log.append(topic, records(10, 10_000));
  const { partitions, failures, consumer } = await consume([topic], 50_000);
  await partitions[0]?.next({ maxWaitMs: 5_000, maxBytes: 1 });
  const [beats, joins] = [proxy.asked('heartbeat').length, proxy.asked('joinGroup').length];
  await wait(3 * stuckAfterMs);
  expect(proxy.asked('heartbeat').length - beats).toBeGreaterThanOrEqual(3);
  // What it may hold, and the batch that it was given whole; all that there is would be 600 kB.
  expect(consumer.bufferedBytes()).toBeLessThan(50_000 + 10 * (10_000 + recordOverheadBytes));
  expect(proxy.asked('joinGroup')).toHaveLength(joins);
  expect(partitions[0]?.revoked.aborted).toBe(false);
  expect(failures).toEqual([]);
  await partitions[0]?.commit(1);
});

onOwnBroker('begins anew by itself when Kafka was away for longer than it tries, and goes on where it was', async () => {
  const topic = await freshTopic();
  const crashes: object[] = [];
  const logger: Logger = { ...silentLogger, error: (facts: object) => void crashes.push(facts) };
  const from = openKafka({ brokers: [proxy.address], clientId: 'impatient', retries: 1, logger });
  const { partitions, failures } = await consume([topic], 1e6, { from, logger });
  await log.append(topic, records(3));
  const reached = (at: number) =>
    until(
      () => readFor(300, partitions.slice(-1)),
      ([to]) => to === at,
      60_000,
    );
  await reached(3);
  proxy.isDeaf = true;
  proxy.cut();
  await until(async () => crashes.length, Boolean, 60_000);
  expect(crashes[0]).toMatchObject({ restart: true, reading: [`${topic}/0 from 3`] });
  proxy.isDeaf = false;
  await until(
    async () => partitions.length,
    (count) => count > 1,
    60_000,
  );
  partitions.at(-1)?.seek(3);
  await until(
    () =>
      log.append(topic, records(2)).then(
        () => true,
        () => false,
      ),
    Boolean,
    60_000,
  );
  await until(
    () => readFor(300, partitions.slice(-1)),
    ([to]) => (to ?? 0) >= 5,
    60_000,
  );
  expect(partitions[0]?.revoked.aborted).toBe(true);
  expect(failures).toEqual([]);
  await from.close();
});

onOwnBroker('begins anew where its connections break before anybody said who coordinates the group', async () => {
  const topic = await freshTopic();
  await log.append(topic, records(3));
  const before = proxy.asked('findCoordinator').length;
  proxy.swallowed.add('findCoordinator');
  const begun = consume([topic]);
  await until(
    async () => proxy.asked('findCoordinator').length,
    (count) => count > before,
    30_000,
  );
  proxy.swallowed.clear();
  proxy.cut();
  const { partitions, failures } = await begun;
  await until(
    () => readFor(300, partitions),
    ([to]) => to === 3,
    30_000,
  );
  expect(failures).toEqual([]);
});

onOwnBroker('joins again where its connection broke while it did, and reads no longer what it had been given', async () => {
  const topic = await freshTopic();
  await log.append(topic, records(3));
  const sessionTimeoutMs = 6_000;
  const from = openKafka({ brokers: [proxy.address], clientId: 'sleeper', sessionTimeoutMs, logger: silentLogger });
  const { partitions, failures } = await consume([topic], 1e6, { from });
  proxy.swallowed.add('heartbeat');
  await wait(2 * sessionTimeoutMs); // the group does without it
  const asked = proxy.asked('joinGroup').length;
  proxy.swallowed.clear();
  proxy.swallowed.add('joinGroup');
  proxy.cut();
  await until(
    async () => proxy.asked('joinGroup').length,
    (count) => count > asked,
    30_000,
  );
  proxy.cut();
  proxy.swallowed.clear();
  await until(
    async () => partitions.length,
    (count) => count > 1,
    40_000,
  );
  expect(partitions[0]?.revoked.aborted).toBe(true);
  expect(failures).toEqual([]);
  await from.close();
});

onOwnBroker('says so and ends when it stands still though there is something to read', async () => {
  const topic = await freshTopic();
  const { partitions, failures } = await consume([topic]);
  proxy.swallowed.add('fetch');
  await log.append(topic, records(3));
  const startedAt = performance.now();
  await until(
    async () => (await readFor(500, partitions), failures),
    (all) => all.length > 0,
    30_000,
  );
  expect(performance.now() - startedAt).toBeGreaterThan(stuckAfterMs);
  expect(failures).toEqual([
    expect.objectContaining({ code: 'LOG_UNAVAILABLE', message: expect.stringContaining(`3 record(s) of ${topic}/0 from offset 0`) }),
  ]);
  expect(partitions[0]?.revoked.aborted).toBe(true);
});

onOwnBroker('says so and ends when it comes into no group though Kafka answers', async () => {
  const topic = await freshTopic();
  const failures: unknown[] = [];
  proxy.swallowed.add('joinGroup');
  const startedAt = performance.now();
  const joining = log.consume({
    topics: [topic],
    group: `g-${topic}`,
    readAheadBytes: 1e6,
    logger: silentLogger,
    onFailure: (error) => failures.push(error),
    onAssigned: () => {},
  });
  await until(
    async () => failures,
    (all) => all.length > 0,
    30_000,
  );
  expect(performance.now() - startedAt).toBeGreaterThan(stuckAfterMs);
  expect(failures).toEqual([expect.objectContaining({ code: 'LOG_UNAVAILABLE', message: expect.stringContaining('in no group for 4 s') })]);
  proxy.swallowed.clear();
  proxy.cut();
  open.push(await joining);
  expect(failures).toHaveLength(1);
});

onOwnBroker('does not take an idle topic, an open transaction or markers at the end for standing still', async () => {
  const [idle, undecided, marked] = [await freshTopic(), await freshTopic(), await freshTopic()];
  const client = new Kafka({ brokers: [proxy.address], logLevel: logLevel.NOTHING });
  const transactional = async (topic: string) => {
    const producer = client.producer({ transactionalId: `t-${topic}`, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ value: 'undecided' }] });
    return { producer, transaction };
  };
  const held = await transactional(undecided);
  const done = await transactional(marked);
  await done.transaction.abort();
  await done.producer.disconnect();
  const { partitions, failures } = await consume([idle, undecided, marked]);
  await readFor(3 * stuckAfterMs, partitions);
  expect(failures).toEqual([]);
  await held.transaction.commit();
  await held.producer.disconnect();
  const reached = await until(
    () => readFor(500, partitions),
    (all) => Math.min(...all.filter((_, at) => partitions[at]?.topic !== idle)) === 2,
    20_000,
  );
  expect(reached).toEqual(partitions.map(({ topic }) => (topic === idle ? 0 : 2)));
});

/** The first batch of the topic on the broker's disk, as `edit` leaves it. Codec: the lowest three bits of byte 22. */
async function withBatch(topic: string, edit: (batch: Buffer) => void): Promise<void> {
  const producer = new Kafka({ brokers: [proxy.address], logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  await producer.send({ topic, compression: CompressionTypes.ZSTD, messages: [{ value: 'text '.repeat(200) }] });
  await producer.disconnect();
  const file = kafka.segment(topic, 0);
  const bytes = readFileSync(file);
  edit(bytes);
  writeFileSync(file, bytes);
}

async function failureOf(topic: string): Promise<unknown> {
  const { partitions, failures } = await consume([topic]);
  await until(
    async () => (await readFor(300, partitions), failures),
    (all) => all.length > 0,
    30_000,
  );
  return failures[0];
}

onOwnBroker('ends at once, in words, at a batch whose codec nobody knows', async () => {
  const topic = await freshTopic();
  await withBatch(topic, (batch) => batch.writeUInt8((batch.readUInt8(22) & ~7) | 5, 22));
  expect(await failureOf(topic)).toMatchObject({ code: 'LOG_UNREADABLE', message: expect.stringContaining('codec 5') });
});

onOwnBroker('ends at once, in words, at a batch that its codec cannot open', async () => {
  const topic = await freshTopic();
  await withBatch(topic, (batch) => batch.fill(0xff, 61));
  expect(await failureOf(topic)).toMatchObject({ code: 'LOG_UNREADABLE', message: expect.stringContaining('zstd, but') });
});
