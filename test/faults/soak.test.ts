/**
 * Faults of all kinds at random under sustained load: kills, processes that stand still, a network that holds back and
 * loses inserts, brokers that come and go, members that join and leave. Two ingest processes share the topic; one of them
 * is never killed, so that its memory can be watched over the whole time. While the other is dead it carries all the load.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { campaign, seeded, shuffled } from '../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { derivedFaults } from '../support/derived.ts';
import { describeEngine, startEmbeddedEngine, type TestEngine } from '../support/engine.ts';
import { ingestEnvironment, startGatetrail, until, type Running } from '../support/gatetrail.ts';
import { startKafka, type TestKafka } from '../support/kafka.ts';
import { backlogOf, startLoad, type Load } from '../support/load.ts';
import { collecting, livingBytes } from '../support/living.ts';
import { type RssSample, rssSlope, slopeOf, watchRss } from '../support/memory.ts';
import { clean } from '../support/oracle.ts';
import { startHoldingProxy, type HoldingProxy } from '../support/proxy.ts';
import { keepRollingUp } from '../support/rolling-up.ts';

const partitions = 4;
const { sizes, seed, ...printed } = campaign(
  'soak',
  { seconds: 15, rate: 2_000, maxFaultMs: 1_000, rollupSeconds: 2, batchMiB: 4, faultsPerRest: 4, behindSeconds: 2 },
  { seconds: 1_200, rate: 5_500, maxFaultMs: 50_000, rollupSeconds: 20, batchMiB: 4, faultsPerRest: 4, behindSeconds: 60 },
);
const random = seeded(seed);
const topic = `soak-${Date.now()}`;
const folders = ['steady', 'mortal', 'guest'].map((name) => mkdtempSync(join(tmpdir(), `gatetrail-soak-${name}-`)));
const [steadyFolder = '', mortalFolder = '', guestFolder = ''] = folders;

let kafka: TestKafka;
let engine: TestEngine;
let database: TestDatabase;
let proxy: HoldingProxy;
let load: Load;
let steady: Running;
let mortal: Running;

beforeAll(async () => {
  [kafka, engine] = await Promise.all([startKafka({ partitions }), startEmbeddedEngine()]);
  console.log(`log: ${await kafka.describe()}; engine: ${await describeEngine(engine)}`);
  await kafka.createTopic(topic, partitions, { 'retention.bytes': String(2 ** 29), 'segment.bytes': String(2 ** 25) });
  database = await freshDatabase(engine);
  proxy = await startHoldingProxy(server, random);
  proxy.isCalm = true;
  load = await startLoad({ brokers: kafka.brokers, topic, partitions, seed });
});

afterAll(async () => {
  await Promise.allSettled([steady?.kill(), mortal?.kill()]);
  load?.close();
  await proxy?.close();
  await database?.close();
  await Promise.allSettled([engine?.stop(), kafka?.stop()]);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const server = () => ({ url: engine.url, user: engine.user, password: engine.password });
const place = () => ({ server: server(), database: database.name, topic });

/** A folder of its own each, because a process leaves the group in the name of the one that its folder had before. */
function startIngest(dataDir: string): Promise<Running> {
  return startGatetrail(['ingest'], {
    dataDir,
    env: {
      ...ingestEnvironment({
        brokers: kafka.brokers,
        topic,
        database: database.name,
        server: { url: proxy.url, user: 'ingest', password: 'the proxy knows it' },
      }),
      ...collecting,
      // Memory follows the backlog by as much as a batch may hold: small ones let a trend stand out of that.
      GATETRAIL_INGEST_BATCH_BYTES: String(sizes.batchMiB * 2 ** 20),
    },
  });
}

/** Most are short; now and then one is longer than the session of a member. */
const aWhile = () => sleep(Math.min(sizes.maxFaultMs, 500) + sizes.maxFaultMs * random() ** 2);

async function standStill(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await aWhile();
  process.kill(pid, 'SIGCONT');
}

const faults: Readonly<Record<string, () => Promise<void>>> = {
  async 'ingest killed'() {
    await mortal.kill();
    mortal = await startIngest(mortalFolder);
  },
  async 'engine killed'() {
    await engine.kill();
    await engine.restart();
  },
  async 'broker killed'() {
    await kafka.kill();
    await kafka.restart();
  },
  'the steady ingest stopped': () => standStill(steady.pid),
  'the mortal ingest stopped': () => standStill(mortal.pid),
  'the engine stopped': () => standStill(engine.pid),
  async 'inserts held back and lost'() {
    proxy.isCalm = false;
    await aWhile();
    proxy.isCalm = true;
  },
  async 'a member came and went'() {
    const guest = await startIngest(guestFolder);
    await aWhile();
    await guest.stop();
  },
};

/** Each kind once, in random order, again and again. */
function* deal(): Generator<string, never> {
  for (;;) yield* shuffled(Object.keys(faults), random);
}

const backlog = () => backlogOf(load, { server: server(), database: database.name, topic });

/** Begins behind and alone: what it may hold at most it holds at once, so that a later backlog finds room that is there already. */
async function startSteady(): Promise<Running> {
  await load.start(sizes.rate);
  await sleep(sizes.behindSeconds * 1_000);
  const started = await startIngest(steadyFolder);
  await until(backlog, (events) => events < sizes.rate, 120_000);
  return started;
}

/** What lives in the steady process when it holds nothing of the load, which has stopped for that. */
async function atRest(): Promise<RssSample> {
  await load.stop();
  await until(() => load.isCovered(place()), Boolean, 180_000).catch(() => {}); // the verdict says what is missing
  return { atMs: performance.now(), bytes: await livingBytes(steady) };
}

test('mixed faults lose and double nothing, and memory does not grow', { timeout: 1_800_000 }, async () => {
  steady = await startSteady();
  mortal = await startIngest(mortalFolder);
  const memory = watchRss(steady.pid);
  const rollups = keepRollingUp(place, sizes.rollupSeconds);
  const made: Record<string, number> = {};
  const living: RssSample[] = [];
  const deadline = Date.now() + sizes.seconds * 1_000;
  const dealt = deal();
  for (let count = 1; Date.now() < deadline; count += 1) {
    await sleep(random() * 1_000);
    const name = dealt.next().value;
    await faults[name]?.();
    made[name] = (made[name] ?? 0) + 1;
    await until(backlog, (events) => events < sizes.rate * 40, 240_000).catch(() => {}); // a busy machine: the verdict counts
    if (count % sizes.faultsPerRest !== 0) continue;
    living.push(await atRest());
    await load.start(sizes.rate);
  }
  living.push(await atRest());
  await proxy.settled();
  await until(() => load.isCovered(place()), Boolean, 180_000).catch(() => {}); // the verdict says what is missing
  memory.stop();
  const rolledUp = await rollups.toTheEnd();
  const [sent, verdict, derived] = [await load.sent(), await load.judge(place()), await derivedFaults(place())];
  const resident = rssSlope(memory.samples);
  const lives = { ...slopeOf(living), samplesMiB: living.map(({ bytes }) => Math.round(bytes / 2 ** 17) / 8) };
  printed.report({ made, recordsPerSecond: sent.rate, ambiguousInserts: proxy.ambiguous, resident, lives, rolledUp, derived, ...verdict });
  expect(verdict).toMatchObject(clean);
  expect(derived).toEqual([]);
  expect(verdict.records).toBe(sent.records);
  expect(steady.log()).not.toContain('the process ends');
  if (!printed.full) return;
  expect(lives.perTenMinutes).toBeLessThan(0.01);
  expect(resident.perTenMinutes).toBeLessThan(0.01);
});
