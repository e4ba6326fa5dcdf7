/** What every log promises, asked of Kafka and of the journal alike. */
import { spawn } from 'node:child_process';
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
  /** A module that opens the same log in another process, as `log`. */
  readonly program: string;
  createTopic(name: string): Promise<void>;
  close(): Promise<void>;
}

const built = (path: string) => JSON.stringify(join(import.meta.dirname, '../../../dist', path));

async function kafka(): Promise<Opened> {
  const broker: TestKafka = await startKafka({ partitions: 4 });
  const folder = mkdtempSync(join(tmpdir(), 'gatetrail-contract-'));
  const options = { brokers: broker.brokers, clientId: 'contract', membershipFolder: folder };
  const log = openKafka({ ...options, logger: silentLogger });
  const close = async () => {
    await log.close();
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const program = `
    import { openKafka } from ${built('ingest/logs/kafka.js')};
    import { silentLogger } from ${built('core/logger.js')};
    const log = openKafka({ ...${JSON.stringify(options)}, logger: silentLogger });`;
  const createTopic = async (name: string) => {
    await broker.createTopic(name, 4);
    // A partition that was just made has no leader for a moment, and says so.
    await until(
      () => log.bounds([name]).catch(() => []),
      (bounds) => bounds.length === 4,
      20_000,
    );
  };
  return { log, program, createTopic, close };
}

async function journal(): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), 'gatetrail-contract-'));
  const log = openJournal({ folder, key: deriveKey('a secret of the tests', 'journal') });
  const program = `
    import { openJournal } from ${built('ingest/logs/journal.js')};
    import { deriveKey } from ${built('core/keys.js')};
    import { silentLogger } from ${built('core/logger.js')};
    const log = openJournal({ folder: ${JSON.stringify(folder)}, key: deriveKey('a secret of the tests', 'journal') });`;
  const close = async () => {
    await log.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { log, program, createTopic: async () => {}, close };
}

/** Another process; it prints lines, and ends by SIGKILL alone. */
function start(text: string) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const exited = new Promise((resolve) => child.once('exit', resolve));
  return {
    lines: () => out.split('\n').slice(0, -1),
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
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

  test('gives messages back at offsets that are asked for, beside a consumer and without a trace of its own', async () => {
    const topic = await freshTopic();
    const [place] = await opened.log.append(topic, keyed(40));
    const { consumer, wanted } = await consume(topic, place?.partition);
    wanted.seek(30);
    const at = async (offsets: readonly number[]) => {
      const found: LogMessage[] = [];
      for await (const message of opened.log.read({ topic, partition: place?.partition ?? 0 }, offsets)) found.push(message);
      return found.map(({ offset, value }) => `${offset} ${String(value)}`);
    };
    expect(await at([0, 3, 4, 39])).toEqual(['0 m0', '3 m3', '4 m4', '39 m39']);
    expect(await at([39, 40, 500])).toEqual(['39 m39']);
    expect(await at([])).toEqual([]);
    expect(texts(await take(wanted, 10))[0]).toBe('m30');
    await consumer.stop();
    expect(await opened.log.readers(`g-${topic}`)).toEqual([]);
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

  test('a killed writer leaves what it was told is there, and those who append and read beside it go on', async () => {
    const topic = await freshTopic();
    const writer = start(`${opened.program}
      for (let at = 0; ; at += 1) {
        const [{ offset }] = await log.append('${topic}', [{ value: Buffer.from('theirs' + at), key: 'one' }]);
        console.log(offset + ' theirs' + at);
      }`);
    const [place] = await opened.log.append(topic, keyed(1));
    const { consumer, wanted } = await consume(topic, place?.partition);
    wanted.seek(0);
    const read: LogMessage[] = [];
    while (writer.lines().length < 30) read.push(...(await wanted.next({ maxWaitMs: 100, maxBytes: 1_000_000 })).messages);
    await writer.kill();
    const [last] = await opened.log.append(topic, [{ value: Buffer.from('after it'), key: 'one' }]);
    read.push(...(await take(wanted, (last?.offset ?? 0) + 1 - read.length)));
    expect(read.map(({ offset }) => offset)).toEqual(read.map((_, at) => at));
    // The broker may have had one more request of the killed writer in its socket, and taken it after ours.
    expect(read[last?.offset ?? -1]).toMatchObject({ offset: last?.offset, value: Buffer.from('after it') });
    for (const line of writer.lines()) expect(line).toBe(`${line.split(' ')[0]} ${String(read[Number(line.split(' ')[0])]?.value)}`);
    await consumer.stop();
  });

  test('a killed reader leaves the log to those who append, and its group to the next reader at once', async () => {
    const topic = await freshTopic();
    const reader = start(`${opened.program}
      await log.consume({ topics: ['${topic}'], group: 'g-${topic}', readAheadBytes: 1e6, logger: silentLogger, onFailure() {},
        async onAssigned(partition) {
          partition.seek(0);
          for (;;) for (const { value } of (await partition.next({ maxWaitMs: 100, maxBytes: 1e6 })).messages) console.log(String(value));
        } });`);
    const [place] = await opened.log.append(topic, keyed(100));
    await until(
      async () => reader.lines().length,
      (count) => count >= 100,
      30_000,
    );
    const appending = opened.log.append(topic, keyed(50));
    await reader.kill();
    await appending;
    await opened.log.append(topic, keyed(10));
    const startedAt = performance.now();
    const { consumer, wanted } = await consume(topic, place?.partition);
    expect(performance.now() - startedAt).toBeLessThan(20_000); // the session of a dead member of Kafka is 45 s
    wanted.seek(0);
    expect(texts(await take(wanted, 160))).toEqual([100, 50, 10].flatMap((count) => keyed(count).map(({ value }) => String(value))));
    await consumer.stop();
  });
});
