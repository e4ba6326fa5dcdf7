/** Replays of a journal on the real engine: what stands beside the chain, who sees it, and who does not. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { deriveKey } from '../../../core/keys.ts';
import { silentLogger } from '../../../core/logger.ts';
import type { Decoder } from '../../../ingest/decoder.ts';
import { createReplays, type ReplaysOptions } from '../../../ingest/dead-letters.ts';
import { createKept } from '../../../ingest/kept.ts';
import { type Journal, openJournal } from '../../../ingest/logs/journal.ts';
import { partitionOf } from '../../../ingest/logs/placement.ts';
import { createSealer } from '../../../ingest/logs/seal.ts';
import type { ReplayStep } from '../../../ingest/close-replay.ts';
import { createReplayer } from '../../../ingest/replay.ts';
import { openBatchStore } from '../../../storage/batch-store.ts';
import { openLetters } from '../../../storage/dead-letters.ts';
import { openKept } from '../../../storage/kept-bytes.ts';
import { openLease } from '../../../storage/lease.ts';
import { type Claim, openLedger, originOffset, type PartitionKey } from '../../../storage/ledger.ts';
import { openReplayLedger } from '../../../storage/replays.ts';
import { raiseFloor } from '../../../storage/retention-floor.ts';
import { findDrift } from '../../../storage/rollup-drift.ts';
import { rollUp } from '../../../storage/rollups.ts';
import { startApi, testClosedReader, type TestApi } from '../../support/api.ts';
import { emptied, freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { sqlRows, sqlText } from '../../support/sql.ts';
import { assignmentOf, keyOf, lineDecoder, rangeOf, writerOn } from '../../support/writer.ts';

/** Messages with this key stand in one partition, behind each other. */
const messageKey = 'k';
const now = Date.parse('2026-11-23T12:00:00Z');
const receivedAt = now - 3_600_000;
const clock = { now: () => now };
const lines = ['/a', 'bad', '/b', 'bad', 'bad', '/c'];
const day = 'range: {absolute: {from: "2026-11-23T00:00:00Z", to: "2026-11-24T00:00:00Z"}}';

let engine: TestEngine;
let database: TestDatabase;
let api: TestApi;
let runs: number;
let folder: string;
let journal: Journal;
let key: PartitionKey;
let mend: (offset: number) => string;

beforeAll(async () => {
  engine = await startEngine();
  database = await freshDatabase(engine);
});
afterAll(async () => {
  await database?.close();
  await engine?.stop();
});

beforeEach(async () => {
  await emptied(database.clickhouse);
  folder = mkdtempSync(join(tmpdir(), 'gatetrail-replays-'));
  journal = journalIn('journal');
  key = { ...keyOf(partitionOf(messageKey, 4)), logId: await journal.id() };
  await append(journal, [...lines, '/next']);
  runs = 0;
  mend = () => '/mended';
  await write(lines, 0);
  await write(['/next'], lines.length);
  api = await startApi(database.clickhouse, { clock, replays: replaysOn() });
});
afterEach(async () => {
  api?.close();
  await journal?.close();
  rmSync(folder, { recursive: true, force: true });
});

const journalIn = (name: string) => openJournal({ folder: join(folder, name), key: deriveKey('a secret', 'journal') });
const append = (to: Journal, values: readonly string[]) =>
  to.append(
    'gw',
    values.map((value) => ({ value: Buffer.from(value), key: messageKey })),
  );
/** The log no longer has what is below. */
const forget = (below: number) => journal.trim(key, below);

async function write(values: readonly string[], first: number): Promise<void> {
  const writer = writerOn(database.clickhouse, { normaliser: 'then' });
  if (first === 0) {
    const empty = { messages: 0, records: 0, events: 0, rejected: 0, skipped: 0, minTimestamp: 0, maxTimestamp: 0, lastTimestamp: 0 };
    const more = {
      gapReason: '',
      note: '',
      normaliser: '',
      lastSha256: '',
      settled: false,
      attempt: 0,
      revision: 0,
      writer: '',
      sequence: 0,
    } as const;
    await writer.claimOnly(assignmentOf(key), { firstOffset: originOffset, lastOffset: -1, receivedAt, ...empty, ...more });
  }
  await writer.write(assignmentOf(key), writer.maker.make(key, rangeOf(first, values), receivedAt), first + 1);
}

const decoder: Decoder = {
  normaliser: 'now',
  decode: (message, ...rest) =>
    lineDecoder('now').decode(
      String(message.value) === 'bad' ? { ...message, value: Buffer.from(mend(message.offset)) } : message,
      ...rest,
    ),
};

