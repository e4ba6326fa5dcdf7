/**
 * ClickHouse is away, slow, or refuses for a reason that passes: partitions pause, the member stays in its group, memory
 * stays within its bound, and everything arrives afterwards, once. Wherever it can, the engine itself gives the refusal.
 */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bufferBound } from '../../ingest/buffer.ts';
import { defaultLimits } from '../../ingest/life.ts';
import { campaign, seeded } from '../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { mountDisk } from '../support/disk.ts';
import { describeEngine, keepAlive, startEmbeddedEngine, type TestEngine } from '../support/engine.ts';
import { type Gate, startGate } from '../support/gate.ts';
import { ingestEnvironment, startGatetrail, until, type Running } from '../support/gatetrail.ts';
import { type KafkaProxy, startKafkaProxy } from '../support/kafka-proxy.ts';
import { startKafka, type TestKafka } from '../support/kafka.ts';
import { mebibytes, rssOf, watchRss } from '../support/memory.ts';
import { clean, isCovered, judge } from '../support/oracle.ts';
import { startProducer, type Producer } from '../support/producer.ts';
import { sqlRows, sqlText } from '../support/sql.ts';
import { none, startToxics, type Toxics } from '../support/toxics.ts';

const partitions = 4;
const { sizes, seed, ...printed } = campaign(
  'outages',
  { awayS: 3, holdS: 0, rate: 1_000, kinds: 5, diskMiB: 256 },
  { awayS: 600, holdS: 30, rate: 2_000, kinds: 10, diskMiB: 3_000 },
);

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-outages-'));
const engineFolder = join(folder, 'data');
/** Null where this process may not mount: then the engine's own reserve stands for the full disk alone. */
const disk = mountDisk(engineFolder, `size=${sizes.diskMiB}m`);
const topic = `outages-${Date.now()}`;

let kafka: TestKafka;
let kafkaProxy: KafkaProxy;
let engine: TestEngine;
let database: TestDatabase;
let toxics: Toxics;
let gate: Gate;
let ingest: Running;
let producer: Producer;

beforeAll(async () => {
  kafkaProxy = await startKafkaProxy();
  [kafka, engine] = await Promise.all([
    startKafka({ partitions, properties: { 'advertised.listeners': `PLAINTEXT://${kafkaProxy.address}` } }),
    startEmbeddedEngine({ dataDir: engineFolder }),
  ]);
  const [host = '', port = ''] = (kafka.brokers[0] ?? '').split(':');
  kafkaProxy.target = { host, port: Number(port) };
  console.log(`log: ${await kafka.describe()}; engine: ${await describeEngine(engine)}`);
  toxics = await startToxics(() => engine.url, seeded(seed));
  gate = await startGate(() => toxics.url);
  await gate.open();
  await kafka.createTopic(topic, partitions);
  database = await freshDatabase(engine);
  producer = await startProducer({ brokers: [kafkaProxy.address], topic, partitions, seed });
  ingest = await startGatetrail(['ingest'], {
    dataDir: join(folder, 'ingest'),
    env: ingestEnvironment({ brokers: [kafkaProxy.address], topic, database: database.name, server: { ...engine, url: gate.url } }),
  });
});

afterAll(async () => {
  await ingest?.kill();
  await producer?.close();
  await database?.close();
  await gate?.shut();
  await toxics?.close();
  await Promise.allSettled([engine?.stop(), kafka?.stop()]);
  kafkaProxy?.close();
  disk?.unmount();
  rmSync(folder, { recursive: true, force: true });
});

interface Outage {
  readonly name: string;
  /** Why the role is not ready meanwhile; null where it may well be. */
  readonly reason: RegExp | null;
  readonly seconds: number;
  begin(): Promise<unknown>;
  end(): Promise<unknown>;
}

const setting = async (settings: string) => sqlText(engine, `ALTER TABLE events MODIFY SETTING ${settings}`, database.name);
const restored = async (name: string) => sqlText(engine, `ALTER TABLE events RESET SETTING ${name}`, database.name);
const toxic = (name: string, given: Partial<Toxics['toxic']>, reason: RegExp | null = null): Outage => ({
  name,
  reason,
  seconds: reason === null ? Math.max(1, sizes.holdS) : sizes.holdS,
  begin: async () => (toxics.toxic = { ...none, ...given }),
  end: async () => (toxics.toxic = none),
});
const refusing = (name: string, of: string, { on, off }: Record<'on' | 'off', string>, reason: RegExp): Outage => ({
  name,
  reason,
  seconds: sizes.holdS,
  begin: () => setting(`${of} = ${on}`),
  end: () => setting(`${of} = ${off}`),
});
const filler = join(engineFolder, 'filler');
let keeping: ReturnType<typeof keepAlive> | undefined;

