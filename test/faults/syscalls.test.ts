/**
 * A fault at every system call by which the engine stores one batch: killed there, an error of the disk, a full disk, and
 * a wait that is longer than the writer's patience. Whatever strikes, the batch is stored once, and the ledger says so.
 */
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import type { ClickHouse } from '../../storage/clickhouse.ts';
import { campaign, seeded, shuffled } from '../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { keepAlive, startEmbeddedEngine, type TestEngine } from '../support/engine.ts';
import { follow } from '../support/following.ts';
import { ensureProjection, projectionFaults } from '../support/projections.ts';
import { sqlRows, sqlText } from '../support/sql.ts';
import { type Fault, hasStrace, inject, type Point, recordCalls } from '../support/strace.ts';
import { assignmentOf, keyOf, rangeOf, writerOn } from '../support/writer.ts';

const { sizes, seed, full, report } = campaign('syscalls', { shapes: 1, every: 151, minutes: 2 }, { shapes: 3, every: 1, minutes: 27 });
const random = seeded(seed);

interface Shape {
  readonly name: string;
  readonly values: readonly string[];
  readonly events: number;
  readonly rejected: number;
}
const shapes: readonly Shape[] = [
  { name: 'mixed', values: ['bad', '/x', 'skip', 'bad'], events: 1, rejected: 2 },
  { name: 'one event', values: ['/x'], events: 1, rejected: 0 },
  { name: 'many events', values: Array.from({ length: 20 }, () => 'e1000'), events: 20_000, rejected: 0 },
];

const patienceMs = 1_000;
const faults: readonly Fault[] = ['signal=SIGKILL', 'error=EIO', 'error=ENOSPC', `delay_enter=${(patienceMs + 300) * 1000}`];
/** Of the batches' arrival, so that the parts of one run have one partition. */
const receivedAt = Date.parse('2026-11-22T10:00:00Z');
const span = 100;

test.skipIf(!hasStrace() && process.env['CI'] === undefined).each(shapes.slice(0, sizes.shapes))(
  'a fault at any system call of a batch, $name, leaves it stored once (needs strace)',
  { timeout: full ? 1_800_000 : 180_000, concurrent: true },
  async (shape) => {
    const engine = await startEmbeddedEngine();
    const database = await freshDatabase(engine);
    try {
      await strikeAll(shape, engine, database);
    } finally {
      await database.close();
      await engine.stop();
    }
  },
);

interface Struck {
  readonly point: Point;
  readonly fault: Fault;
}

async function strikeAll(shape: Shape, engine: TestEngine, database: TestDatabase): Promise<void> {
  await ensureProjection(engine, database.name);
  const place = { engine, database: database.name, clickhouse: follow(engine, database.name, patienceMs) };
  let batches = 0;
  const next = (writers: number) => storeBatch(place, shape, (batches += 1) * span, writers);
  await next(1);
  const points = await pointsOf(place, () => next(1));
  const missed: Struck[] = [];
  const chosen = points.flatMap((point) => faults.map((fault) => ({ point, fault }))).filter(isChosen);
  // Where the time is too short for all, those that were struck are spread over the whole batch.
  const strikes = shuffled(chosen, random);
  const until = Date.now() + sizes.minutes * 60_000;
  let made = 0;
  for (; made < strikes.length && Date.now() < until; made += 1) {
    const strike = strikes[made] as Struck; // below the length
    if (!(await struck(place, strike, next)) && !(await struck(place, strike, next))) missed.push(strike);
  }
  await place.clickhouse.close();
  const verdict = await judge(place, shape, batches);
  report({
    shape: shape.name,
    points: points.length,
    calls: countBy(points.map(({ call }) => call)),
    strikes: made,
    ofStrikes: strikes.length,
    missed: missed.map(({ point, fault }) => `${fault} at ${point.call} ${point.path?.slice(-40)} ${point.nth}`),
    batches,
    ...verdict,
  });
  expect(verdict).toMatchObject({ lost: 0, doubled: 0, ledger: [], projections: [] });
  // A call that another thread makes, or makes another time, is another point.
  expect(missed.length).toBeLessThanOrEqual(Math.max(1, made / 20));
}

/** All of them, or a few of each fault, the rename of the events among them: an engine that fails there has used up the token. */
function isChosen({ point, fault }: Struck, at: number): boolean {
  return at % sizes.every === 0 || (point.call === 'rename' && point.path?.includes('_20261122_') === true && fault === 'error=EIO');
}

interface Place {
  readonly engine: TestEngine;
  readonly database: string;
  readonly clickhouse: ClickHouse;
}

/** The part of an insert: `NAME_N_N_LEVEL`, N being the number of the block. */
const partNumber = /_(\d+)_\1_/;
const numbered = (path: string, number: number) => path.replace(partNumber, `_${number}_${number}_`);

/** The last number of each table, by the UUID that names its folder. */
async function lastNumbers({ engine, database }: Place): Promise<Map<string, number>> {
  const rows = await sqlRows<{ uuid: string; last: string }>(
    engine,
    'SELECT tables.uuid AS uuid, max(max_block_number) AS last FROM system.tables LEFT JOIN system.parts ON parts.database = tables.database AND parts.table = tables.name WHERE tables.database = currentDatabase() GROUP BY uuid',
    database,
  );
  return new Map(rows.map(({ uuid, last }) => [uuid, Number(last)]));
}

const lastOf = (numbers: ReadonlyMap<string, number>, path: string) => [...numbers].find(([uuid]) => path.includes(uuid))?.[1];

