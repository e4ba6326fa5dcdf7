import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import kafkajs from 'kafkajs';
import { silentLogger } from '../../../core/logger.ts';
import type { AssignedPartition, Log, LogConsumer, LogMessage } from '../../../ingest/log.ts';
import { openKafka } from '../../../ingest/logs/kafka.ts';
import { askCoordinator } from '../../support/coordinator.ts';
import { startKafka, type TestKafka } from '../../support/kafka.ts';
import { until } from '../../support/gatetrail.ts';

const { AssignerProtocol, CompressionTypes, Kafka, logLevel } = kafkajs;
let kafka: TestKafka;
let log: Log;
let client: InstanceType<typeof Kafka>;

beforeAll(async () => {
  kafka = await startKafka({ partitions: 1 });
  log = openKafka({ brokers: kafka.brokers, clientId: 'test', logger: silentLogger });
  client = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING });
});
afterAll(async () => {
  await log?.close();
  await kafka?.stop();
});

let topics = 0;
async function freshTopic(partitions = 1, config?: Record<string, string>): Promise<string> {
  topics += 1;
  const topic = `log-${Date.now()}-${topics}`;
  await kafka.createTopic(topic, partitions, config);
  return topic;
}

/** Consumes in a group of its own, and gives the partition once it is assigned. */
async function assigned(topic: string, options: { group?: string; readAheadBytes?: number } = {}) {
  const partitions: AssignedPartition[] = [];
  const consumer = await log.consume({
    topics: [topic],
    group: options.group ?? `g-${topic}-${Math.random()}`,
    readAheadBytes: options.readAheadBytes ?? 1_000_000,
    logger: silentLogger,
    onFailure: () => {},
    onAssigned: (partition) => partitions.push(partition),
  });
  const [partition] = await until(
    async () => partitions,
    (all) => all.length > 0,
    30_000,
  );
  if (partition === undefined) throw new Error('no partition was assigned');
  return { consumer, partition, partitions };
}

async function take(partition: AssignedPartition, count: number): Promise<LogMessage[]> {
  const taken: LogMessage[] = [];
  const deadline = Date.now() + 20_000;
  while (taken.length < count && Date.now() < deadline)
    taken.push(...(await partition.next({ maxWaitMs: 500, maxBytes: 1_000_000 })).messages);
  return taken;
}

const lines = (count: number, prefix = 'm') => Array.from({ length: count }, (_, at) => ({ value: Buffer.from(`${prefix}${at}`) }));
const texts = (messages: readonly LogMessage[]) => messages.map(({ value }) => value?.toString());
const stopped = async (consumer: LogConsumer) => consumer.stop();

