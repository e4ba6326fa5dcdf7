/** What a role needs is away, refuses it or is wrong, at its start or later: what a person reads, and that work goes on by itself with nothing lost. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { type Gate, startGate } from '../../support/gate.ts';
import { runGatetrail, startGatetrail, until, type Running } from '../../support/gatetrail.ts';
import { startKafka, type TestKafka } from '../../support/kafka.ts';
import { sqlRows } from '../../support/sql.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-outages-'));
const dataDir = join(folder, 'data');
const adminKey = 'gtk_outages1_0123456789abcdefghijABCDEFGHIJ01_00000000';
const [topic, intakeTopic] = [`edge-${Date.now()}`, `intake-${Date.now()}`];
const sasl = { user: 'gatetrail', password: 'the right one' };

let kafka: TestKafka;
let engine: TestEngine;
let gate: Gate;
let database: string;
let ingest: Running;
let query: Running;
let alerts: Running;

const environment = (more: Readonly<Record<string, string>> = {}) => ({
  GATETRAIL_SECRET: 'a secret of the tests, long enough to pass',
  GATETRAIL_ADMIN_KEY: adminKey,
  GATETRAIL_KAFKA_BROKERS: kafka.brokers.join(','),
  GATETRAIL_KAFKA_TOPICS: topic,
  GATETRAIL_INTAKE_TOPIC: intakeTopic,
  GATETRAIL_CLICKHOUSE_URL: gate.url,
  GATETRAIL_CLICKHOUSE_USER: engine.user,
  GATETRAIL_CLICKHOUSE_PASSWORD: engine.password,
  GATETRAIL_CLICKHOUSE_DATABASE: database,
  ...more,
});
const role = (name: string, more: Readonly<Record<string, string>> = {}) => startGatetrail([name], { dataDir, env: environment(more) });
const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
  runGatetrail(args, { dataDir, env: environment({ GATETRAIL_PORT: '0', ...more }) });

beforeAll(async () => {
  [kafka, engine] = await Promise.all([startKafka({ partitions: 4, sasl }), startEngine()]);
  gate = await startGate(() => engine.url);
  database = await engine.createDatabase();
  await kafka.createTopic(topic, 4);
  [ingest, query, alerts] = await Promise.all([role('ingest'), role('query'), role('alerts')]);
}, 240_000);

afterAll(async () => {
  await Promise.allSettled([ingest?.stop(), query?.stop(), alerts?.stop()]);
  await gate?.shut();
  await Promise.allSettled([engine?.stop(), kafka?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

async function readiness({ ready: { url } }: Running): Promise<{ status: number; reasons: string[] }> {
  const response = await fetch(`${url}/readyz`);
  return { status: response.status, reasons: ((await response.json()) as { reasons: string[] }).reasons };
}
/** Waits until the role is not ready for this reason. */
const says = (running: Running, reason: RegExp) =>
  until(
    () => readiness(running),
    ({ status, reasons }) => status === 503 && reasons.some((each) => reason.test(each)),
    30_000,
  );
const isReady = (running: Running) =>
  until(
    () => readiness(running),
    ({ status }) => status === 200,
    60_000,
  );

let sent = 0;
/** Every record has a path of its own, so that a lost one and a doubled one both show. */
const record = () => JSON.stringify({ timestamp: new Date().toISOString(), gateway_kind: 'mesh', url_path: `/outages/${(sent += 1)}` });

async function produce(count: number): Promise<void> {
  const producer = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).producer({
    allowAutoTopicCreation: false,
    idempotent: true, // a topic that was just made refuses a part of a request, and all of it is sent again
    maxInFlightRequests: 1,
  });
  await producer.connect();
  await producer.send({ topic, acks: -1, messages: Array.from({ length: count }, (_, at) => ({ value: record(), partition: at % 4 })) });
  await producer.disconnect();
}

