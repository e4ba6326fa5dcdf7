/**
 * `kill -9` of ingest, of the engine and of both, in each step of the write protocol, while a producer keeps every
 * partition writing: nothing is lost, nothing is stored twice, and the ledger says what was produced.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { campaign, seeded } from '../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { describeEngine, startEmbeddedEngine, type TestEngine } from '../support/engine.ts';
import { startGatetrail, until, type Running } from '../support/gatetrail.ts';
import { startKafka, type TestKafka } from '../support/kafka.ts';
import { clean, isCovered, judge } from '../support/oracle.ts';
import { startProducer, type Producer } from '../support/producer.ts';
import { sqlRows } from '../support/sql.ts';
import { readSteps, steps, type Step } from '../support/steps.ts';

const partitions = 4;
const { sizes, seed, ...printed } = campaign('kills', { kills: 6, rate: 3000, timesEach: 0 }, { kills: 30, rate: 3000, timesEach: 2 });
const random = seeded(seed);
const victims = ['ingest', 'engine', 'both'] as const;
type Victim = (typeof victims)[number];

/** Each three kills hit each victim once, in random order. */
function* deal(): Generator<Victim, never> {
  for (;;)
    yield* [...victims]
      .map((victim) => ({ victim, at: random() }))
      .toSorted((a, b) => a.at - b.at)
      .map(({ victim }) => victim);
}

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-kills-'));
const traceFile = join(folder, 'steps');
const topic = `kills-${Date.now()}`;
const trace = readSteps(traceFile);

let kafka: TestKafka;
let engine: TestEngine;
let database: TestDatabase;
let ingest: Running;
let producer: Producer;
/** Ends of ingest that nobody here asked for. */
let endedByItself = 0;

beforeAll(async () => {
  [kafka, engine] = await Promise.all([startKafka({ partitions }), startEmbeddedEngine()]);
  console.log(`log: ${await kafka.describe()}; engine: ${await describeEngine(engine)}`);
  await kafka.createTopic(topic, partitions);
  database = await freshDatabase(engine);
  producer = await startProducer({ brokers: kafka.brokers, topic, partitions, seed });
  await startIngest();
});