const sealer = createSealer({ key: deriveKey('a secret', 'dead-letters') }, 'A kept message');

function replaysOn(trace?: (step: ReplayStep) => void, more: Partial<ReplaysOptions> = {}) {
  const { clickhouse } = database;
  const [ledger, replays, store, letters] = [
    openLedger(clickhouse),
    openReplayLedger(clickhouse),
    openBatchStore(clickhouse),
    openLetters(clickhouse),
  ];
  const keptStore = openKept(clickhouse);
  return createReplays({
    ledger,
    replays,
    store,
    keptStore,
    log: journal,
    kept: createKept(keptStore, sealer, silentLogger),
    closed: testClosedReader(clickhouse, clock),
    run() {
      runs += 1;
      const writer = `run${runs}`;
      const options = {
        ledger,
        replays,
        store,
        letters,
        decoder,
        writer,
        logger: silentLogger,
        revoked: new AbortController().signal,
        retryMs: 10,
      };
      return {
        lease: openLease(clickhouse, { name: 'replay', holder: writer, ttlMs: 1_000 }),
        replayer: createReplayer({ ...options, ...(trace && { trace }) }),
      };
    },
    ...more,
  });
}

const replay = async (more = '', service = api) => {
  const { data, errors } = await service.ask(
    `mutation {replayDeadLetters(${day}${more}) {matched replayed rejectedAgain userErrors {code message}}}`,
  );
  expect(errors).toBeUndefined();
  return data.replayDeadLetters;
};
const letters = async (filter = '') =>
  (await api.ask(`{deadLetters(${day}${filter}) {nodes {code replayable replayedAt position {offset index}}}}`)).data.deadLetters.nodes as {
    code: string;
    replayable: boolean;
    replayedAt: string | null;
    position: { offset: number };
  }[];
const events = () =>
  sqlRows<{ place: string; at: string }>(
    engine,
    `SELECT concat(toString(kafka_offset), '/', toString(message_index), ' ', toString(replay), ' ', normaliser) AS place, toString(received_at) AS at
FROM events WHERE tenant != '' ORDER BY kafka_offset, message_index, replay`,
    database.name,
  );
const places = async () => (await events()).map(({ place }) => place);
const counts = async () => {
  const { data } = await api.ask(`{completeness(${day}) {complete statement partitions {records events rejected skipped gaps {from}}}}`);
  const { complete, partitions } = data.completeness;
  return { complete, ...partitions[0] };
};
const before = ['0/0 0 then', '2/0 0 then', '5/0 0 then', '6/0 0 then'];
const stored = { records: 7, skipped: 0, gaps: [], complete: true };

