/**
 * Retention against a late writer and an idle partition, in random orders of their steps: nothing comes back, no false gap,
 * no partition stops, and what went is on record. The judge below reads the tables alone.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimToken, type PartitionKey } from '../../storage/ledger.ts';
import { campaign, seeded } from '../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { dayMs, policy, retentionAt } from '../support/retention.ts';
import { sqlRows } from '../support/sql.ts';
import { createTurns } from '../support/turns.ts';
import { assignmentOf, rangeOf, type TestWriter, writerOn } from '../support/writer.ts';

const { sizes, seed, report } = campaign('retention', { rounds: 5 }, { rounds: 150 });
const random = seeded(seed);
/** In one database: a mutation goes through all parts of a table, so each round would take longer than the last. */
const roundsEach = 15;
const pick = (below: number) => Math.floor(random() * below);

let engine: TestEngine;
let database: TestDatabase;

beforeAll(async () => {
  engine = await startEngine();
  database = await freshDatabase(engine);
});
afterAll(async () => {
  await database?.close();
  await engine?.stop();
});

async function anotherDatabase(): Promise<void> {
  await database.close();
  database = await freshDatabase(engine);
}

const sql = <Row>(statement: string) => sqlRows<Row>(engine, statement, database.name);
/** Of offset N is the tenant t(N % 3); the class that is cut short is t1. */
const values = (count: number) => Array.from({ length: count }, (_, at) => (pick(4) === 0 ? 'bad' : `/${at}`));

interface Round {
  readonly topic: string;
  /** When the batches arrived, and when retention runs. */
  readonly day: number;
  readonly now: number;
  readonly drops: boolean;
}

const plain = () => writerOn(database.clickhouse);
const keyFor = ({ topic }: Round, partition: number): PartitionKey => ({ logId: 'log', sourceEpoch: 1, topic, partition });

/** A writer whose steps wait for their turn; it may die at one of them. */
function slow(turns: ReturnType<typeof createTurns>): TestWriter {
  const { ledger, store, maker } = plain();
  return writerOn(database.clickhouse, turns.take({ ledger, store, maker }, pick(3) === 0 ? pick(8) : Infinity));
}

/** Stores what was stored or claimed already, once more: as one that slept, or whose request was held back. */
async function late(round: Round, writer: TestWriter, contents: readonly string[]): Promise<void> {
  const key = keyFor(round, 0);
  const batch = writer.maker.make(key, rangeOf(0, contents), round.day);
  const claim = { ...batch.counts, note: '', settled: false, attempt: 0, writer: 'dead', revision: 0, sequence: 1 };
  if (pick(2) === 0) await writer.complete(assignmentOf(key), claim, batch);
  // The request itself was held: nothing is looked at any more before it lands.
  else if (batch.counts.events > 0) await writer.store.insertEvents(batch.encode(0), claimToken(key, 0));
}

/** A writer is assigned the idle partition: it completes the last claim where it must, and goes on after it. */
async function goOn(round: Round, writer: TestWriter, contents: readonly string[]): Promise<void> {
  const key = keyFor(round, 1);
  const tail = await writer.ledger.tail(key);
  if (tail === null) throw new Error('the partition has a claim');
  if (!(await writer.isComplete(key, tail))) {
    const isFirst = tail.firstOffset === 0;
    // Of the old one the log may have let go.
    const again =
      isFirst && pick(2) === 0 ? null : writer.maker.make(key, rangeOf(tail.firstOffset, isFirst ? contents : next), tail.receivedAt);
    await writer.complete(assignmentOf(key), tail, again);
  }
  const batch = writer.maker.make(key, rangeOf(tail.lastOffset + 1, next), round.now);
  await writer.write(assignmentOf(key), batch, tail.sequence + 1);
}

const next = ['/next'];