async function post(): Promise<{ status: number; text: string }> {
  const response = await fetch(`${query.ready.url}/v1/records`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: record(),
  });
  if (response.status !== 202) sent -= 1; // nobody said that it is kept
  return { status: response.status, text: await response.text() };
}

/** Exactly what was acknowledged, once. */
async function allStored(): Promise<void> {
  const count = async () =>
    (await sqlRows<{ n: number; paths: number }>(engine, 'SELECT count() AS n, uniqExact(url_path) AS paths FROM events', database))[0];
  const found = await until(count, (now) => (now?.paths ?? 0) >= sent, 60_000);
  expect(found).toEqual({ n: sent, paths: sent });
}

describe('ClickHouse', () => {
  test('that does not answer at the start is named by every role with its address', async () => {
    const reason = new RegExp(`^BACKEND_UNAVAILABLE: ClickHouse does not answer at ${gate.url}: .*ECONNREFUSED`);
    for (const running of [ingest, query, alerts]) await says(running, reason);
  });

  test('that lacks the tables is told with the command that makes them', async () => {
    await gate.open();
    for (const running of [ingest, query, alerts]) await says(running, /^NOT_READY: .*gatetrail migrate applies them/);
    expect(await run(['migrate'])).toMatchObject({ code: 0 });
    for (const running of [query, alerts]) await isReady(running);
  });

  test.each(['migrate', 'ingest', 'alerts'])('that refuses the password ends %s with 2 and the settings to mend', async (verb) => {
    const { code, log } = await run([verb], { GATETRAIL_CLICKHOUSE_PASSWORD: 'a wrong one' });
    expect(log).toMatch(`SIGN_IN_REFUSED`);
    expect(log).toMatch(`ClickHouse at ${gate.url} refused the user ${engine.user}`);
    expect(log).toMatch('Mend clickhouse.user and clickhouse.password');
    expect(log).not.toContain('a wrong one');
    expect(code).toBe(2);
  });
});

describe('a topic that is missing', () => {
  test('is named by readiness and to whoever posts into it, and all goes on once it is made', async () => {
    await says(ingest, new RegExp(`^TOPIC_MISSING: Kafka has no topic ${intakeTopic}; create it`));
    const refused = await post();
    expect(refused.status).toBe(404);
    expect(refused.text).toMatch(new RegExp(`TOPIC_MISSING.*${intakeTopic}`));
    await produce(8);
    await kafka.createTopic(intakeTopic, 4);
    await isReady(ingest);
    expect(await post()).toMatchObject({ status: 202 });
    await allStored();
  });
});

describe('an outage', () => {
  test('of ClickHouse is told by every role, and what came meanwhile is stored once after it', async () => {
    await gate.shut();
    await produce(400);
    expect(await post()).toMatchObject({ status: 202 });
    for (const running of [ingest, query, alerts]) await says(running, /^BACKEND_UNAVAILABLE: ClickHouse does not answer at/);
    await gate.open();
    for (const running of [ingest, query, alerts]) await isReady(running);
    await allStored();
  });

  test('of Kafka is told with the broker, nothing is acknowledged meanwhile, and all goes on after it', async (context) => {
    if (kafka.branch !== 'maven') return context.skip('this Kafka is not ours to kill');
    await produce(400);
    await kafka.kill();
    await says(ingest, new RegExp(`^LOG_UNAVAILABLE: Kafka at ${kafka.brokers.join(',')} does not answer`));
    const refused = await post();
    expect(refused.status).toBe(503);
    expect(refused.text).toContain('LOG_UNAVAILABLE');
    await kafka.restart();
    await isReady(ingest);
    await until(post, ({ status }) => status === 202, 60_000);
    await produce(400);
    await allStored();
  });
});