describe('a replay', () => {
  test('stores what reads now at its old position and time, marks its dead letters, and adds up', async () => {
    expect(await counts()).toEqual({ ...stored, events: 4, rejected: 3 });
    expect(await replay()).toEqual({ matched: 3, replayed: 3, rejectedAgain: 0, userErrors: [] });
    expect(await places()).toEqual([...before, '1/0 1 now', '3/0 1 now', '4/0 1 now'].toSorted());
    expect(new Set((await events()).map(({ at }) => at)).size).toBe(1);
    expect(await counts()).toEqual({ ...stored, events: 7, rejected: 0 });
    expect((await letters()).map(({ replayedAt }) => replayedAt !== null)).toEqual([true, true, true]);
    expect(await letters(', filter: {replayed: false}')).toEqual([]);
    expect(await replay()).toEqual({ matched: 0, replayed: 0, rejectedAgain: 0, userErrors: [] });
    expect(await places()).toHaveLength(7);
  });

  test('that is dry counts and changes nothing', async () => {
    mend = (offset) => (offset === 3 ? 'bad' : '/x');
    expect(await replay(', dryRun: true')).toMatchObject({ matched: 3, replayed: 2, rejectedAgain: 1 });
    expect(await places()).toEqual(before);
    expect(await sqlText(engine, 'SELECT count() FROM batches WHERE replay > 0', database.name)).toBe('0\n');
    expect((await letters()).every(({ replayedAt }) => replayedAt === null)).toBe(true);
  });

  test('settles in turns: what is rejected again stands, what is skipped counts as skipped', async () => {
    mend = (offset) => ({ 1: 'skip', 3: 'bad' })[offset] ?? '/x';
    expect(await replay()).toMatchObject({ replayed: 2, rejectedAgain: 1 });
    expect(await counts()).toEqual({ ...stored, events: 5, rejected: 1, skipped: 1 });
    mend = () => 'e3';
    expect(await replay()).toMatchObject({ matched: 1, replayed: 1 });
    expect((await places()).filter((place) => place.startsWith('3/'))).toEqual(['3/0 2 now']);
    expect(await counts()).toEqual({ ...stored, events: 6, rejected: 0, skipped: 1 });
  });

  test('takes those that the filter names, and those that were never tried first', async () => {
    const [newest] = (await api.ask(`{deadLetters(${day}) {nodes {id position {offset}}}}`)).data.deadLetters.nodes;
    expect(await replay(`, filter: {ids: ["${newest.id}"]}`)).toMatchObject({ matched: 1, replayed: 1 });
    expect(await replay(', filter: {codes: ["TOO_DEEP"]}')).toMatchObject({ matched: 0 });
    expect(await replay(', filter: {replayed: true}')).toMatchObject({ matched: 0 });
    expect(await places()).toHaveLength(5);
  });

  test('is not for who may not, and whoever changes something stands in the access log before and after', async () => {
    const key = await api.makeKey(['acme'], ['INGEST']);
    const refused = await api.ask(`mutation {replayDeadLetters(${day}) {matched}}`, { key });
    expect(refused.errors[0].extensions.code).toBe('FORBIDDEN');
    await replay();
    const sql = "SELECT allowed, rows FROM access_log WHERE action = 'replayDeadLetters' ORDER BY allowed, isNull(rows) DESC, rows";
    expect(await sqlRows(engine, sql, database.name)).toEqual([
      { allowed: 0, rows: null },
      { allowed: 1, rows: null },
      { allowed: 1, rows: 3 },
    ]);
  });

  test('does not touch a batch that is still being stored', async () => {
    await sqlText(engine, 'ALTER TABLE events DELETE WHERE kafka_offset = 6 SETTINGS mutations_sync = 2', database.name);
    await sqlText(engine, 'ALTER TABLE batches DELETE WHERE first_offset = 0 SETTINGS mutations_sync = 2', database.name);
    const answer = await replay();
    expect(answer).toMatchObject({ replayed: 0 });
    expect(await places()).toEqual(before.slice(0, 3));
  });
});

describe('the bytes', () => {
  test('are in the log from its low end on; what is gone is told, and stands', async () => {
    await forget(3);
    expect((await letters()).map(({ position, replayable }) => [position.offset, replayable])).toEqual([
      [4, true],
      [3, true],
      [1, false],
    ]);
    expect(await replay()).toEqual({
      matched: 3,
      replayed: 2,
      rejectedAgain: 0,
      userErrors: [{ code: 'NOT_FOUND', message: `1 not read again: their bytes are neither in the log of gw/${key.partition} nor kept` }],
    });
    expect((await letters(', filter: {replayed: false}')).map(({ position }) => position.offset)).toEqual([1]);
  });

  test('of another log under the same name are not taken for them', async () => {
    const another = journalIn('another');
    await append(another, lines);
    const other = replaysOn(undefined, { log: another });
    const elsewhere = await startApi(database.clickhouse, { clock, replays: other });
    expect(await replay('', elsewhere)).toMatchObject({ replayed: 0, userErrors: [{ code: 'NOT_FOUND' }] });
    elsewhere.close();
    await another.close();
  });

  test('that are kept are read when the log no longer has them, sealed, and go by the day', async () => {
    const kept = createKept(openKept(database.clickhouse), sealer, silentLogger);
    const writer = writerOn(database.clickhouse, { normaliser: 'then' });
    const first = 100;
    const batch = writer.maker.make(key, rangeOf(first, ['bad', '/x', 'bad']), receivedAt);
    await kept.keep(key, batch);
    await kept.keep(key, batch);
    await writer.write(assignmentOf(key), batch, first);
    await write(['/end'], 200);
    await forget(lines.length + 1);
    const rows = await sqlRows<{ sealed: string }>(engine, 'SELECT * FROM dead_letter_bytes FINAL', database.name);
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows.map(({ sealed }) => Buffer.from(sealed, 'base64').toString('latin1')))).not.toContain('bad');
    expect((await letters()).map(({ position, replayable }) => [position.offset, replayable])).toEqual([
      [102, true],
      [100, true],
      [4, false],
      [3, false],
      [1, false],
    ]);
    expect(await replay()).toMatchObject({ matched: 5, replayed: 2, userErrors: [{ code: 'NOT_FOUND' }] });
    const store = openKept(database.clickhouse);
    await store.dropBefore(Date.parse('2026-11-23T23:00:00Z'));
    expect((await store.has(key, [100, 102])).size).toBe(2);
    await store.dropBefore(Date.parse('2026-11-24T00:00:00Z'));
    expect((await store.has(key, [100, 102])).size).toBe(0);
  });

  test('that were sealed under another secret are as good as gone', async () => {
    const other = createSealer({ key: deriveKey('another secret', 'dead-letters') }, 'A kept message');
    const kept = createKept(openKept(database.clickhouse), other, silentLogger);
    const { maker } = writerOn(database.clickhouse, { normaliser: 'then' });
    await kept.keep(key, maker.make(key, rangeOf(0, lines), receivedAt));
    await forget(lines.length);
    expect(await replay()).toMatchObject({ replayed: 0, rejectedAgain: 0, userErrors: [{ code: 'NOT_FOUND' }] });
  });
});