describe('Kafka as the log', () => {
  test('gives what was appended, from exactly the offset that was asked for, and again after a seek back', async () => {
    const topic = await freshTopic();
    const positions = await log.append(topic, lines(50));
    expect(positions).toEqual(lines(50).map((_, offset) => ({ partition: 0, offset })));
    const { consumer, partition } = await assigned(topic);
    partition.seek(20);
    expect(texts(await take(partition, 30))).toEqual(texts((await rest(20, 50)) as LogMessage[]));
    partition.seek(48);
    const again = await partition.next({ maxWaitMs: 5_000, maxBytes: 1_000_000 });
    expect(again).toMatchObject({ from: 48, to: 50, holes: null, low: 0, high: 50 });
    await stopped(consumer);
  });

  const rest = async (from: number, to: number) =>
    lines(to)
      .slice(from)
      .map(({ value }) => ({ value }));

  test('keeps headers, bytes and tombstones as they came', async () => {
    const topic = await freshTopic();
    const value = Buffer.from([0, 255, 10, 13, 0x7b]);
    await log.append(topic, [{ value, key: 'k', headers: { 'gatetrail-tenant': 'ä€' } }]);
    const producer = client.producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ key: 'k', value: null }] });
    await producer.disconnect();
    const { consumer, partition } = await assigned(topic);
    partition.seek(0);
    const [first, tombstone] = await take(partition, 2);
    expect(first).toMatchObject({ offset: 0, value, headers: { 'gatetrail-tenant': 'ä€' } });
    expect(tombstone).toMatchObject({ offset: 1, value: null });
    await stopped(consumer);
  });

  test.each(['GZIP', 'Snappy', 'LZ4', 'ZSTD'] as const)('reads what was written with %s', async (codec) => {
    const topic = await freshTopic();
    const producer = client.producer();
    await producer.connect();
    const values = Array.from({ length: 300 }, (_, at) => `${at} ${'text '.repeat(60)}`);
    await producer.send({ topic, compression: CompressionTypes[codec], messages: values.map((value) => ({ value })) });
    await producer.disconnect();
    const { consumer, partition } = await assigned(topic);
    partition.seek(0);
    expect(texts(await take(partition, 300))).toEqual(values);
    await stopped(consumer);
  });

  test('reads a topic whose batches are each compressed in another way', async () => {
    const topic = await freshTopic();
    const producer = client.producer();
    await producer.connect();
    const values: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (const codec of ['None', 'GZIP', 'Snappy', 'LZ4', 'ZSTD'] as const) {
        const batch = Array.from({ length: 20 }, (_, at) => `${round} ${codec} ${at} ${'text '.repeat(20)}`);
        values.push(...batch);
        await producer.send({ topic, compression: CompressionTypes[codec], messages: batch.map((value) => ({ value })) });
      }
    }
    await producer.disconnect();
    const { consumer, partition } = await assigned(topic);
    partition.seek(0);
    expect(texts(await take(partition, values.length))).toEqual(values);
    await stopped(consumer);
  });

  test.each(['gzip', 'snappy', 'lz4', 'zstd'])('reads what the Java producer wrote with %s', async (codec) => {
    if (kafka.branch !== 'maven') return; // its tools are not here; the test above covers the codec
    const topic = await freshTopic();
    const values = Array.from({ length: 300 }, (_, at) => `${at} ${'java '.repeat(60)}`);
    const args = ['--bootstrap-server', kafka.brokers[0] ?? '', '--topic', topic, '--compression-codec', codec];
    await kafka.tool('org.apache.kafka.tools.ConsoleProducer', args, `${values.join('\n')}\n`);
    const { consumer, partition } = await assigned(topic);
    partition.seek(0);
    expect(texts(await take(partition, 300))).toEqual(values);
    await stopped(consumer);
  });

  test('waits no longer than asked when there is nothing new', async () => {
    const topic = await freshTopic();
    const { consumer, partition } = await assigned(topic);
    partition.seek(0);
    const startedAt = Date.now();
    expect(await partition.next({ maxWaitMs: 300, maxBytes: 1000 })).toMatchObject({ from: 0, to: 0, messages: [] });
    expect(Date.now() - startedAt).toBeLessThan(2_000);
    await stopped(consumer);
  });

  test('fetches ahead no more than it may, and goes on when something was taken', async () => {
    const topic = await freshTopic();
    await log.append(
      topic,
      Array.from({ length: 400 }, () => ({ value: Buffer.alloc(10_000, 1) })),
    );
    const { consumer, partition } = await assigned(topic, { readAheadBytes: 200_000 });
    partition.seek(0);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const ahead = (await partition.next({ maxWaitMs: 0, maxBytes: 1e9 })).messages;
    expect(ahead.length).toBeGreaterThan(0);
    expect(ahead.length * 10_000).toBeLessThan(1_300_000);
    expect(await take(partition, 400 - ahead.length)).toHaveLength(400 - ahead.length);
    await stopped(consumer);
  });

  test('tells bounds, names a missing topic, and never makes one', async () => {
    const topic = await freshTopic(2);
    await log.append(topic, lines(3));
    const bounds = await log.bounds([topic]);
    expect(bounds).toHaveLength(2);
    expect(bounds.reduce((sum, { high }) => sum + high, 0)).toBe(3);
    for (const work of [() => log.bounds(['nowhere']), () => log.append('nowhere', lines(1))])
      await expect(work()).rejects.toMatchObject({ code: 'TOPIC_MISSING' });
  });

  test('says that a position is beyond the end, instead of jumping', async () => {
    const topic = await freshTopic();
    await log.append(topic, lines(10));
    const { consumer, partition } = await assigned(topic);
    partition.seek(400);
    const answer = await until(
      () => partition.next({ maxWaitMs: 500, maxBytes: 1000 }),
      ({ high }) => high === 10,
      20_000,
    );
    expect(answer).toMatchObject({ from: 400, to: 400, messages: [], high: 10 });
    await stopped(consumer);
  });

  test('says that a position is no longer in the log, instead of jumping', async () => {
    const topic = await freshTopic();
    await log.append(topic, lines(20));
    const admin = client.admin();
    await admin.connect();
    await admin.fetchTopicMetadata({ topics: [topic] }); // kafkajs deletes in topics alone that it has seen
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '12' }] });
    await admin.disconnect();
    const { consumer, partition } = await assigned(topic);
    partition.seek(5);
    const answer = await until(
      () => partition.next({ maxWaitMs: 500, maxBytes: 1000 }),
      ({ low }) => low === 12,
      20_000,
    );
    expect(answer).toMatchObject({ from: 5, to: 5, messages: [] });
    partition.seek(12);
    expect(texts(await take(partition, 8))[0]).toBe('m12');
    await stopped(consumer);
  });

  test('passes over the markers of transactions and says so', async () => {
    const topic = await freshTopic();
    const producer = client.producer({ transactionalId: `t-${topic}`, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    for (const [at, end] of ['commit', 'abort', 'commit'].entries()) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value: `t${at}` }] });
      await (end === 'commit' ? transaction.commit() : transaction.abort());
    }
    await producer.disconnect();
    await log.append(topic, lines(2, 'plain'));
    const { consumer, partition } = await assigned(topic);
    partition.seek(0);
    const seen: string[] = [];
    const holes = new Set<string>();
    let to = 0;
    for (let tries = 0; to < 8 && tries < 40; tries += 1) {
      const fetched = await partition.next({ maxWaitMs: 500, maxBytes: 1_000_000 });
      expect(fetched.from).toBe(to);
      to = fetched.to;
      seen.push(...texts(fetched.messages).map(String));
      if (fetched.holes) holes.add(fetched.holes);
    }
    expect(seen).toEqual(['t0', 't2', 'plain0', 'plain1']);
    expect(to).toBe(8);
    expect([...holes]).toEqual(['TRANSACTION_MARKER']);
    await stopped(consumer);
  });

  test('passes over markers at the end of a partition before anything else comes', async () => {
    const topic = await freshTopic();
    const producer = client.producer({ transactionalId: `t-${topic}`, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ value: 'taken back' }] });
    await transaction.abort();
    await producer.disconnect();
    const { consumer, partition } = await assigned(topic);
    partition.seek(0);
    const fetched = await until(
      () => partition.next({ maxWaitMs: 500, maxBytes: 1_000 }),
      ({ to }) => to > 0,
      20_000,
    );
    expect(fetched).toMatchObject({ from: 0, to: 2, messages: [], holes: 'TRANSACTION_MARKER' });
    await stopped(consumer);
  });

  test('places a key where every other client of Kafka does', async ({ skip }) => {
    skip(kafka.branch !== 'maven', "Kafka's own producer is not here; the unit test has the values of the Java client");
    const topic = await freshTopic(5);
    const keys = Array.from({ length: 40 }, (_, at) => `${'consumer-ä'.slice(0, at % 11)}${at}`);
    const args = ['--bootstrap-server', kafka.brokers[0] ?? '', '--topic', topic];
    const properties = ['--property', 'parse.key=true', '--property', 'key.separator=|'];
    await kafka.tool('org.apache.kafka.tools.ConsoleProducer', [...args, ...properties], keys.map((key) => `${key}|${key}\n`).join(''));
    const places = await log.append(
      topic,
      keys.map((key) => ({ key, value: Buffer.from(key) })),
    );
    const { consumer, partitions } = await assigned(topic);
    for (const partition of partitions) {
      partition.seek(0);
      const own = keys.filter((_, at) => places[at]?.partition === partition.partition);
      expect(texts(await take(partition, 2 * own.length))).toEqual([...own, ...own]); // theirs, then ours
    }
    await stopped(consumer);
  });

  test('tells the group a position when it is told one, and never by itself', async () => {
    const topic = await freshTopic();
    await log.append(topic, lines(10));
    const group = `g-${topic}`;
    const { consumer, partition } = await assigned(topic, { group });
    partition.seek(0);
    expect(await take(partition, 10)).toHaveLength(10);
    await new Promise((resolve) => setTimeout(resolve, 6_000)); // kafkajs would commit every 5 s
    const admin = client.admin();
    await admin.connect();
    const committed = async () => (await admin.fetchOffsets({ groupId: group, topics: [topic] }))[0]?.partitions[0]?.offset;
    expect(await committed()).toBe('-1');
    await partition.commit(7);
    expect(await committed()).toBe('7');
    await stopped(consumer);
    expect(await committed()).toBe('7');
    await admin.disconnect();
  });

  test('ends the assignment at a rebalance, and refuses its commits from then on', async () => {
    const topic = await freshTopic(2);
    const group = `g-${topic}`;
    const first = await assigned(topic, { group });
    await until(
      async () => first.partitions,
      (all) => all.length >= 2,
      20_000,
    );
    const [held] = first.partitions;
    held?.seek(0);
    const second = await assigned(topic, { group });
    await until(async () => held?.revoked.aborted, Boolean, 20_000);
    await expect(held?.commit(0)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    await until(
      async () => first.partitions.filter(({ revoked }) => !revoked.aborted).length,
      (count) => count === 1,
      30_000,
    );
    await Promise.all([stopped(first.consumer), stopped(second.consumer)]);
  });

  test('does not wait for a process of its folder that was killed while it joined the group', async () => {
    const topic = await freshTopic();
    const group = `g-${topic}`;
    const folder = mkdtempSync(join(tmpdir(), 'gatetrail-member-'));
    const own = openKafka({ brokers: kafka.brokers, clientId: 'test', membershipFolder: folder, logger: silentLogger });
    // Left by a process that has ended: this one began at another time.
    writeFileSync(join(folder, `${hostname()}-1.json`), JSON.stringify({ pid: process.pid, startedAt: '1', instance: 'dead' }));
    await joinAndDie('test-dead', group, topic);
    const startedAt = performance.now();
    const partitions: AssignedPartition[] = [];
    const consumer = await own.consume({
      topics: [topic],
      group,
      readAheadBytes: 1_000_000,
      logger: silentLogger,
      onFailure: () => {},
      onAssigned: (partition) => partitions.push(partition),
    });
    await until(
      async () => partitions,
      (all) => all.length > 0,
      40_000,
    );
    expect(performance.now() - startedAt).toBeLessThan(20_000); // the session of the dead member is 45 s
    await stopped(consumer);
    await own.close();
    rmSync(folder, { recursive: true });
  });

  test('does not wait for the member that it was itself before its broker was killed and came back', async ({ skip }) => {
    if (kafka.branch !== 'maven') skip('this broker is not ours to kill');
    const topic = await freshTopic();
    const folder = mkdtempSync(join(tmpdir(), 'gatetrail-member-'));
    const said: string[] = [];
    const logger = { ...silentLogger, info: (_: object, message: string) => void said.push(message) };
    const own = openKafka({ brokers: kafka.brokers, clientId: 'test', membershipFolder: folder, logger });
    const partitions: AssignedPartition[] = [];
    const consumer = await own.consume({
      topics: [topic],
      group: `g-${topic}`,
      readAheadBytes: 1_000_000,
      logger: silentLogger,
      onFailure: () => {},
      onAssigned: (partition) => partitions.push(partition),
    });
    const count = async () => partitions.length;
    await until(count, (assignments) => assignments === 1, 40_000);
    await kafka.kill();
    await until(
      async () => partitions[0]?.revoked.aborted,
      (isRevoked) => isRevoked === true,
      40_000,
    );
    await kafka.restart();
    await until(count, (assignments) => assignments > 1, 120_000);
    expect(said).toContain('left the group for members that have ended');
    await stopped(consumer);
    await own.close();
    rmSync(folder, { recursive: true });
  });

  /** A member that the group waits for: it has joined, and is never heard of again. A consumer of its own would go on and answer. */
  async function joinAndDie(clientId: string, groupId: string, topic: string): Promise<void> {
    const dying = new Kafka({ brokers: kafka.brokers, clientId, logLevel: logLevel.NOTHING });
    const metadata = AssignerProtocol.MemberMetadata.encode({ version: 1, topics: [topic], userData: Buffer.alloc(0) });
    const groupProtocols = [{ name: 'RoundRobinAssigner', metadata }];
    await askCoordinator(dying, groupId, (coordinator) =>
      coordinator.joinGroup({ groupId, sessionTimeout: 45_000, rebalanceTimeout: 60_000, groupProtocols }),
    );
  }
});
