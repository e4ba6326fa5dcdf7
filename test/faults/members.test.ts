/**
 * Members of the consumer group come and go while every partition is being written, and some are stopped in the middle of
 * an insert, long enough for others to take their partitions over, and then go on. Nothing is lost, nothing is stored twice.
 *
 * Some find the tokens of their inserts forgotten when they go on, as after 100,000 inserts that others have made. What the
 * write protocol does not promise is left out (docs/decisions/0006-write-protocol.md, known limits): an insert of events
 * that is on its way meanwhile would be stored again. So tokens of events are forgotten only where a member has slept for
 * longer than it believes them to be known, and was stopped while no other of its partitions was being written. Tokens of
 * claims are forgotten anywhere: a claim carries its condition.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { sleep } from '../../core/clock.ts';
import { campaign, seeded } from '../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { derivedFaults } from '../support/derived.ts';
import { describeEngine, startEngine, type TestEngine } from '../support/engine.ts';
import { ingestEnvironment, startGatetrail, until, type Running } from '../support/gatetrail.ts';
import { watchGenerations } from '../support/generations.ts';
import { startKafka, type TestKafka } from '../support/kafka.ts';
import { startLoad, type Load } from '../support/load.ts';
import { clean } from '../support/oracle.ts';
import { keepRollingUp, type RollingUp } from '../support/rolling-up.ts';
import { startSluice, type Sluice, type Wanted } from '../support/sluice.ts';
import { sqlRows, sqlText } from '../support/sql.ts';

const storm = campaign(
  'rebalances',
  { rebalances: 3, leastMs: 0, mostMs: 500, minutes: 2, rate: 1_000 },
  { rebalances: 300, leastMs: 2_000, mostMs: 4_500, minutes: 27, rate: 1_000 },
);
const zombies = campaign(
  'zombies',
  { zombies: 2, longEvery: 0, minutes: 2, rate: 1_000 },
  { zombies: 100, longEvery: 6, minutes: 27, rate: 1_000 },
);
const timeoutOf = ({ full }: { full: boolean }) => (full ? 1_800_000 : 600_000);
const partitions = 6;
const topic = `members-${Date.now()}`;
const folder = mkdtempSync(join(tmpdir(), 'gatetrail-members-'));

interface Member {
  /** Of its data folder, as on a machine of its own. */
  readonly name: string;
  readonly sluice: Sluice;
  running: Running | null;
}

let kafka: TestKafka;
let engine: TestEngine;
let database: TestDatabase;
let load: Load;
let members: readonly Member[] = [];
/** Ends that nobody here asked for. */
let endedByThemselves = 0;

beforeAll(async () => {
  [kafka, engine] = await Promise.all([startKafka({ partitions }), startEngine()]);
  console.log(`log: ${await kafka.describe()}; engine: ${await describeEngine(engine)}`);
  await kafka.createTopic(topic, partitions, { 'retention.bytes': String(2 ** 28), 'segment.bytes': String(2 ** 25) });
  database = await freshDatabase(engine);
  load = await startLoad({ brokers: kafka.brokers, topic, partitions, seed: zombies.full ? zombies.seed : storm.seed });
  members = await Promise.all(['a', 'b', 'c'].map(async (name) => ({ name, sluice: await startSluice(engine.url), running: null })));
});

let rollups: RollingUp;
beforeEach(async () => {
  await Promise.all(members.filter(({ running }) => running === null).map(come));
  rollups = keepRollingUp(place, 10);
});