afterAll(async () => {
  await ingest?.kill();
  await producer?.close();
  await database?.close();
  await Promise.allSettled([engine?.stop(), kafka?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** The role as an operator starts it; it finds the engine in the data folder, after each restart anew. */
async function startIngest(): Promise<void> {
  const started = await startGatetrail(['ingest'], {
    dataDir: engine.dataDir,
    env: {
      GATETRAIL_SECRET: 'a secret of the tests, long enough to pass',
      GATETRAIL_KAFKA_BROKERS: kafka.brokers.join(','),
      GATETRAIL_KAFKA_TOPICS: topic,
      GATETRAIL_INTAKE_TOPIC: topic,
      GATETRAIL_CLICKHOUSE_DATABASE: database.name,
      INGEST_TRACE_FILE: traceFile,
    },
  });
  ingest = started;
  void started.exited.then(() => {
    if (ingest === started && !isKilling) endedByItself += 1;
  });
}

let isKilling = false;

const place = () => ({ server: engine, database: database.name, topic });

interface Kill {
  readonly victim: Victim;
  /** The step that was waited for; null at a random instant. */
  readonly aimedAt: Step | null;
  /** In which step each partition was when it fell; none before the first step. */
  readonly fellIn: readonly Step[];
  readonly at: number;
  /** Process of ingest that went on. */
  readonly pid: number;
}

/** SIGKILL in the same tick in which the step is seen, then everything is started again at once. */
async function kill(victim: Victim, aimedAt: Step | null): Promise<Kill> {
  isKilling = true;
  const ended: Promise<void>[] = [];
  const strike = () => {
    if (victim !== 'engine') ended.push(ingest.kill());
    if (victim !== 'ingest') ended.push(engine.kill());
  };
  if (aimedAt === null || !(await trace.at(aimedAt, 20_000, strike))) strike();
  const at = Date.now();
  const seen = trace.now();
  await Promise.all(ended);
  // A dead writer leaves the step that it died in; one that lives goes on, so that the instant of the kill counts.
  const fellIn = victim === 'engine' ? seen : trace.now();
  if (victim !== 'engine') rmSync(traceFile, { force: true });
  await Promise.all([...(victim === 'ingest' ? [] : [engine.restart()]), ...(victim === 'engine' ? [] : [startIngest()])]);
  isKilling = false;
  return { victim, aimedAt, fellIn, at, pid: ingest.pid };
}

/** A quarter of the kills fall into the recovery from the last one; the others come once batches are stored again. */
async function pause(): Promise<void> {
  const isEarly = random() < 0.25;
  if (!isEarly) await trace.at('commit', 60_000, () => {});
  await new Promise((resolve) => setTimeout(resolve, random() * 1500));
}

function timesHit(kills: readonly Kill[]): Record<Step, number> {
  const hit = (step: Step) => kills.filter(({ fellIn }) => fellIn.includes(step)).length;
  return Object.fromEntries(steps.map((step) => [step, hit(step)])) as Record<Step, number>; // one entry per step
}

/** The step that was hit least so far. */
function rarest(kills: readonly Kill[]): Step {
  const hits = timesHit(kills);
  return steps.reduce((least, step) => (hits[step] < hits[least] ? step : least));
}

/** From each kill of ingest to the arrival of the first batch of its successor, where it lived long enough for one. */
async function recoveriesMs(kills: readonly Kill[]): Promise<number[]> {
  const rows = await sqlRows<{ pid: string; at: string }>(
    engine,
    `SELECT splitByChar(':', writer)[2] AS pid, toUnixTimestamp64Milli(min(received_at)) AS at
FROM batches WHERE topic = '${topic}' AND first_offset >= 0 GROUP BY writer`,
    database.name,
  );
  const first = new Map(rows.map(({ pid, at }) => [Number(pid), Number(at)]));
  return kills
    .filter(({ victim, pid }) => victim !== 'engine' && first.has(pid))
    .map(({ pid, at }) => (first.get(pid) ?? at) - at)
    .toSorted((a, b) => a - b);
}

// A busy machine takes several times as long; the full form as long as its campaign gives it.
const timeout = printed.full ? 1_800_000 : 300_000;

test('every acknowledged record is stored once, wherever a process is killed', { timeout }, async () => {
  producer.start(sizes.rate);
  const kills: Kill[] = [];
  const dealt = deal();
  const isEnough = () => kills.length >= sizes.kills && Object.values(timesHit(kills)).every((times) => times >= sizes.timesEach);
  while (!isEnough()) {
    await pause();
    const made = await kill(dealt.next().value, kills.length % 2 === 0 ? null : rarest(kills));
    console.log(
      `kill ${kills.length + 1}: ${made.victim}, aimed at ${made.aimedAt ?? 'no step'}, fell in ${made.fellIn.join(', ') || 'the start'}`,
    );
    kills.push(made);
  }
  await producer.stop();
  await until(() => isCovered(place(), producer.acknowledged), Boolean, 100_000).catch(() => {}); // the verdict says what is missing
  const verdict = await judge(place(), producer.acknowledged);
  const recoveries = await recoveriesMs(kills);
  printed.report({
    killed: kills.length,
    byVictim: Object.fromEntries(victims.map((victim) => [victim, timesHit(kills.filter((made) => made.victim === victim))])),
    steps: timesHit(kills),
    recordsPerSecond: producer.rate,
    recoveriesMs: { median: recoveries[recoveries.length >> 1], max: recoveries.at(-1) },
    endedByItself,
    ...verdict,
  });
  expect(verdict).toMatchObject(clean);
  expect(verdict.records).toBe(producer.records);
  expect(producer.rate).toBeGreaterThan(2_000); // else not every partition was always writing
  expect(endedByItself).toBe(0);
});

test('the first batch after a kill comes long before the session of the dead consumer would end', async () => {
  const sessionMs = 45_000;
  producer.start(sizes.rate);
  const tookMs: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const { at, pid } = await kill('ingest', null);
    const stored = () =>
      sqlRows<{ n: string }>(
        engine,
        `SELECT count() AS n FROM events INNER JOIN batches ON events.kafka_partition = batches.kafka_partition AND toInt64(events.kafka_offset) = batches.last_offset
WHERE events.topic = '${topic}' AND batches.topic = '${topic}' AND batches.writer LIKE '%:${pid}:%'`,
        database.name,
      );
    await until(stored, ([row]) => row?.n !== '0', sessionMs);
    tookMs.push(Date.now() - at);
  }
  await producer.stop();
  printed.report({ firstBatchAfterKillMs: tookMs });
  // The promise is 5 s; a busy machine may take longer, but never as long as the session.
  expect(Math.max(...tookMs)).toBeLessThan(sessionMs / 2);
});
