/**
 * What was stored once is never stored again, whatever becomes of the consumer group, of the writer's memory and of the
 * topic. Kafka's offsets are a hint; the ledger decides.
 */
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadRules } from '../../alerts/alerts.ts';
import { openEmail } from '../../alerts/channels/email.ts';
import { silentLogger } from '../../core/logger.ts';
import { openLedger } from '../../storage/ledger.ts';
import { alertsOn } from '../support/alerts.ts';
import { campaign, seeded } from '../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { describeEngine, startEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/gatetrail.ts';
import { startKafka, type TestKafka } from '../support/kafka.ts';
import { setOffsets } from '../support/offsets.ts';
import { clean, judge } from '../support/oracle.ts';
import { startProducer } from '../support/producer.ts';
import { forgetful, readToEnd, startReader, type ReadOptions } from '../support/reader.ts';
import { startSmtp } from '../support/smtp.ts';
import { sqlRows } from '../support/sql.ts';

const { Kafka, logLevel } = kafkajs;
const partitions = 4;
let kafka: TestKafka;
let engine: TestEngine;
let database: TestDatabase;
let admin: ReturnType<InstanceType<typeof Kafka>['admin']>;

beforeAll(async () => {
  [kafka, engine] = await Promise.all([startKafka({ partitions }), startEngine()]);
  console.log(`log: ${await kafka.describe()}; engine: ${await describeEngine(engine)}`);
  admin = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
});
afterAll(async () => {
  await admin?.disconnect();
  await Promise.allSettled([engine?.stop(), kafka?.stop()]);
});

const { sizes: replayed, ...replay } = campaign('replay', { records: 5_000, resets: 2 }, { records: 20_000, resets: 20 });

let topics = 0;
async function freshTopic(): Promise<string> {
  topics += 1;
  const topic = `replay-${Date.now()}-${topics}`;
  await kafka.createTopic(topic, partitions);
  return topic;
}

/** Sends records to every partition of a topic, and gives what Kafka acknowledged. */
async function produce(topic: string, records: number) {
  const producer = await startProducer({ brokers: kafka.brokers, topic, partitions, seed: topics });
  while (producer.records < records) await producer.round(2_000);
  await producer.close();
  return producer.acknowledged;
}

const read = (topic: string, more: Partial<ReadOptions> = {}) =>
  readToEnd({ brokers: kafka.brokers, clickhouse: database.clickhouse, topics: [topic], group: `g-${topic}`, ...more });

const rows = async () => {
  const count = (table: string) => sqlRows<{ n: string }>(engine, `SELECT count() AS n FROM ${table}`, database.name);
  const [events, letters, claims] = await Promise.all(['events', 'dead_letters', 'batches'].map(count));
  return { events: events?.[0]?.n, letters: letters?.[0]?.n, claims: claims?.[0]?.n };
};

describe('a topic that was stored', () => {
  let topic: string;
  let acknowledged: Awaited<ReturnType<typeof produce>>;
  let before: Awaited<ReturnType<typeof rows>>;

  beforeAll(async () => {
    database = await freshDatabase(engine);
    topic = await freshTopic();
    acknowledged = await produce(topic, replayed.records);
    const { handedOut } = await read(topic);
    expect(handedOut).toBeGreaterThanOrEqual(acknowledged.length);
    before = await rows();
    return () => database.close();
  });

  const verdict = () => judge({ server: engine, database: database.name, topic }, acknowledged);

  test.each([
    ['another group id', async () => ({ group: `other-${topic}` })],
    [
      'deleted offsets',
      async () => {
        await admin.deleteGroups([`g-${topic}`]);
        return {};
      },
    ],
    [
      'offsets set to 0',
      async () => {
        const offsets = Array.from({ length: partitions }, (_, partition) => ({ partition, offset: '0' }));
        await setOffsets(kafka.brokers, { groupId: `g-${topic}`, topic, partitions: offsets });
        return {};
      },
    ],
  ])('gains no row from %s', async (what, change) => {
    const { handedOut, stopped } = await read(topic, await change());
    console.log(`${what}: ${handedOut} of ${acknowledged.length} messages were fetched again`);
    expect(stopped).toEqual([]);
    expect(await rows()).toEqual(before);
    expect(await verdict()).toMatchObject(clean);
  });

  test('misses no row though a foreign tool set the offsets beyond what is stored', async () => {
    const more = await produce(topic, 2_000);
    const ends = await admin.fetchTopicOffsets(topic);
    await setOffsets(kafka.brokers, {
      groupId: `g-${topic}`,
      topic,
      partitions: ends.map(({ partition, high }) => ({ partition, offset: high })),
    });
    const { stopped } = await read(topic);
    expect(stopped).toEqual([]);
    acknowledged = [...acknowledged, ...more];
    before = await rows();
    expect(await verdict()).toMatchObject(clean);
  });

  test('gains no row from a writer that forgot the ledger: it reads from 0 and loses every claim', async () => {
    const refused: string[] = [];
    const { handedOut, stopped } = await read(topic, {
      group: `forgetful-${topic}`,
      writer: 'forgetful',
      position: forgetful(openLedger(database.clickhouse)),
      logger: { ...silentLogger, info: (_, message) => void refused.push(message) },
    });
    const lost = refused.filter((message) => message === 'another writer has this position').length;
    console.log(`a forgetful writer: ${handedOut} messages fetched again, ${lost} claims lost`);
    expect(stopped).toEqual([]);
    expect(handedOut).toBeGreaterThanOrEqual(acknowledged.length);
    expect(lost).toBe(Number(before.claims) - partitions); // every batch, and the origins stand
    expect(await rows()).toEqual(before);
    expect(await verdict()).toMatchObject(clean);
  });
});