async function play(round: Round): Promise<void> {
  const first = plain();
  const contents = [values(1 + pick(6)), values(1 + pick(6))];
  for (const [partition, lines] of contents.entries()) {
    const key = keyFor(round, partition);
    await first.write(assignmentOf(key), first.maker.make(key, rangeOf(0, lines), round.day), 1);
  }
  const span = round.drops ? policy(1) : policy(90_000, { trial: { tenants: ['t1'], days: 1 } });
  const turns = createTurns();
  const { ledger, store } = plain();
  const job = retentionAt(database.clickhouse, round.now, {
    policy: span,
    ...turns.take({ ledger, store }),
    mayAct: () => turns.step(async () => true),
  });
  const actors = [() => job.run(), () => late(round, slow(turns), contents[0] ?? []), () => goOn(round, slow(turns), contents[1] ?? [])];
  await turns.run(actors, pick);
  // Who died is followed by another one, and the job looks again.
  await goOn(round, plain(), contents[1] ?? []);
  await retentionAt(database.clickhouse, round.now, { policy: span }).run();
}

/** What the tables say of a round that went wrong. */
async function faultsOf({ topic, day, drops }: Round): Promise<string[]> {
  const faults: string[] = [];
  const where = `topic = '${topic}' AND received_at < toDateTime64('${new Date(day + dayMs / 2).toISOString().slice(0, 19).replace('T', ' ')}', 3, 'UTC')`;
  const due = drops ? '1' : "tenant = 't1'";
  const claims = await sql<{ p: number; first: number; last: number; promised: number; gap: string }>(
    `SELECT kafka_partition AS p, first_offset AS first, any(last_offset) AS last, argMax(events, revision) AS promised, argMax(gap_reason, revision) AS gap
FROM batches WHERE topic = '${topic}' AND first_offset >= 0 GROUP BY p, first ORDER BY p, first`,
  );
  const [back] = await sql<{ n: number; letters: number }>(
    `SELECT count() AS n, (SELECT count() FROM dead_letters FINAL WHERE ${where} AND ${due}) AS letters FROM events WHERE ${where} AND tenant != '' AND ${due}`,
  );
  if (back?.n !== 0 || back.letters !== 0) faults.push(`came back: ${JSON.stringify(back)}`);
  const stored = await sql<{ p: number; n: number; distinct: number }>(
    `SELECT kafka_partition AS p, count() AS n, uniqExact(kafka_offset, message_index) AS distinct FROM events WHERE topic = '${topic}' AND tenant != '' GROUP BY p`,
  );
  const removed = await sql<{ p: number; n: number }>(
    `SELECT kafka_partition AS p, sum(rows) AS n FROM removals FINAL WHERE topic = '${topic}' AND kind = 'events' GROUP BY p`,
  );
  const of = (rows: readonly { p: number; n: number }[], p: number) => rows.find((row) => row.p === p)?.n ?? 0;
  for (const p of [0, 1]) {
    const chain = claims.filter((claim) => claim.p === p);
    const promised = chain.reduce((sum, claim) => sum + claim.promised, 0);
    if (of(stored, p) + of(removed, p) !== promised)
      faults.push(`partition ${p}: ${promised} promised, ${of(stored, p)} stored, ${of(removed, p)} removed`);
    for (const [at, claim] of chain.entries()) {
      if (claim.gap !== '') faults.push(`a false gap at ${claim.first} of partition ${p}: ${claim.gap}`);
      if (at > 0 && claim.first !== (chain[at - 1]?.last ?? NaN) + 1) faults.push(`a hole before ${claim.first} of partition ${p}`);
    }
    if (p === 1 && chain.length < 2) faults.push('the idle partition did not go on');
  }
  for (const row of stored) if (row.n !== row.distinct) faults.push(`doubled in partition ${row.p}: ${JSON.stringify(row)}`);
  return faults;
}

test(
  'a late writer and an idle partition against one drop after another bring nothing back and record no false gap',
  async () => {
    const start = Date.parse('2026-11-22T10:00:00Z');
    const faults: string[] = [];
    const counts = { drops: 0, cuts: 0 };
    for (let at = 0; at < sizes.rounds; at += 1) {
      if (at > 0 && at % roundsEach === 0) await anotherDatabase();
      const day = start + at * 4 * dayMs;
      const round = { topic: `gw${at}`, day, now: day + 2 * dayMs, drops: pick(2) === 0 };
      counts[round.drops ? 'drops' : 'cuts'] += 1;
      await play(round).catch((error: unknown) => faults.push(`round ${at}: ${String(error)}`));
      faults.push(...(await faultsOf(round)).map((fault) => `round ${at} (${round.drops ? 'drop' : 'cut'}): ${fault}`));
    }
    report({ ...counts, faults });
    expect(faults).toEqual([]);
  },
  sizes.rounds * 60_000,
);