afterAll(async () => {
  await Promise.all(members.map((member) => go(member, 'SIGKILL')));
  load?.close();
  for (const { sluice } of members) await sluice.close();
  await database?.close();
  await Promise.allSettled([engine?.stop(), kafka?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

/** The role as an operator starts it, with the shortest session that a broker takes. */
async function come(member: Member): Promise<void> {
  const user = engine.branch === 'embedded' ? 'ingest' : engine.user;
  const server = { url: member.sluice.url, user, password: engine.password };
  const running = await startGatetrail(['ingest'], {
    dataDir: join(folder, member.name),
    env: {
      ...ingestEnvironment({ brokers: kafka.brokers, topic, database: database.name, server }),
      GATETRAIL_KAFKA_GROUP: topic,
      GATETRAIL_KAFKA_SESSION_TIMEOUT: '6s',
    },
  });
  member.running = running;
  void running.exited.then(() => {
    if (member.running === running) endedByThemselves += 1;
  });
}

async function go(member: Member, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const { running } = member;
  member.running = null;
  await running?.kill(signal);
}

const place = () => ({ server: engine, database: database.name, topic });

/** Until everything that was produced is stored; where something is missing for good, the verdict says what. */
async function untilStored(): Promise<void> {
  await load.stop();
  await until(() => load.isCovered(place()), Boolean, 120_000).catch(() => {});
}

/** Everything that was produced against the tables. */
async function verdictOfAll() {
  await rollups.toTheEnd();
  return { endedByThemselves, derived: await derivedFaults(place()), ...(await load.judge(place())) };
}
const whole = { ...clean, derived: [], endedByThemselves: 0 };

test('members that come and go leave every record stored once', { timeout: timeoutOf(storm) }, async () => {
  const { sizes, seed } = storm;
  const random = seeded(seed);
  const changes = { came: 0, left: 0, killed: 0 };
  async function change(): Promise<void> {
    const there = members.filter(({ running }) => running !== null);
    const away = members.find(({ running }) => running === null);
    const isComing = there.length === 1 || random() < 0.5;
    if (away && isComing) {
      changes.came += 1;
      return come(away);
    }
    const isKilled = random() < 0.2;
    changes[isKilled ? 'killed' : 'left'] += 1;
    await go(there[Math.floor(random() * there.length)] as Member, isKilled ? 'SIGKILL' : 'SIGTERM'); // one is always there
  }

  const generations = await watchGenerations(kafka.brokers, topic);
  await load.start(sizes.rate);
  const before = await until(
    async () => generations.last,
    (last) => last > 0,
    60_000,
  );
  const rebalances = () => generations.last - before;
  const deadline = Date.now() + sizes.minutes * 60_000;
  while (rebalances() < sizes.rebalances && Date.now() < deadline)
    await Promise.all([change(), sleep(sizes.leastMs + random() * (sizes.mostMs - sizes.leastMs))]);
  await untilStored();
  const verdict = await verdictOfAll();
  storm.report({ rebalancesSeen: rebalances(), ...changes, ...verdict });
  await generations.close();
  expect(verdict).toMatchObject(whole);
  expect(rebalances()).toBeGreaterThanOrEqual(sizes.rebalances);
});

const claims = /INSERT INTO batches/;
const events = /INSERT(\+|%20)INTO(\+|%20)events/;
const claimOnItsWay: Wanted = { words: claims, held: 'half' };
const claimAnswered: Wanted = { words: claims, held: 'answer' };
/** The claim was read back, and nothing of it is stored yet. */
const claimSeen: Wanted = { words: /SELECT first_offset, last_offset[^]*first_offset >= /, held: 'answer' };
const lettersOnTheirWay: Wanted = { words: /INSERT(\+|%20)INTO(\+|%20)dead_letters/, held: 'half' };
const eventsOnTheirWay: Wanted = { words: events, held: 'half' };
const eventsAnswered: Wanted = { words: events, held: 'answer' };

/** Two members are stopped in each, so that the third has everything. */
interface Round {
  readonly stops: readonly [Wanted, Wanted];
  /** Tables that have forgotten their tokens when the two go on. */
  readonly forget: readonly ('batches' | 'events')[];
  /** So long they sleep at least. */
  readonly leastMs: number;
}
const rounds: readonly Round[] = [
  { stops: [claimOnItsWay, eventsAnswered], forget: ['batches'], leastMs: 0 },
  { stops: [eventsOnTheirWay, lettersOnTheirWay], forget: [], leastMs: 0 },
  { stops: [claimAnswered, eventsOnTheirWay], forget: ['batches'], leastMs: 0 },
  { stops: [claimSeen, lettersOnTheirWay], forget: [], leastMs: 0 },
];
/** A writer believes for a minute that the token of its events is known: only then does it ask again before it stores them. */
const longMs = 62_000;
const alone = (wanted: Wanted): Wanted => ({ ...wanted, isAlone: true });
const longRound = (first: Wanted, second: Wanted): Round => ({
  stops: [alone(first), alone(second)],
  forget: ['batches', 'events'],
  leastMs: longMs,
});
const longRounds: readonly Round[] = [
  longRound(claimSeen, lettersOnTheirWay),
  longRound(claimOnItsWay, claimSeen),
  longRound(lettersOnTheirWay, eventsAnswered),
];

/** The first member that comes there is stopped in the same moment; null when none does within half a minute. */
function stopAt(wanted: Wanted, among: readonly Member[]): Promise<Member | null> {
  return new Promise((resolve) => {
    const end = (member: Member | null) => {
      clearTimeout(timer);
      for (const { sluice } of among) sluice.disarm();
      resolve(member);
    };
    const timer = setTimeout(end, 30_000, null);
    for (const member of among)
      member.sluice.arm(wanted, () => {
        signal(member, 'SIGSTOP');
        end(member);
      });
  });
}

const signal = ({ running }: Member, name: NodeJS.Signals) => running && process.kill(running.pid, name);

/** Resolves when these members have claimed in every partition after the instant. */
async function claimedBy(those: readonly Member[], since: number): Promise<void> {
  const writers = those.map(({ running }) => `writer LIKE '%:${running?.pid}:%'`).join(' OR ');
  const sql = `SELECT uniqExact(kafka_partition) AS n FROM batches
WHERE topic = '${topic}' AND first_offset >= 0 AND received_at > fromUnixTimestamp64Milli(${since}) AND (${writers})`;
  await until(
    () => sqlRows<{ n: string }>(engine, sql, database.name),
    ([row]) => Number(row?.n) === partitions,
    120_000,
  ).catch((error: Error) => {
    const logs = those.map(({ name: member, running }) => `${member}: ${running?.log().slice(-4_000)}`);
    throw new Error([error.message, ...logs].join('\n'));
  });
}

/** As after 100,000 inserts of others: a table drops at once what does not fit its window, here all but the newest. */
async function forgetTokens(table: string): Promise<void> {
  for (const window of [1, 100_000])
    await sqlText(engine, `ALTER TABLE ${table} MODIFY SETTING non_replicated_deduplication_window = ${window}`, database.name);
}

const name = 'a member that is stopped in the middle of an insert and goes on after others took over changes nothing';
test(name, { timeout: timeoutOf(zombies) }, async () => {
  const { sizes, seed } = zombies;
  const random = seeded(seed);
  const made = { zombies: 0, metNoTokenOf: { batches: 0, events: 0 } };
  const tookOverMs: number[] = [];

  async function play({ stops, forget, leastMs }: Round): Promise<void> {
    const stopped: Member[] = [];
    for (const stop of stops) {
      const member = await stopAt(
        stop,
        members.filter((each) => !stopped.includes(each)),
      );
      if (member) stopped.push(member);
    }
    const stoppedAt = Date.now();
    const others = members.filter((member) => !stopped.includes(member));
    await claimedBy(others, stoppedAt);
    tookOverMs.push(Date.now() - stoppedAt);
    await sleep(Math.max(0, stoppedAt + leastMs - Date.now()));
    for (const table of forget) await forgetTokens(table);
    await Promise.all(stopped.map(wake));
    made.zombies += stopped.length;
    for (const table of forget) made.metNoTokenOf[table] += stopped.length;
  }

  /** What is held is delivered before the process goes on, or after. */
  async function wake(member: Member): Promise<void> {
    if (random() < 0.5) {
      member.sluice.release();
      await sleep(random() * 500);
    }
    signal(member, 'SIGCONT');
    member.sluice.release();
  }

  await load.start(sizes.rate);
  const deadline = Date.now() + sizes.minutes * 60_000;
  for (let round = 1; made.zombies < sizes.zombies && Date.now() < deadline; round += 1) {
    const isLong = sizes.longEvery > 0 && round % sizes.longEvery === 0;
    const [played, number] = isLong ? [longRounds, round / sizes.longEvery] : [rounds, round];
    await play(played[(number - 1) % played.length] as Round); // below its length
  }
  await untilStored();
  await Promise.all(members.map((member) => go(member, 'SIGTERM'))); // nothing comes late any more
  const verdict = await verdictOfAll();
  const longestMs = Math.max(...tookOverMs);
  zombies.report({ ...made, rounds: tookOverMs.length, tookOverMs: { mean: mean(tookOverMs), longest: longestMs }, ...verdict });
  expect(verdict).toMatchObject(whole);
  expect(made.zombies).toBeGreaterThanOrEqual(sizes.zombies);
});

const mean = (values: readonly number[]) => Math.round(values.reduce((sum, value) => sum + value, 0) / values.length);