describe('a group whose offsets are reset again and again, while more is produced', () => {
  const random = seeded(replay.seed);
  const pick = (below: number) => Math.floor(random() * below);

  type Reset = (topic: string, messages: number) => Promise<unknown>;
  /** Kafka's own tool for operators. */
  const tool =
    (...args: (string | ((messages: number) => string))[]): Reset =>
    (topic, messages) =>
      kafka.tool('org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', [
        '--bootstrap-server',
        kafka.brokers.join(','),
        '--group',
        `g-${topic}`,
        ...args.map((arg) => (typeof arg === 'string' ? arg : arg(messages))),
        ...(args[0] === '--delete' ? [] : ['--topic', topic]),
        ...(args[0] === '--reset-offsets' ? ['--execute'] : []),
      ]);
  const tools: [string, Reset][] = [
    ['to the earliest', tool('--reset-offsets', '--to-earliest')],
    ['to the latest', tool('--reset-offsets', '--to-latest')],
    ['to some offset', tool('--reset-offsets', '--to-offset', (messages) => String(pick(messages)))],
    ['back', tool('--reset-offsets', '--shift-by', (messages) => String(-pick(messages)))],
    ['forward', tool('--reset-offsets', '--shift-by', (messages) => String(pick(messages)))],
    ['offsets deleted', tool('--delete-offsets')],
    ['group deleted', tool('--delete')],
  ];
  const protocol: [string, Reset][] = [
    ['beyond the end', (topic, messages) => setAll(topic, () => 10 * messages)],
    ['each to another offset', (topic, messages) => setAll(topic, () => pick(messages))],
    ['group deleted by the protocol', (topic) => admin.deleteGroups([`g-${topic}`])],
  ];
  const setAll = (topic: string, offset: () => number) =>
    setOffsets(kafka.brokers, {
      groupId: `g-${topic}`,
      topic,
      partitions: Array.from({ length: partitions }, (_, partition) => ({ partition, offset: String(offset()) })),
    });

  test('has every record once after each reset', { timeout: 1_800_000 }, async () => {
    database = await freshDatabase(engine);
    const topic = await freshTopic();
    const producer = await startProducer({ brokers: kafka.brokers, topic, partitions, seed: replay.seed });
    const kinds = kafka.branch === 'maven' ? [...tools, ...protocol] : protocol;
    const made: string[] = [];
    let handedOut = 0;
    try {
      await producer.round(2_000);
      await read(topic);
      while (made.length < replayed.resets) {
        await producer.round(1_000); // a jump to the end would leave this out
        const [name, reset] = kinds[pick(kinds.length)] ?? ['', () => Promise.resolve()];
        await reset(topic, Math.floor(producer.acknowledged.length / partitions));
        made.push(name);
        const reading = await read(topic);
        handedOut += reading.handedOut;
        expect(reading.stopped, name).toEqual([]);
        expect(await judge({ server: engine, database: database.name, topic }, producer.acknowledged), name).toMatchObject(clean);
      }
    } finally {
      await producer.close();
      replay.report({ made, messages: producer.acknowledged.length, records: producer.records, handedOut });
      await database.close();
    }
  });
});

const { sizes, seed, report } = campaign('log-replaced', { rounds: 1 }, { rounds: 12 });
const random = seeded(seed);
/** Between half and all of it, so that each round cuts elsewhere. */
const upTo = (most: number) => Math.ceil(most * (0.5 + random() / 2));