/** The calls of one batch: on the files of its own parts and of the deduplication log, and its answers. */
async function pointsOf(place: Place, store: () => Promise<void>): Promise<Point[]> {
  await sqlText(place.engine, 'SYSTEM STOP MERGES', place.database);
  const before = await lastNumbers(place);
  const points = await recordCalls(place.engine.pid, place.engine.dataDir, store);
  await sqlText(place.engine, 'SYSTEM START MERGES', place.database);
  return points.filter(({ path }) => {
    if (path === null) return true;
    const last = lastOf(before, path);
    const number = partNumber.exec(path)?.[1];
    return last !== undefined && (number === undefined || isBeingWritten(path) || Number(number) > last);
  });
}

/** Parts get their number when they are done; before, the inserts of a table are counted since the engine was started. */
const isBeingWritten = (path: string) => path.includes('/tmp_insert_');
/** The engine is killed at each fourth strike, and a batch takes a few tries at most. */
const maxInserts = 40;

/** The path of a recorded call as it may be in the next batch. */
function pathsOf(path: string, numbers: ReadonlyMap<string, number>): string[] {
  const before = isBeingWritten(path) ? 0 : (lastOf(numbers, path) ?? 0);
  return [...new Set(Array.from({ length: maxInserts }, (_, at) => numbered(path, before + 1 + at)))];
}

/** Stores one batch under a fault; false when the call was not made. */
async function struck(place: Place, { point, fault }: Struck, store: (writers: number) => Promise<void>): Promise<boolean> {
  const paths = point.path === null ? null : pathsOf(point.path, await lastNumbers(place));
  const injection = await inject(place.engine.pid, { ...point, paths }, fault);
  const keeping = keepAlive(place.engine);
  await store(random() < 0.3 ? 2 : 1);
  await injection.detach();
  await keeping.end();
  return injection.hasStruck;
}

/** One batch at its position; two writers race for it. */
async function storeBatch({ clickhouse }: Place, shape: Shape, position: number, writers: number): Promise<void> {
  await Promise.all(Array.from({ length: writers }, (_, at) => storeAs(clickhouse, shape, position, at)));
}

async function storeAs(clickhouse: ClickHouse, shape: Shape, position: number, writerAt: number): Promise<void> {
  const writer = writerOn(clickhouse, { retryMs: 250 });
  const batchAt = (at: number) => writer.maker.make(keyOf(), rangeOf(position, shape.values), at);
  const assignment = assignmentOf();
  const outcome = await writer.write(assignment, batchAt(receivedAt + position + writerAt), position / span);
  if (outcome.kind === 'late') throw new Error('nobody has stored anything behind this batch');
  if (outcome.kind === 'lost') await writer.complete(assignment, outcome.claim, batchAt(outcome.claim.receivedAt));
}

/** What stands in the tables against what each batch was. */
async function judge({ engine, database }: Place, shape: Shape, batches: number) {
  const byBatch = async (what: string, from: string) => {
    const statement = `SELECT intDiv(${what}, ${span}) AS batch, count() AS n, uniqExact(${what}, message_index) AS distinct, groupUniqArray(toString(received_at)) AS arrivals FROM ${from} GROUP BY batch`;
    const rows = await sqlRows<{ batch: string; n: string; distinct: string; arrivals: string[] }>(engine, statement, database);
    return new Map(rows.map((row) => [Number(row.batch), { n: Number(row.n), distinct: Number(row.distinct), arrivals: row.arrivals }]));
  };
  const events = await byBatch('kafka_offset', 'events');
  const letters = await byBatch('kafka_offset', 'dead_letters FINAL');
  const claims = await sqlRows<Record<string, unknown>>(
    engine,
    'SELECT first_offset, last_offset, events, rejected, skipped, revision, gap_reason, toString(received_at) AS received_at FROM batches ORDER BY first_offset',
    database,
  );
  const ledger: string[] = [];
  let [lost, doubled] = [0, 0];
  for (let batch = 1; batch <= batches; batch += 1) {
    for (const [found, wanted] of [
      [events.get(batch), shape.events],
      [letters.get(batch), shape.rejected],
    ] as const) {
      lost += wanted - (found?.distinct ?? 0);
      doubled += (found?.n ?? 0) - (found?.distinct ?? 0);
    }
    const rows = claims.filter((claim) => Number(claim['first_offset']) === batch * span);
    const says = { ...rows[0], first_offset: Number(rows[0]?.['first_offset']), last_offset: Number(rows[0]?.['last_offset']) };
    const wanted = {
      first_offset: batch * span,
      last_offset: batch * span + shape.values.length - 1,
      events: shape.events,
      rejected: shape.rejected,
      skipped: shape.values.filter((value) => value === 'skip').length,
      revision: 0,
      gap_reason: '',
      received_at: events.get(batch)?.arrivals.join() ?? rows[0]?.['received_at'],
    };
    if (rows.length !== 1 || !isDeepStrictEqual(says, wanted)) ledger.push(JSON.stringify({ batch, rows }));
  }
  if (claims.length !== batches) ledger.push(`${claims.length} claims of ${batches} batches`);
  const suffixes = `SELECT countIf(attempt > 0) AS claims, (SELECT uniqExact(intDiv(kafka_offset, ${span})) FROM events WHERE attempt > 0) AS batches FROM batches`;
  const [underASuffix] = await sqlRows<{ claims: string; batches: string }>(engine, suffixes, database);
  return { lost, doubled, ledger, projections: await projectionFaults(engine, database), underASuffix };
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
