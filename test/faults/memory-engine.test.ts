/**
 * The engine in memory behaves like the real one: whatever is sent to both through the product's own ledger and store, in
 * any order, under any tokens, both show the same afterwards. The model of the write path rests on it.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBatchMaker } from '../../ingest/batch.ts';
import { marker } from '../../ingest/marker.ts';
import { openBatchStore } from '../../storage/batch-store.ts';
import { type Claim, claimToken, openLedger, type PartitionKey } from '../../storage/ledger.ts';
import { emptyClaim } from '../../storage/positions.ts';
import { raiseFloor } from '../../storage/retention-floor.ts';
import { campaign } from '../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { type MemoryBlock, memoryEngine, type MemoryEngine, placeOf } from '../support/memory-engine.ts';
import { sqlRows, sqlText } from '../support/sql.ts';
import { keyOf, lineDecoder, rangeOf } from '../support/writer.ts';

const { sizes, seed, report } = campaign('memory-engine', { lists: 8, kills: 0 }, { lists: 1_000, kills: 25 });

/** Small, so that lists pass it. */
const window = 4;
const dayMs = 86_400_000;
const days = [Date.parse('2026-11-22T23:59:59.999Z'), Date.parse('2026-11-23T00:00:00.000Z')] as const;
const keys = [keyOf(0), { ...keyOf(0), sourceEpoch: 2 }, keyOf(1)];

interface Place {
  readonly key: number;
  readonly first: number;
  readonly length: number;
  readonly day: number;
  /** Suffix of the token. */
  readonly attempt: number;
}
type Command = Place &
  (
    | { readonly do: 'claim' | 'events' | 'letters'; readonly isBurnt: boolean }
    | { readonly do: 'revision'; readonly revision: number; readonly isBurnt: boolean }
    | { readonly do: 'marker' | 'drop' | 'delete' }
  );

const place = {
  // Mostly in one place, so that one command meets what another left there.
  key: fc.constantFrom(0, 0, 0, 0, 1, 2),
  first: fc.constantFrom(0, 0, 0, 1, 2, 3),
  length: fc.constantFrom(1, 1, 1, 2, 3),
  day: fc.nat(1),
  attempt: fc.constantFrom(0, 0, 1),
};
const isBurnt = fc.constantFrom(false, false, false, true);
const inserting = fc.record({ ...place, do: fc.constantFrom('claim', 'claim', 'events', 'events', 'letters'), isBurnt });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: inserting },
  {
    weight: 4,
    arbitrary: fc.record({ ...place, do: fc.constant('revision' as const), revision: fc.integer({ min: 1, max: 2 }), isBurnt }),
  },
  // A marker has no name: burnt, its rows could not be told from those of another.
  { weight: 2, arbitrary: fc.record({ ...place, do: fc.constantFrom('marker' as const, 'drop' as const, 'delete' as const) }) },
);

const there = { key: 0, first: 0, length: 1, day: 0, attempt: 0, isBurnt: false } as const;
/** What chance seldom draws: the token alone stops the first, the condition alone the others. */
const known: [Command[]][] = [
  [
    [
      { ...there, do: 'claim', isBurnt: true },
      { ...there, do: 'claim' },
    ],
  ],
  [
    [
      { ...there, do: 'claim', first: 1 },
      { ...there, do: 'claim' },
    ],
  ],
  [
    [
      { ...there, do: 'claim' },
      { ...there, do: 'revision', revision: 1 },
      { ...there, do: 'revision', revision: 1, attempt: 1 },
    ],
  ],
];

let engine: TestEngine;
let database: TestDatabase;
let commands = 0;

beforeAll(async () => {
  engine = await startEngine();
  database = await freshDatabase(engine);
  for (const table of ['events', 'batches'])
    await sql(`ALTER TABLE ${table} MODIFY SETTING non_replicated_deduplication_window = ${window}, fsync_after_insert = 0`);
});
afterAll(async () => {
  await database?.close();
  await engine?.stop();
});

const sql = (statement: string) => sqlText(engine, statement, database.name);

/** Both engines, empty, with no token known. */
async function pair(): Promise<MemoryEngine> {
  for (const table of ['events', 'batches', 'dead_letters', 'retention_floor']) await sql(`TRUNCATE TABLE ${table}`);
  return memoryEngine({ window });
}