describe.each(Array.from({ length: sizes.rounds }, (_, at) => at + 1))('a topic whose log is another one, round %i,', (round) => {
  afterAll(() => round === sizes.rounds && report({ cases: 3 * round, found: 'LOG_REPLACED, and nothing skipped' }));
  beforeEach(async () => {
    database = await freshDatabase(engine);
    return () => database.close();
  });

  const text = (count: number, prefix = 'a') =>
    Array.from(
      { length: count },
      (_, at) => `{"timestamp":"2026-11-22T09:00:00Z","gateway_kind":"mesh","http_request_method":"GET","url_path":"/${prefix}${at}"}`,
    );

  async function send(topic: string, partition: number, values: readonly string[]): Promise<void> {
    const producer = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    await producer.send({ topic, acks: -1, messages: values.map((value) => ({ value, partition })) });
    await producer.disconnect();
  }

  /** Deleted and created again under its name, as soon as Kafka lets us. */
  async function makeAnew(topic: string): Promise<void> {
    await kafka.deleteTopic(topic);
    await until(
      () =>
        kafka.createTopic(topic, partitions).then(
          () => true,
          () => false,
        ),
      Boolean,
      30_000,
    );
  }

  const paths = async (topic: string) =>
    (
      await sqlRows<{ p: string }>(
        engine,
        `SELECT url_path AS p FROM events WHERE topic = '${topic}' ORDER BY kafka_partition, kafka_offset`,
        database.name,
      )
    ).map(({ p }) => p);
  const both = (...names: string[]) => ({
    brokers: kafka.brokers,
    clickhouse: database.clickhouse,
    topics: names,
    group: `g-${names.join('-')}`,
  });

  test('stands still with LOG_REPLACED where it had something, and the others go on', async () => {
    const [replaced, other] = [await freshTopic(), await freshTopic()];
    const stored = upTo(300);
    await send(replaced, 0, text(stored));
    await send(replaced, 1, text(10));
    await send(other, 0, text(5));
    await readToEnd(both(replaced, other));
    await makeAnew(replaced);
    await send(replaced, 0, text(stored + upTo(300), 'b')); // longer than before: only the message at the end of the ledger tells
    await send(replaced, 1, text(3, 'b'));
    await send(replaced, 2, text(4, 'c')); // nothing was stored of this one
    await send(other, 0, text(7, 'b'));
    expect((await readToEnd(both(replaced, other))).stopped).toEqual([`${replaced}/0: LOG_REPLACED`, `${replaced}/1: LOG_REPLACED`]);
    expect(await paths(replaced)).toEqual([...text(stored), ...text(10), ...text(4, 'c')].map(pathOf));
    expect(await paths(other)).toEqual([...text(5), ...text(7, 'b')].map(pathOf));
  });

  test('stands still when the log was cut back, though what is left is the same', async () => {
    const topic = await freshTopic();
    const stored = upTo(300);
    await send(topic, 0, text(stored));
    await readToEnd(both(topic));
    await makeAnew(topic);
    await send(topic, 0, text(stored - upTo(100)));
    expect((await readToEnd(both(topic))).stopped).toEqual([`${topic}/0: LOG_REPLACED`]);
    expect(await paths(topic)).toEqual(text(stored).map(pathOf));
  });

  test('is a gap on record where it deleted records before they were stored, and people are told by mail, once', async () => {
    const topic = await freshTopic();
    const smtp = await startSmtp();
    const rules = await loadRules();
    try {
      await send(topic, 0, text(10));
      await readToEnd(both(topic));
      await send(topic, 0, text(20, 'b'));
      const deletedAt = Date.now();
      await admin.fetchTopicOffsets(topic); // else this client knows no leader of a topic that is new to it
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '25' }] });
      expect((await readToEnd(both(topic))).stopped).toEqual([]);
      expect(await paths(topic)).toEqual([...text(10), ...text(20, 'b').slice(15)].map(pathOf));
      const [gap, ...others] = await sqlRows<{ first: string; last: string; reason: string; at: string }>(
        engine,
        "SELECT first_offset AS first, last_offset AS last, gap_reason AS reason, toUnixTimestamp64Milli(received_at) AS at FROM batches WHERE gap_reason != ''",
        database.name,
      );
      expect(others).toEqual([]);
      expect(gap).toMatchObject({ first: 10, last: 24, reason: 'RETENTION_OVERRUN' });
      expect(Number(gap?.at)).toBeGreaterThanOrEqual(deletedAt - 1_000); // when it was found, not when the batch before it came
      const alerts = alertsOn(database.clickhouse, {
        rules,
        channels: [openEmail({ from: 'gatetrail@example.org', to: ['oncall@example.org'], smtpUrl: smtp.url, ca: smtp.ca })],
        watermark: { eventTime: async () => null, newMinutes: async () => ({ minutes: [], mark: '' }) },
        clock: { now: () => Date.now() },
      });
      for (let tick = 0; tick < 3; tick += 1) await alerts.tick();
      await alerts.stop();
      expect(smtp.mails.map(({ subject }) => subject)).toEqual([`[FIRING] prod: Lost records of ${topic}/0 - 15 offsets`]);
      expect(smtp.mails[0]?.text).toContain('RETENTION_OVERRUN');
    } finally {
      await smtp.stop();
    }
  });

  test('is noticed while it is read, and the others go on', async () => {
    const [replaced, other] = [await freshTopic(), await freshTopic()];
    await send(replaced, 0, text(20));
    await send(other, 0, text(5));
    const reader = await startReader(both(replaced, other));
    try {
      await reader.end();
      await makeAnew(replaced);
      await send(replaced, 0, text(3, 'b'));
      await send(other, 0, text(7, 'b'));
      expect((await reader.end()).stopped).toEqual([`${replaced}/0: LOG_REPLACED`]);
      expect(await paths(replaced)).toEqual(text(20).map(pathOf));
      expect(await paths(other)).toEqual([...text(5), ...text(7, 'b')].map(pathOf));
    } finally {
      await reader.stop();
    }
  });
});

const pathOf = (record: string) => (JSON.parse(record) as { url_path: string }).url_path;