/** The short form takes the first of them; the full disk of its own is in test/integration/trouble too. */
const allOutages: readonly Outage[] = [
  {
    name: 'away',
    reason: /^BACKEND_UNAVAILABLE/,
    seconds: sizes.awayS,
    begin: () => gate.shut(),
    end: () => gate.open(),
  },
  {
    name: 'too many parts (252)',
    reason: /^BACKEND_BUSY: .*code 252, TOO_MANY_PARTS/,
    seconds: sizes.holdS,
    begin: () => setting('parts_to_delay_insert = 1, parts_to_throw_insert = 1'),
    end: () => restored('parts_to_delay_insert, parts_to_throw_insert'),
  },
  toxic(
    'memory limit (241)',
    { settings: { max_memory_usage: '1', max_untracked_memory: '0' } },
    /^BACKEND_BUSY: .*code 241, MEMORY_LIMIT_EXCEEDED/,
  ),
  refusing('a table that is only read (774)', 'table_readonly', { on: '1', off: '0' }, /^BACKEND_READ_ONLY: .*code 774/),
  toxic('a third of the connections reset', { resets: 0.33 }),
  toxic('a user that may only read (164)', { settings: { readonly: '1' } }, /^BACKEND_READ_ONLY: .*code 164, READONLY/),
  refusing(
    'no space by the reserve of the engine (243)',
    'min_free_disk_bytes_to_perform_insert',
    { on: '1000000000000000', off: '0' },
    /^DISK_FULL/,
  ),
  toxic('latency of 2 s', { latencyMs: 2_000 }),
  toxic('1 KB/s', { bytesPerSecond: 1_000 }),
  {
    name: 'a disk that is full',
    reason: disk === null ? null : /^DISK_FULL/,
    seconds: sizes.holdS,
    async begin() {
      keeping = keepAlive(engine); // one of which a write fails ends
      if (disk !== null) expect(() => fill(filler)).toThrow('ENOSPC');
    },
    async end() {
      rmSync(filler, { force: true });
      await keeping?.end();
    },
  },
];
const outages = allOutages.slice(0, sizes.kinds);

/** Takes all the space there is. */
function fill(file: string): never {
  for (;;) appendFileSync(file, Buffer.alloc(1024 * 1024));
}

async function reasons(): Promise<string[]> {
  const response = await fetch(`${ingest.ready.url}/readyz`);
  return ((await response.json()) as { reasons: string[] }).reasons;
}
const isReady = () => until(reasons, (all) => all.length === 0, 240_000);
const place = () => ({ server: engine, database: database.name, topic });
const wait = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
const counts = () => ({ joins: kafkaProxy.asked('joinGroup').length, heartbeats: kafkaProxy.asked('heartbeat').length });

// A busy machine takes several times as long; the full form as long as its campaign gives it.
const timeout = printed.full ? 1_800_000 : 600_000;

test('every acknowledged record arrives once after any outage, and no partition is taken away by it', { timeout }, async () => {
  producer.start(sizes.rate);
  await isReady();
  await until(
    () => sqlRows<{ n: string }>(engine, 'SELECT count() AS n FROM events', database.name),
    ([row]) => row?.n !== '0',
    30_000,
  );
  const startedAt = Date.now();
  const [rssBefore, before] = [rssOf(ingest.pid), counts()];
  const rss = watchRss(ingest.pid);
  for (const outage of outages) {
    const beganAt = Date.now();
    const seconds = () => ((Date.now() - beganAt) / 1000).toFixed(1);
    await outage.begin();
    const begunS = seconds();
    const { reason } = outage;
    if (reason !== null) await until(reasons, (all) => all.some((each) => reason.test(each)), 240_000);
    const toldS = seconds();
    await wait(outage.seconds);
    await outage.end();
    const endedS = seconds();
    await isReady();
    console.log(
      `${outage.name}: begun ${begunS} s, told ${toldS} s, ended ${endedS} s, ready ${seconds()} s; at most ${mebibytes(rss.most())} MiB so far`,
    );
  }
  await producer.stop();
  await until(() => isCovered(place(), producer.acknowledged), Boolean, 120_000).catch(() => {}); // the verdict says what is missing
  const tookS = (Date.now() - startedAt) / 1000;
  const after = counts();
  const verdict = await judge(place(), producer.acknowledged);
  const grewBy = rss.stop() - rssBefore;
  const refused = await sqlRows(engine, "SELECT kafka_offset FROM dead_letters FINAL WHERE code = 'STORE_REFUSED'", database.name);
  printed.report({
    outages: outages.map(({ name }) => name),
    tookS: Math.round(tookS),
    recordsPerSecond: producer.rate,
    joins: after.joins - before.joins,
    heartbeats: after.heartbeats - before.heartbeats,
    rssMiB: { before: mebibytes(rssBefore), grewBy: mebibytes(grewBy), bound: mebibytes(bufferBound(defaultLimits, partitions)) },
    storeRefused: refused.length,
    ...verdict,
  });
  expect(verdict).toMatchObject(clean);
  expect(verdict.records).toBe(producer.records);
  expect(refused).toEqual([]);
  expect(after.joins).toBe(before.joins);
  // One is due every 3 s; a busy machine may lose some, but the session of 45 s holds by a third of them.
  expect(after.heartbeats - before.heartbeats).toBeGreaterThan(tookS / 10);
  expect(grewBy).toBeLessThan(1.15 * bufferBound(defaultLimits, partitions));
});