describe('a clock', () => {
  test('that is two minutes off claims nothing and says so, and goes on when it was put right', async () => {
    await ingest.stop();
    const hours = join(folder, 'off-by-ms');
    const clock = join(folder, 'clock.mjs');
    writeFileSync(hours, '120000');
    // The clock of the whole process, put forward: what the product reads of time is this.
    writeFileSync(
      clock,
      `import { readFileSync } from 'node:fs';
const now = Date.now;
Date.now = () => now() + Number(readFileSync(${JSON.stringify(hours)}, 'utf8'));
`,
    );
    ingest = await role('ingest', { NODE_OPTIONS: `--import=${clock}` });
    const claims = async () => (await sqlRows<{ n: number }>(engine, 'SELECT count() AS n FROM batches', database))[0]?.n;
    await says(
      ingest,
      /^CLOCK_SKEW: The clock of this machine and that of ClickHouse differ by -1(19|20) s; at most 60 s are allowed. Synchronise them/,
    );
    const before = await claims();
    await produce(8);
    expect(await post()).toMatchObject({ status: 202 });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await claims()).toBe(before);
    writeFileSync(hours, '0');
    await isReady(ingest);
    await allStored();
  });
});

describe('Kafka', () => {
  const elsewhere = { GATETRAIL_KAFKA_GROUP: 'another' };

  test('that does not answer at the start is named by readiness with its address', async () => {
    const alone = await role('ingest', { GATETRAIL_KAFKA_BROKERS: '127.0.0.1:9' });
    await says(alone, /^LOG_UNAVAILABLE: Kafka at 127\.0\.0\.1:9 does not answer/);
    expect(await alone.stop()).toBe(0);
  });

  test('that asks who we are is read with the right password, and refuses a wrong one with the settings to mend', async (context) => {
    if (kafka.saslBroker === undefined) return context.skip('this Kafka has no listener that asks');
    const signedIn = (password: string) => ({
      ...elsewhere,
      GATETRAIL_KAFKA_BROKERS: kafka.saslBroker ?? '',
      GATETRAIL_KAFKA_SASL: 'plain',
      GATETRAIL_KAFKA_USER: sasl.user,
      GATETRAIL_KAFKA_PASSWORD: password,
    });
    const right = await role('ingest', signedIn(sasl.password));
    await isReady(right);
    expect(await right.stop()).toBe(0);
    const { code, log } = await run(['ingest'], signedIn('a wrong one'));
    expect(log).toMatch(
      /SIGN_IN_REFUSED.*Kafka at 127\.0\.0\.1:\d+ refused the user gatetrail by plain.*Mend kafka\.sasl, kafka\.user and kafka\.password/,
    );
    expect(log).not.toContain('a wrong one');
    expect(code).toBe(2);
  });
});

describe('a topic that was made anew', () => {
  test('is told with the command that accepts it, and goes on under a new epoch', async () => {
    await ingest.stop();
    await kafka.deleteTopic(topic);
    await until(
      () =>
        kafka.createTopic(topic, 4).then(
          () => true,
          () => false, // Kafka deletes in its own time
        ),
      (made) => made,
      30_000,
    );
    await produce(4);
    ingest = await role('ingest');
    await says(
      ingest,
      new RegExp(
        `^LOG_REPLACED: ${topic}/\\d is not the log that the ledger knows.*gatetrail positions new-epoch --topic ${topic} --reason TEXT`,
      ),
    );
    const again = ['positions', 'new-epoch', '--topic', topic, '--reason', 'made anew by a test', '--json'];
    const refused = await run(again);
    expect(refused).toMatchObject({ code: 75, out: '' });
    expect(refused.log).toMatch(/^NOT_READY: Ingest reads now: gatetrail-/m);
    await ingest.stop();
    const accepted = await run(again);
    expect(accepted.log).toBe('');
    expect(
      accepted.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([0, 1, 2, 3].map((partition) => ({ topic, sourceEpoch: 2, partition, position: 0, isOpen: false })));
    ingest = await role('ingest');
    await isReady(ingest);
    await allStored();
  });
});
