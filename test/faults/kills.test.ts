/**
 * `kill -9` of ingest, of the engine, of both and of the broker, in each step of the write protocol and in the recovery
 * from the last kill, under load: nothing is lost, nothing is stored twice, the ledger says what was produced, and
 * projections and rollups say what the events say.
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
import { clean } from '../support/oracle.ts';
import { keepRollingUp } from '../support/rolling-up.ts';
import { sqlRows } from '../support/sql.ts';
import { readSteps, steps, type Step } from '../support/steps.ts';
import { victim, type Victim } from '../support/victim.ts';

const partitions = 4;
const { sizes, seed, ...printed } = campaign(
  'kills',
  { kills: 4, rate: 1_500, events: 0, timesEach: 0, minutes: 4, rollupSeconds: 4, rounds: 2 },
  // Run three times, for 500 kills and 5 million events.
  { kills: 170, rate: 5_500, events: 1_700_000, timesEach: 5, minutes: 25, rollupSeconds: 20, rounds: 3 },
);
const random = seeded(seed);
const names = ['ingest', 'engine', 'both', 'broker'] as const;
type Name = (typeof names)[number];

/** Each seven kills hit each once or twice, the first four all of them, in random order; the broker once, because it takes longest to come back. */
function* deal(): Generator<Name, never> {
  for (;;) {
    yield* shuffled(names, random);
    yield* shuffled(names.slice(0, 3), random);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-kills-'));
const traceFile = join(folder, 'steps');
const topic = `kills-${Date.now()}`;
const trace = readSteps(traceFile);

let kafka: TestKafka;
let engine: TestEngine;
let database: TestDatabase;
let running: Running | null = null;
let load: Load;
/** Ends of ingest that nobody here asked for. */
let endedByItself = 0;

beforeAll(async () => {
  [kafka, engine] = await Promise.all([startKafka({ partitions }), startEmbeddedEngine()]);
  console.log(`log: ${await kafka.describe()}; engine: ${await describeEngine(engine)}`);
  // 2 GiB in all; short files, because a broker that was killed reads again those that it had not closed.
  await kafka.createTopic(topic, partitions, { 'retention.bytes': String(2 ** 29), 'segment.bytes': String(2 ** 25) });
  database = await freshDatabase(engine);
  load = await startLoad({ brokers: kafka.brokers, topic, partitions, seed });
  await ingest.start();
});

afterAll(async () => {
  await ingest.kill();
  load?.close();
  await database?.close();
  await Promise.allSettled([engine?.stop(), kafka?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** The role as an operator starts it; it finds the engine in the data folder, after each restart anew. */
const ingest = victim({
  async launch(signal) {
    const started = await startGatetrail(['ingest'], {
      dataDir: engine.dataDir,
      signal,
      env: {
        ...ingestEnvironment({ brokers: kafka.brokers, topic, database: database.name }),
        // Small batches: a large one of a partition that is behind takes longer to fill than a life lasts here.
        GATETRAIL_INGEST_BATCH_BYTES: String(4 * 2 ** 20),
        INGEST_TRACE_FILE: traceFile,
      },
    });
    running = started;
    void started.exited.then(() => {
      if (!signal.aborted) endedByItself += 1;
    });
  },
  end: async () => running?.kill(),
});
const store = victim({ launch: (signal) => engine.restart(signal), end: () => engine.kill() });
const broker = victim({ launch: () => kafka.restart(), end: () => kafka.kill() });
const struck: Readonly<Record<Name, readonly Victim[]>> = { ingest: [ingest], engine: [store], both: [ingest, store], broker: [broker] };

const server = () => ({ url: engine.url, user: engine.user, password: engine.password });
const place = () => ({ server: server(), database: database.name, topic });

interface Kill {
  readonly name: Name;
  /** The step that was waited for; null at a random instant. */
  readonly aimedAt: Step | null;
  /** In which step each partition was when it fell; none before the first step. */
  readonly fellIn: readonly Step[];
  readonly at: number;
}

/** Everything that was struck, starting again. */
let recovery: Promise<unknown> = Promise.resolve();

/** SIGKILL in the same tick in which the step is seen, then everything is started again at once. */
async function kill(name: Name, aimedAt: Step | null): Promise<Kill> {
  const victims = struck[name];
  let [at, ended]: [number, Promise<void>[]] = [0, []];
  const strike = () => {
    at = Date.now();
    ended = victims.map((each) => each.kill());
  };
  if (aimedAt === null || !(await trace.at(aimedAt, 2_000, strike))) strike();
  const seen = trace.now();
  await Promise.all(ended);
  // A dead writer leaves the step that it died in; one that lives goes on, so that the instant of the kill counts.
  const fellIn = victims.includes(ingest) ? trace.now() : seen;
  if (victims.includes(ingest)) rmSync(traceFile, { force: true });
  recovery = Promise.all([recovery, ...victims.map((each) => each.start())]);
  recovery.catch(() => {}); // told where it is awaited
  return { name, aimedAt, fellIn, at };
}

/** The others come once batches are stored again, and soon: the pipeline is to fall while it catches up. */
async function untilStored(): Promise<void> {
  await recovery;
  if (!(await trace.reached('commit', 60_000))) console.log('no batch was stored for a minute');
  await until(backlog, (events) => events < sizes.rate * 40, 120_000).catch(() => {}); // a busy machine: the verdict counts
  await sleep(random() * 400);
}

const backlog = () => backlogOf(load, { server: server(), database: database.name, topic });

function timesHit(kills: readonly Kill[]): Record<Step, number> {
  const hit = (step: Step) => kills.filter(({ fellIn }) => fellIn.includes(step)).length;
  return Object.fromEntries(steps.map((step) => [step, hit(step)])) as Record<Step, number>; // one entry per step
}

/** The step that was hit least so far. */
function rarest(kills: readonly Kill[]): Step {
  const hits = timesHit(kills);
  return steps.reduce((least, step) => (hits[step] < hits[least] ? step : least));
}

/** From each kill to the arrival of the first batch after it; null where the next kill came before that. */
async function recoveriesMs(kills: readonly Kill[]): Promise<(number | null)[]> {
  const rows = await sqlRows<{ at: string }>(
    server(),
    `SELECT toUnixTimestamp64Milli(received_at) AS at FROM batches WHERE topic = '${topic}' AND first_offset >= 0 ORDER BY at`,
    database.name,
  );
  const arrivals = rows.map(({ at }) => Number(at));
  let next = 0;
  return kills.map(({ at }, number) => {
    while ((arrivals[next] ?? Infinity) <= at) next += 1;
    const first = arrivals[next] ?? Infinity;
    return first < (kills[number + 1]?.at ?? Infinity) ? first - at : null;
  });
}

function spread(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: sorted[sorted.length >> 1], p95: sorted[Math.floor(sorted.length * 0.95)], max: sorted.at(-1) };
}

// A busy machine takes several times as long; the full form as long as its campaign gives it.
const timeout = printed.full ? 1_800_000 : 600_000;

test('every record of the log is stored once, wherever a process is killed', { timeout }, async () => {
  await load.start(sizes.rate);
  const rollups = keepRollingUp(place, sizes.rollupSeconds);
  const kills: Kill[] = [];
  const dealt = deal();
  const deadline = Date.now() + sizes.minutes * 60_000;
  const isEnough = async () =>
    kills.length >= sizes.kills &&
    Object.values(timesHit(kills)).every((times) => times >= sizes.timesEach) &&
    (await load.sent()).events >= sizes.events;
  while (!(await isEnough()) && Date.now() < deadline) {
    // A quarter and a little more falls into the recovery from the one before, and one in each run, however short.
    const isEarly = random() < 0.2 || kills.length % 10 === 2;
    if (isEarly) await sleep(random() * 1_000);
    else await untilStored();
    const made = await kill(dealt.next().value, isEarly || kills.length % 2 === 0 ? null : rarest(kills));
    kills.push(made);
    if (!printed.full || kills.length % 20 === 0)
      console.log(
        `kill ${kills.length}: ${made.name}, aimed at ${made.aimedAt ?? 'no step'}, fell in ${made.fellIn.join(', ') || 'the start'}`,
      );
  }
  await recovery;
  await load.stop();
  await until(() => load.isCovered(place()), Boolean, 180_000).catch(() => {}); // the verdict says what is missing
  const [rolledUp, sent, verdict, derived, recoveries] = [
    await rollups.toTheEnd(),
    await load.sent(),
    await load.judge(place()),
    await derivedFaults(place()),
    await recoveriesMs(kills),
  ];
  const inRecovery = recoveries.slice(0, -1).filter((ms) => ms === null).length;
  printed.report({
    killed: kills.length,
    inRecovery,
    byVictim: Object.fromEntries(names.map((name) => [name, timesHit(kills.filter((made) => made.name === name))])),
    victims: Object.fromEntries(names.map((name) => [name, kills.filter((made) => made.name === name).length])),
    steps: timesHit(kills),
    recordsPerSecond: sent.rate,
    sendsUnanswered: sent.unanswered,
    foundInTheLog: sent.found,
    recoveriesMs: Object.fromEntries(
      names.map((name) => [name, spread(recoveries.filter((ms, at): ms is number => ms !== null && kills[at]?.name === name))]),
    ),
    endedByItself,
    rolledUp,
    derived,
    ...verdict,
  });
  expect(verdict).toMatchObject(clean);
  expect(verdict.records).toBe(sent.records);
  expect(derived).toEqual([]);
  expect(endedByItself).toBe(0);
  expect(kills.length).toBeGreaterThanOrEqual(sizes.kills);
  expect(verdict.events).toBeGreaterThanOrEqual(sizes.events);
  if (printed.full) {
    expect(sent.rate).toBeGreaterThanOrEqual(5_000);
    expect(inRecovery).toBeGreaterThanOrEqual(kills.length / 5);
  }
});

test('the first batch after a kill comes long before the session of the dead consumer would end', async () => {
  const sessionMs = 45_000;
  await load.start(sizes.rate);
  const tookMs: number[] = [];
  for (let round = 0; round < sizes.rounds; round += 1) {
    const { at } = await kill('ingest', null);
    await recovery;
    const stored = () =>
      sqlRows<{ n: string }>(
        server(),
        `SELECT count() AS n FROM events INNER JOIN batches ON events.kafka_partition = batches.kafka_partition AND toInt64(events.kafka_offset) = batches.last_offset
WHERE events.topic = '${topic}' AND batches.topic = '${topic}' AND batches.writer LIKE '%:${running?.pid}:%'`,
        database.name,
      );
    await until(stored, ([row]) => row?.n !== '0', sessionMs);
    tookMs.push(Date.now() - at);
  }
  await load.stop();
  printed.report({ firstBatchAfterKillMs: tookMs });
  // The promise is 5 s; a busy machine may take longer, but never as long as the session.
  expect(Math.max(...tookMs)).toBeLessThan(sessionMs / 2);
});