/** To both. Who sent a row stands in it, so that what a burnt token must not leave behind can be told from the rest. */
async function send(memory: MemoryEngine, each: Command): Promise<void> {
  commands += 1;
  const { first, length, attempt } = each;
  const key = keys[each.key] as PartitionKey; // `place` draws one of them
  const receivedAt = days[each.day] as number;
  const name = `n${commands}`;
  const suffix = attempt === 0 ? '' : `:r${attempt}`;
  const token = `${claimToken(key, first)}${suffix}`;
  const values = Array.from({ length }, (_, at) => (each.do === 'letters' ? 'bad' : `e${at + 1}`));
  const real = { ledger: openLedger(database.clickhouse), store: openBatchStore(database.clickhouse) };
  const facts = { receivedAt, writer: name, sequence: 1, note: '' };
  const claim: Claim = {
    ...emptyClaim({ firstOffset: first, lastOffset: first + length - 1 }, facts),
    normaliser: name,
    events: length,
    attempt,
  };

  const both = async (work: (to: Pick<MemoryEngine, 'ledger' | 'store'>) => Promise<void>) => {
    await work(real);
    await ('isBurnt' in each && each.isBurnt ? memory.burning(() => work(memory)) : work(memory));
  };

  switch (each.do) {
    case 'claim':
      await both(({ ledger }) => ledger.insertClaim(key, claim, token));
      break;
    case 'revision': {
      const token_ = `${claimToken(key, first)}:v${each.revision}${suffix}`;
      await both(({ ledger }) => ledger.insertRevision(key, { ...claim, revision: each.revision }, token_));
      break;
    }
    case 'events':
    case 'letters': {
      const batch = createBatchMaker(lineDecoder(name)).make(key, rangeOf(first, values), receivedAt);
      if (each.do === 'letters') await both(({ store }) => store.insertDeadLetters(key, batch.counts, batch.deadLetters));
      else {
        const rows = values.flatMap((_, at) => Array.from({ length: at + 1 }, (__, index) => [first + at, index] as const));
        const block: MemoryBlock = { place: placeOf(key), receivedAt, normaliser: name, attempt, batchEvents: rows.length, rows };
        await both((to) => to.store.insertEvents(to === real ? batch.encode(attempt) : Buffer.from(JSON.stringify(block)), token));
      }
      break;
    }
    case 'marker': {
      const block = marker(key, { firstOffset: first, receivedAt, normaliser: 'gap' }, attempt);
      await both(({ store }) => store.insertEvents(block, token));
      break;
    }
    case 'drop':
      await raiseFloor(database.clickhouse, receivedAt, { reason: 'test', setBy: 'test' });
      memory.raiseFloor(receivedAt);
      if (memory.floor > days[0]) await sql('ALTER TABLE events DROP PARTITION 20261122');
      memory.dropBelowFloor();
      break;
    case 'delete':
      await sql(`ALTER TABLE events DELETE WHERE kafka_offset = ${first} SETTINGS mutations_sync = 1`);
      memory.deleteEvents(({ offset }) => offset === first);
  }
  // What a kill between the deduplication log and the rename leaves behind: the token without its rows.
  if ('isBurnt' in each && each.isBurnt && each.do === 'events')
    await sql(`ALTER TABLE events DELETE WHERE normaliser = '${name}' SETTINGS mutations_sync = 1`);
  if ('isBurnt' in each && each.isBurnt && (each.do === 'claim' || each.do === 'revision'))
    await sql(`ALTER TABLE batches DELETE WHERE writer = '${name}' SETTINGS mutations_sync = 1`);
}

/** Everything that the write path can ask, and the rows themselves. */
async function shown({ ledger, store }: Pick<MemoryEngine, 'ledger' | 'store'>): Promise<unknown[]> {
  const answers: unknown[] = [];
  const ask = async (question: () => Promise<unknown>) => {
    try {
      answers.push(await question());
    } catch (error) {
      answers.push((error as { code?: string }).code);
    }
  };
  for (const key of keys) {
    await ask(() => ledger.claimsFrom(key, -1, 10));
    await ask(() => ledger.claimsFrom(key, 1, 2));
    await ask(() => ledger.tail(key));
    const claim = emptyClaim({ firstOffset: 1, lastOffset: 3 }, { receivedAt: days[0], writer: '', sequence: 0, note: '' });
    await ask(async () => sorted(await store.found(key, claim)));
    await ask(async () => sorted(await store.found(key, { ...claim, receivedAt: days[0] - dayMs })));
    await ask(() => store.hasEventsBeyond(key, claim));
  }
  await ask(() => ledger.sourceEpoch('log', 'gw'));
  await ask(() => store.floor());
  return answers;
}

const sorted = (found: {
  batchEvents: readonly number[];
  normalisers: readonly string[];
  deadLetters: Readonly<Record<string, number>>;
}) => ({
  ...found,
  batchEvents: found.batchEvents.toSorted((a, b) => a - b),
  normalisers: found.normalisers.toSorted(),
  deadLetters: { ...found.deadLetters },
});

