/** What every log promises, asked of Kafka and of the journal alike. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deriveKey } from '../../../core/keys.ts';
import { silentLogger } from '../../../core/logger.ts';
import type { AssignedPartition, Log, LogMessage, NewMessage } from '../../../ingest/log.ts';
import { openJournal } from '../../../ingest/logs/journal.ts';
import { openKafka } from '../../../ingest/logs/kafka.ts';
import { until } from '../../support/gatetrail.ts';
import { startKafka, type TestKafka } from '../../support/kafka.ts';

interface Opened {
  readonly log: Log;
  createTopic(name: string): Promise<void>;
  close(): Promise<void>;
}

async function kafka(): Promise<Opened> {
  const broker: TestKafka = await startKafka({ partitions: 4 });
  const log = openKafka({ brokers: broker.brokers, clientId: 'contract', logger: silentLogger });
  const close = async () => {
    await log.close();
    await broker.stop();
  };
  const createTopic = async (name: string) => {
    await broker.createTopic(name, 4);
    // A partition that was just made has no leader for a moment, and says so.
    await until(
      () => log.bounds([name]).catch(() => []),
      (bounds) => bounds.length === 4,
      20_000,
    );
  };
  return { log, createTopic, close };
}

async function journal(): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), 'gatetrail-contract-'));
  const log = openJournal({ folder, key: deriveKey('a secret of the tests', 'journal') });
  const close = async () => {
    await log.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { log, createTopic: async () => {}, close };
}

describe.each([
  ['kafka', kafka],
  ['journal', journal],
] as const)('the log %s', (kind, open) => {
  let opened: Opened;
  let topics = 0;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened?.close());

  async function freshTopic(): Promise<string> {
    topics += 1;
    const topic = `contract-${Date.now()}-${topics}`;
    await opened.createTopic(topic);
    return topic;
  }

  const keyed = (count: number): NewMessage[] => Array.from({ length: count }, (_, at) => ({ value: Buffer.from(`m${at}`), key: 'one' }));
  const texts = (messages: readonly LogMessage[]) => messages.map(({ value }) => String(value));

  /** The four partitions, and the one that holds what was appended under the key. */
  async function consume(topic: string, partition = 0) {
    const partitions: AssignedPartition[] = [];
    const consumer = await opened.log.consume({
      topics: [topic],
      group: `g-${topic}`,
      readAheadBytes: 1_000_000,
      logger: silentLogger,
      onFailure: () => {},
      onAssigned: (each) => partitions.push(each),
    });
    await until(
      async () => partitions.length,
      (count) => count >= 4,
      30_000,
    );
    const wanted = partitions.find((each) => each.partition === partition);
    if (wanted === undefined) throw new Error(`partition ${partition} was not assigned`);
    return { consumer, partitions, wanted };
  }

  async function take(partition: AssignedPartition, count: number): Promise<LogMessage[]> {
    const taken: LogMessage[] = [];
    const deadline = Date.now() + 20_000;
    while (taken.length < count && Date.now() < deadline)
      taken.push(...(await partition.next({ maxWaitMs: 500, maxBytes: 1_000_000 })).messages);
    return taken;
  }

  test('says what it is and keeps its identity', async () => {
    expect(opened.log.kind).toBe(kind);
    expect(await opened.log.describe()).not.toBe('');
    expect(await opened.log.id()).toBe(await opened.log.id());
  });

  test('answers an append with the place of every message, and gives them back there, in order, from any position', async () => {
    const topic = await freshTopic();
    const places = await opened.log.append(topic, keyed(60));
    expect(places).toEqual(keyed(60).map((_, offset) => ({ partition: places[0]?.partition, offset })));
    const { consumer, wanted } = await consume(topic, places[0]?.partition);
    for (const from of [0, 40, 10]) {
      wanted.seek(from);
      expect(texts(await take(wanted, 60 - from))).toEqual(
        keyed(60)
          .slice(from)
          .map(({ value }) => String(value)),
      );
    }
    await consumer.stop();
  });

  test('keeps bytes and headers as they came', async () => {
    const topic = await freshTopic();
    const message = { value: Buffer.from([0, 255, 10, 13, 0x7b]), headers: { 'gatetrail-tenant': 'ä€', empty: '' } };
    const [place] = await opened.log.append(topic, [message]);
    const { consumer, wanted } = await consume(topic, place?.partition);
    wanted.seek(0);
    const [got] = await take(wanted, 1);
    expect({ value: got?.value, headers: got?.headers }).toEqual(message);
    await consumer.stop();
  });

  test('gives at most the bytes that were asked for, but at least one message', async () => {
    const topic = await freshTopic();
    const [place] = await opened.log.append(
      topic,
      Array.from({ length: 6 }, () => ({ value: Buffer.alloc(1_000), key: 'one' })),
    );
    const { consumer, wanted } = await consume(topic, place?.partition);
    wanted.seek(0);
    const first = await until(
      () => wanted.next({ maxWaitMs: 500, maxBytes: 1 }),
      ({ messages }) => messages.length > 0,
      20_000,
    );
    expect(first.messages).toHaveLength(1);
    expect((await take(wanted, 5)).map(({ offset }) => offset)).toEqual([1, 2, 3, 4, 5]);
    await consumer.stop();
  });

  test('waits for what is appended later, and no longer than asked', async () => {
    const topic = await freshTopic();
    const { consumer, partitions } = await consume(topic);
    for (const partition of partitions) partition.seek(0);
    expect(await partitions[0]?.next({ maxWaitMs: 200, maxBytes: 1_000 })).toMatchObject({ from: 0, to: 0, messages: [] });
    const [place] = await opened.log.append(topic, keyed(3));
    const later = partitions.find(({ partition }) => partition === place?.partition);
    expect(later && texts(await take(later, 3))).toEqual(['m0', 'm1', 'm2']);
    await consumer.stop();
  });

  test('tells the bounds of every partition, fresh ones too', async () => {
    const topic = await freshTopic();
    const before = await opened.log.bounds([topic]);
    expect(before.map(({ low, high }) => high - low)).toEqual([0, 0, 0, 0]);
    await opened.log.append(topic, keyed(7));
    const after = await opened.log.bounds([topic]);
    expect(after.reduce((sum, { low, high }) => sum + high - low, 0)).toBe(7);
  });

  test('hands out nothing at a position that it never had, and says where it ends', async () => {
    const topic = await freshTopic();
    const [place] = await opened.log.append(topic, keyed(5));
    const { consumer, wanted } = await consume(topic, place?.partition);
    wanted.seek(500);
    const answer = await until(
      () => wanted.next({ maxWaitMs: 500, maxBytes: 1_000 }),
      ({ high }) => high === 5,
      30_000,
    );
    expect(answer).toMatchObject({ from: 500, to: 500, messages: [] });
    await consumer.stop();
  });

  test('ends the assignment when the consumer stops: nothing waits, and no commit is taken', async () => {
    const topic = await freshTopic();
    const { consumer, partitions } = await consume(topic);
    await consumer.stop();
    expect(partitions.every(({ revoked }) => revoked.aborted)).toBe(true);
    await expect(partitions[0]?.commit(1)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  });
});
