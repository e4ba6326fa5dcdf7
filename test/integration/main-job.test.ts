/**
 * The main job on real parts: records of three gateways in one Kafka topic, 100,000 in full, come out of GraphQL as exactly the
 * expected events; a burst of refused calls leads to one mail, its end to one resolved mail in the same thread.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompressionTypes, Kafka, logLevel, type Message } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { campaign } from '../support/campaign.ts';
import { describeEngine, startEngine, type TestEngine } from '../support/engine.ts';
import { graphql, startGatetrail, until, type Running } from '../support/gatetrail.ts';
import { startKafka, type TestKafka } from '../support/kafka.ts';
import { startSmtp, type TestSmtp } from '../support/smtp.ts';
import { sqlRows } from '../support/sql.ts';
import { traffic, type TrafficMessage } from '../support/traffic.ts';
import { registerCodecs } from '../support/codecs.ts';

const { sizes, ...printed } = campaign('main-job', { records: 25_000 }, { records: 100_000 });
const { records } = sizes;
const topic = `edge-${Date.now()}`;
const dataDir = mkdtempSync(join(tmpdir(), 'gatetrail-main-'));

let kafka: TestKafka;
let engine: TestEngine;
let smtp: TestSmtp;
let service: Running;
let database: string;
let client: Kafka;

beforeAll(async () => {
  [kafka, engine, smtp] = await Promise.all([startKafka({ partitions: 4 }), startEngine(), startSmtp()]);
  console.log(`log: ${await kafka.describe()}; engine: ClickHouse ${await describeEngine(engine)}`);
  await kafka.createTopic(topic, 4);
  await kafka.createTopic('gatetrail-records', 4).catch(() => {}); // a shared broker has it already
  database = await engine.createDatabase();
  registerCodecs();
  client = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING });
  service = await startGatetrail(['start'], {
    dataDir,
    env: {
      GATETRAIL_SECRET: 'a secret of the tests, long enough to pass',
      GATETRAIL_ADMIN_KEY: adminKey,
      GATETRAIL_KAFKA_BROKERS: kafka.brokers.join(','),
      GATETRAIL_KAFKA_TOPICS: topic,
      GATETRAIL_INGEST_PROCESSES: '2',
      GATETRAIL_CLICKHOUSE_URL: engine.url,
      GATETRAIL_CLICKHOUSE_USER: engine.user,
      GATETRAIL_CLICKHOUSE_PASSWORD: engine.password,
      GATETRAIL_CLICKHOUSE_DATABASE: database,
      GATETRAIL_SMTP_URL: `${smtp.url}?insecure=true`,
      GATETRAIL_MAIL_FROM: 'gatetrail@example.test',
      GATETRAIL_MAIL_TO: 'oncall@example.test',
      GATETRAIL_ALERTS_LATENESS: '2s',
      GATETRAIL_ALERTS_GROUP_WAIT: '1s',
    },
  });
}, 180_000);

afterAll(async () => {
  await service?.stop();
  await Promise.allSettled([smtp?.stop(), engine?.stop(), kafka?.stop()]);
  rmSync(dataDir, { recursive: true, force: true });
});

const adminKey = 'gtk_mainjob1_0123456789abcdefghijABCDEFGHIJ01_00000000';
const asking = () => ({ url: service.ready.url, token: adminKey });

interface Placed {
  readonly partition: number;
  readonly offset: number;
  readonly message: TrafficMessage;
}

/** Produces every message, in chunks of changing compression, and keeps where Kafka says it stands. */
async function produce(messages: readonly TrafficMessage[]): Promise<Placed[]> {
  const producer = client.producer({ allowAutoTopicCreation: false, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const compressions = [CompressionTypes.None, CompressionTypes.GZIP, CompressionTypes.Snappy, CompressionTypes.LZ4, CompressionTypes.ZSTD];
  const placed: Placed[] = [];
  const chunkSize = 400;
  for (let at = 0, chunk = 0; at < messages.length; at += chunkSize, chunk += 1) {
    const partition = chunk % 4;
    const part = messages.slice(at, at + chunkSize);
    const answer = await producer.send({
      topic,
      acks: -1,
      compression: compressions[chunk % compressions.length] ?? CompressionTypes.None,
      messages: part.map(({ key, value }): Message => ({ key, value, partition })),
    });
    const base = Number(answer[0]?.baseOffset);
    part.forEach((message, index) => placed.push({ partition, offset: base + index, message }));
  }
  await producer.disconnect();
  return placed;
}

describe('records of three gateways in one topic', () => {
  const startMs = Date.now() - 3 * 3_600_000; // 50 minutes of records, hours ago
  let placed: Placed[];
  const expected = new Map<string, TrafficMessage['expected'][number]>();
  const at = (partition: number | string, offset: number | string, index: number | string) => `${partition}/${offset}/${index}`;

  beforeAll(async () => {
    placed = await produce(traffic({ seed: 11, records, startMs, formats: ['kong', 'apisix', 'combined'] }).messages);
    for (const { partition, offset, message } of placed)
      message.expected.forEach((element, index) => expected.set(at(partition, offset, index), element));
  }, 120_000);

  test('all of them are accounted for', async () => {
    // A claim stands in the ledger before its rows do: what counts is that all of it was stored.
    const totals = () =>
      sqlRows<Record<'total' | 'claimed' | 'stored' | 'balanced', string>>(
        engine,
        `SELECT sum(records) AS total, sum(events) AS claimed, (SELECT count() FROM events WHERE topic = '${topic}') AS stored,
           min(records = events + rejected + skipped) AS balanced
         FROM batches WHERE topic = '${topic}' AND first_offset >= 0`,
        database,
      );
    const isStored = ([row]: Awaited<ReturnType<typeof totals>>) => Number(row?.total) >= expected.size && row?.stored === row?.claimed;
    const [ledger] = await until(totals, isStored, 100_000);
    expect(Number(ledger?.total)).toBe(expected.size);
    expect(Number(ledger?.balanced)).toBe(1);
    expect(expected.size).toBeGreaterThanOrEqual(records);
  });

  test('both processes of ingest had a share of them', async () => {
    const sql = `SELECT writer, count() AS batches FROM batches WHERE topic = '${topic}' AND events > 0 GROUP BY writer`;
    expect(await sqlRows(engine, sql, database)).toHaveLength(2);
  });

  test('every event is there once, with every column that its format gives', async () => {
    const kinds = [...expected.values()].filter(({ kind }) => kind === 'event').length;
    let seen = 0;
    const wrong: unknown[] = [];
    for (let partition = 0; partition < 4; partition += 1) {
      const rows = await sqlRows<Record<string, unknown>>(
        engine,
        `SELECT * FROM events WHERE topic = '${topic}' AND kafka_partition = ${partition} ORDER BY kafka_offset, message_index`,
        database,
      );
      for (const row of rows) {
        seen += 1;
        const place = at(partition, String(row['kafka_offset']), String(row['message_index']));
        const element = expected.get(place);
        expected.delete(place); // a second row of the same place finds nothing
        if (element?.kind !== 'event') wrong.push({ place, expected: element, got: row });
        else
          for (const [column, value] of Object.entries(element.row))
            if (!same(row[column], value)) wrong.push({ place, column, value, got: row[column] });
      }
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(wrong).toHaveLength(0);
    expect(seen).toBe(kinds);
  });

  test('what could not be read is a dead letter with its reason, and nothing is missing', async () => {
    const letters = await sqlRows<Record<string, string>>(engine, `SELECT * FROM dead_letters FINAL WHERE topic = '${topic}'`, database);
    for (const letter of letters) {
      const place = at(letter['kafka_partition'] ?? '', letter['kafka_offset'] ?? '', letter['message_index'] ?? '');
      expect({ place, code: letter['code'] }).toEqual({ place, code: (expected.get(place) as { code?: string } | undefined)?.code });
      expected.delete(place);
    }
    expect(letters.length).toBeGreaterThan(records / 200);
    expect([...expected.entries()].filter(([, element]) => element.kind !== 'skipped').slice(0, 5)).toEqual([]);
  });

  test('GraphQL returns each of them once, page by page', async () => {
    const page = `query ($range: TimeRange!, $after: String) {
      auditEvents(range: $range, first: 1000, after: $after, filter: {topic: {eq: "${topic}"}}) {
        nodes { id position { partition offset index } } pageInfo { hasNextPage endCursor }
      }
    }`;
    const range = { absolute: { from: new Date(startMs - 3_600_000).toISOString(), to: new Date(Date.now() + 60_000).toISOString() } };
    const ids = new Set<string>();
    let rows = 0;
    for (let after: string | null = null, more = true; more;) {
      const answer: { data: { auditEvents: EventPage } } = await graphql(asking(), page, { range, after });
      expect(answer).not.toHaveProperty('errors');
      const { nodes, pageInfo } = answer.data.auditEvents;
      nodes.forEach(({ id }) => ids.add(id));
      rows += nodes.length;
      more = pageInfo.hasNextPage;
      after = pageInfo.endCursor;
    }
    const [count] = await sqlRows<{ n: string }>(engine, `SELECT count() AS n FROM events WHERE topic = '${topic}'`, database);
    expect(rows).toBe(Number(count?.n));
    expect(ids.size).toBe(rows);
    printed.report({ events: rows });
  });
});

interface EventPage {
  readonly nodes: readonly { readonly id: string }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** Numbers by value, whatever JSON made of them; lists and maps by content. */
function same(got: unknown, expected: unknown): boolean {
  if (typeof expected === 'number')
    return typeof got !== 'object' && Math.abs(Number(got) - expected) < 1e-9 * Math.max(1, Math.abs(expected));
  if (typeof expected === 'object' && expected !== null) return JSON.stringify(got) === JSON.stringify(expected);
  return got === expected;
}

describe('a burst of refused calls', () => {
  const minute = 60_000;
  /** Kong records with their own times: what stands between the burst and now passes in no time. */
  const kong = (at: number, status: number, client: string) =>
    JSON.stringify({
      request: { id: `${at}-${client}`, method: 'POST', uri: '/v1/login', url: 'https://shop.example/v1/login', headers: {}, size: 200 },
      response: { status, size: 100 },
      latencies: { kong: 1, proxy: 4, request: 5 },
      client_ip: client,
      started_at: at,
      source: 'upstream',
    });
  const send = async (values: readonly string[]) => {
    const producer = client.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    // Every partition goes on, so that none of them holds the watermark back.
    for (let partition = 0; partition < 4; partition += 1)
      await producer.send({ topic, acks: -1, messages: values.map((value) => ({ value, partition })) });
    await producer.disconnect();
  };
  const calm = (from: number, to: number) =>
    Array.from({ length: Math.ceil((to - from) / 10_000) }, (_, at) => kong(from + at * 10_000, 200, '198.51.100.7'));

  test('leads to one mail, and its end to one resolved mail in the same thread', async () => {
    const start = Date.now() - 40 * minute;
    const attacker = '203.0.113.66';
    // Later than everything above, so that it is no late data.
    await send(Array.from({ length: 15 }, (_, at) => kong(start + at * 1_000, 401, attacker)));
    await send(calm(start + minute, start + 12 * minute));
    const firing = await until(
      async () => smtp.mails,
      (mails) => mails.length > 0,
      60_000,
    );
    expect(firing[0]?.subject).toMatch(/^\[FIRING\] .*203\.0\.113\.66/);
    await send(calm(start + 12 * minute, Date.now()));
    const mails = await until(
      async () => smtp.mails,
      (all) => all.length > 1,
      60_000,
    );
    expect(mails.map(({ subject }) => subject?.slice(0, 10))).toEqual(['[FIRING] A', '[RESOLVED]']);
    expect(mails[1]?.references).toBe(mails[0]?.references);
    expect(mails[1]?.subject?.replace('[RESOLVED]', '')).toBe(mails[0]?.subject?.replace('[FIRING]', ''));
  });
});