class Killed extends Error {}

describe('a run that is killed', () => {
  test.each(['claim', 'events', 'read back', 'mark', 'settle'] as const)('before %s is mended by the next one', async (fatal) => {
    const dying = replaysOn((step) => {
      if (step === fatal) throw new Killed();
    });
    const broken = await startApi(database.clickhouse, { clock, replays: dying });
    const died = await broken.ask(`mutation {replayDeadLetters(${day}) {matched}}`);
    expect(died.errors[0].extensions.code).toBe('INTERNAL');
    broken.close();
    expect((await counts()).complete).toBe(true);
    await rollUp({ clickhouse: database.clickhouse, closed: testClosedReader(database.clickhouse, clock) });
    await replay();
    expect((await places()).map((place) => place.split(' ')[0])).toEqual(['0/0', '1/0', '2/0', '3/0', '4/0', '5/0', '6/0']);
    expect(await counts()).toEqual({ ...stored, events: 7, rejected: 0 });
    expect(await letters(', filter: {replayed: false}')).toEqual([]);
    const steps = [];
    for (let made = 1; made > 0 && steps.length < 4; steps.push(made))
      made = await rollUp({ clickhouse: database.clickhouse, closed: testClosedReader(database.clickhouse, clock) });
    expect(steps.at(-1)).toBe(0); // also where a marker stands in the place of the events
    expect(await findDrift(database.clickhouse, { from: 0, to: now })).toEqual([]);
  });

  test('and another at the same time: one stores, the other finds nothing to do', async () => {
    const both = await Promise.all([replay(), replay()]);
    expect(both.map(({ replayed }) => replayed).toSorted((a, b) => a - b)).toEqual([0, 3]);
    expect(await places()).toHaveLength(7);
  });
});

test('below the retention floor nothing is stored', async () => {
  await raiseFloor(database.clickhouse, now + 86_400_000, { reason: 'test', setBy: 'test' });
  expect(await replay()).toMatchObject({ replayed: 0, userErrors: [{ code: 'OLDER_THAN_RETENTION' }] });
  expect(await places()).toEqual(before);
});

test('who follows the chain sees nothing of a replay: positions, gaps, the watermark, reading back, and the rollups do', async () => {
  const reader = () => testClosedReader(database.clickhouse, clock).read();
  const ledger = openLedger(database.clickhouse);
  const chain = await ledger.claimsFrom(key, -1, 10);
  const closed = await reader();
  const step = () => rollUp({ clickhouse: database.clickhouse, closed: testClosedReader(database.clickhouse, clock) });
  await step();
  expect(await step()).toBe(0);
  await replay();
  expect(await ledger.claimsFrom(key, -1, 10)).toEqual(chain);
  expect(await ledger.tail(key)).toEqual(chain.at(-1));
  expect(await reader()).toEqual(closed);
  const { isComplete } = writerOn(database.clickhouse, { normaliser: 'then' });
  for (const claim of chain.slice(1)) expect(await isComplete(key, claim)).toBe(true);
  expect(await openBatchStore(database.clickhouse).hasEventsBeyond(key, { ...chain[0], ...chain.at(-1) } as Claim)).toBe(false);
  expect(await step()).toBeGreaterThan(0);
  expect(await findDrift(database.clickhouse, { from: 0, to: now })).toEqual([]);
  expect(await sqlText(engine, "SELECT sum(requests) FROM rollup_hour FINAL WHERE tenant != ''", database.name)).toBe('7\n');
});