const rowsOf = (memory: MemoryEngine) =>
  memory.events.map(
    (row) => `${row.place} ${row.offset}/${row.index} ${row.receivedAt} ${row.normaliser} ${row.attempt} ${row.batchEvents}`,
  );

async function realRows(): Promise<string[]> {
  const columns = `concat(toString(source_epoch), '/', topic, '/', toString(kafka_partition), ' ', toString(kafka_offset), '/', toString(message_index),
    ' ', toString(toUnixTimestamp64Milli(received_at)), ' ', normaliser, ' ', toString(attempt), ' ', toString(batch_events)) AS row`;
  return (await sqlRows<{ row: string }>(engine, `SELECT ${columns} FROM events`, database.name)).map(({ row }) => row);
}

async function expectTheSame(memory: MemoryEngine): Promise<void> {
  const real = { ledger: openLedger(database.clickhouse), store: openBatchStore(database.clickhouse) };
  expect(await shown(memory)).toEqual(await shown(real));
  expect(rowsOf(memory).toSorted()).toEqual((await realRows()).toSorted());
}

test('any list of inserts, burnt tokens, revisions, dropped days and deleted rows shows the same in both', async () => {
  let lists = 0;
  const list = async (each: readonly Command[]) => {
    lists += 1;
    const memory = await pair();
    for (const one of each) await send(memory, one);
    await expectTheSame(memory);
  };
  await fc.assert(fc.asyncProperty(fc.array(command, { minLength: 4, maxLength: 14, size: 'max' }), list), {
    numRuns: sizes.lists,
    examples: known,
    seed,
    endOnFailure: true,
  });
  report({ lists, commands });
});

const strace = existsSync('/usr/bin/strace');

// Where there is no strace nobody can kill at a rename; the emulation above, a token whose rows are deleted, still runs.
test.runIf(strace && sizes.kills > 0)('an engine that is killed at a rename leaves the same as a burnt token in memory', async () => {
  let [burnt, landed] = [0, 0];
  for (let kill = 0; kill < sizes.kills; kill += 1) {
    const memory = await pair();
    const name = kill % 2 === 0 ? ('events' as const) : ('claim' as const);
    const place_ = { key: 0, first: 0, length: 2, day: 0, attempt: 0 };
    await killAtRename(async () => send(memory, { ...place_, do: name, isBurnt: true }).catch(() => {}));
    await database.close();
    database = { ...database, ...(await reopened()) };
    // `send` failed on the real engine before it reached the one in memory.
    const isThere = Number(await sql(`SELECT count() FROM ${name === 'claim' ? 'batches' : 'events'}`)) > 0;
    if (isThere) {
      landed += 1;
      continue;
    }
    burnt += 1;
    await burnInMemory(memory, name);
    for (const attempt of [0, 0, 1, 1]) await send(memory, { ...place_, do: name, attempt, isBurnt: false });
    await expectTheSame(memory);
  }
  report({ kills: sizes.kills, burnt, landed });
  expect(burnt).toBeGreaterThan(sizes.kills / 2);
});

async function burnInMemory(memory: MemoryEngine, name: 'events' | 'claim'): Promise<void> {
  const key = keys[0] as PartitionKey; // there are three
  const facts = { receivedAt: days[0], writer: 'dead', sequence: 1, note: '' };
  const block: MemoryBlock = { place: placeOf(key), receivedAt: days[0], normaliser: 'dead', attempt: 0, batchEvents: 1, rows: [[0, 0]] };
  const work = () =>
    name === 'claim'
      ? memory.ledger.insertClaim(key, emptyClaim({ firstOffset: 0, lastOffset: 1 }, facts), claimToken(key, 0))
      : memory.store.insertEvents(Buffer.from(JSON.stringify(block)), claimToken(key, 0));
  await memory.burning(work);
}

/** The engine ends at the first rename of what `work` does. */
async function killAtRename(work: () => Promise<void>): Promise<void> {
  const calls = 'rename,renameat,renameat2';
  const tracer = spawn(
    'strace',
    ['-f', '-p', String(engine.pid), '-e', `trace=${calls}`, '-e', `inject=${calls}:signal=SIGKILL:when=1`, '-o', '/dev/null'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  await new Promise((resolve) => tracer.stderr.once('data', resolve));
  await work();
  await engine.kill(); // where it is still there
  await new Promise((resolve) => (tracer.exitCode === null && tracer.signalCode === null ? tracer.once('exit', resolve) : resolve(null)));
}

async function reopened(): Promise<Pick<TestDatabase, 'clickhouse' | 'close'>> {
  await engine.restart();
  const { connect } = await import('../../storage/clickhouse.ts');
  const clickhouse = connect({ url: engine.url, user: engine.user, password: engine.password, database: database.name });
  return { clickhouse, close: () => clickhouse.close() };
}
