/** The write protocol on the real engine: races, crashes between two steps, late writers, other normalisers. The tables are read by plain SQL. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { claimToken } from '../../storage/ledger.ts';
import { openBatchStore } from '../../storage/batch-store.ts';
import { campaign } from '../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { sqlRows, sqlText } from '../support/sql.ts';
import { assignmentOf, keyOf, rangeOf, writerOn } from '../support/writer.ts';

let engine: TestEngine;
let database: TestDatabase;
const day = Date.parse('2026-11-22T10:00:00Z');

beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine?.stop());
beforeEach(async () => {
  database = await freshDatabase(engine);
  return () => database.close();
});

const sql = <Row>(statement: string) => sqlRows<Row>(engine, statement, database.name);
const positions = async () =>
  (
    await sql<{ p: string }>(
      "SELECT concat(toString(kafka_offset), '/', toString(message_index)) AS p FROM events WHERE tenant != '' ORDER BY kafka_offset, message_index",
    )
  ).map(({ p }) => p);
const claims = () => sql<Record<string, string | number>>('SELECT * FROM batches ORDER BY first_offset, revision, attempt');
const values = (count: number) => Array.from({ length: count }, (_, at) => `/${at}`);

describe('one writer', () => {
  test('stores a batch once, with its claim, and every record is accounted for', async () => {
    const writer = writerOn(database.clickhouse);
    const batch = writer.maker.make(keyOf(), rangeOf(0, ['/a', 'e3', 'bad', 'skip']), day);
    expect(await writer.write(assignmentOf(), batch, 1)).toMatchObject({ kind: 'stored', claim: { firstOffset: 0, lastOffset: 3 } });
    expect(await positions()).toEqual(['0/0', '1/0', '1/1', '1/2']);
    expect(await claims()).toMatchObject([{ messages: 4, records: 6, events: 4, rejected: 1, skipped: 1, revision: 0, attempt: 0 }]);
    expect(await sql('SELECT kafka_offset, code FROM dead_letters FINAL')).toMatchObject([{ code: 'BAD_JSON' }]);
  });

  test('that writes the same batch again adds nothing', async () => {
    for (const writer of [writerOn(database.clickhouse, { name: 'w' }), writerOn(database.clickhouse, { name: 'w' })]) {
      await writer.write(assignmentOf(), writer.maker.make(keyOf(), rangeOf(0, values(50)), day), 1);
    }
    expect(await positions()).toHaveLength(50);
    expect(await claims()).toHaveLength(1);
  });

  test('stores a batch of dead letters alone', async () => {
    const writer = writerOn(database.clickhouse);
    await writer.write(assignmentOf(), writer.maker.make(keyOf(), rangeOf(0, ['bad', 'bad']), day), 1);
    expect(await claims()).toMatchObject([{ events: 0, rejected: 2 }]);
    expect(await sql('SELECT 1 FROM dead_letters FINAL')).toHaveLength(2);
  });

  test('whose partition was taken away writes nothing', async () => {
    const writer = writerOn(database.clickhouse);
    const assignment = assignmentOf();
    assignment.revoke();
    await expect(writer.write(assignment, writer.maker.make(keyOf(), rangeOf(0, values(3)), day), 1)).rejects.toThrow();
    expect(await claims()).toEqual([]);
  });

  test('turns what the database refuses for good into dead letters, and stores the rest', async () => {
    await sqlText(engine, "ALTER TABLE events ADD CONSTRAINT no_seven CHECK url_path != '/7'", database.name);
    const writer = writerOn(database.clickhouse);
    await writer.write(assignmentOf(), writer.maker.make(keyOf(), rangeOf(0, values(20)), day), 1);
    expect(await positions()).toEqual(
      values(20)
        .map((_, at) => `${at}/0`)
        .filter((place) => place !== '7/0'),
    );
    expect(await sql('SELECT kafka_offset, code FROM dead_letters FINAL')).toEqual([{ kafka_offset: 7, code: 'STORE_REFUSED' }]);
    expect((await claims()).at(-1)).toMatchObject({ records: 20, events: 19, rejected: 1, revision: 1 });
  });
});

describe('writers that race', () => {
  const { sizes, report } = campaign('claim-races', { races: 30 }, { races: 200 });

  test('for one position agree on one batch, and it is stored once', async () => {
    let disagreements = 0;
    for (let race = 0; race < sizes.races; race += 1) {
      const first = race * 1000;
      const racing = [10, 20, 30].map(async (length, at) => {
        const writer = writerOn(database.clickhouse);
        const assignment = assignmentOf();
        const batch = writer.maker.make(keyOf(), rangeOf(first, values(length)), day + at);
        const outcome = await writer.write(assignment, batch, race);
        if (outcome.kind === 'stored') return outcome.claim;
        if (outcome.kind === 'late') throw new Error('nobody went on, so nobody can be late');
        const theirs = writer.maker.make(keyOf(), rangeOf(first, values(outcome.claim.lastOffset - first + 1)), outcome.claim.receivedAt);
        return writer.complete(assignment, outcome.claim, theirs);
      });
      const seen = await Promise.all(racing);
      if (new Set(seen.map((claim) => JSON.stringify(claim))).size !== 1) disagreements += 1;
    }
    const [judged] = await sql<Record<'claims' | 'claimed' | 'stored' | 'distinct', number>>(
      `SELECT count() AS claims, sum(events) AS claimed, (SELECT count() FROM events) AS stored, (SELECT uniqExact(kafka_offset) FROM events) AS distinct FROM batches`,
    );
    report({ races: sizes.races, disagreements, judged });
    expect(disagreements).toBe(0);
    expect(judged).toEqual({ claims: sizes.races, claimed: judged?.stored, stored: judged?.claimed, distinct: judged?.claimed });
  });
});

describe('a crash between two steps', () => {
  const claimed = async () => {
    const writer = writerOn(database.clickhouse);
    const batch = writer.maker.make(keyOf(), rangeOf(0, ['/a', 'bad', '/b']), day);
    const claim = { ...batch.counts, note: '', settled: false, attempt: 0, writer: 'dead', revision: 0, sequence: 1 };
    await writer.ledger.insertClaim(keyOf(), claim, claimToken(keyOf(), 0));
    return { writer, batch, claim };
  };

  test('after the claim: the next owner stores what the claim says', async () => {
    const { claim } = await claimed();
    const next = writerOn(database.clickhouse);
    await next.complete(assignmentOf(), claim, next.maker.make(keyOf(), rangeOf(0, ['/a', 'bad', '/b']), claim.receivedAt));
    expect(await positions()).toEqual(['0/0', '2/0']);
    expect(await claims()).toHaveLength(1);
  });

  test('after the events: the next owner finds them and adds nothing', async () => {
    const { writer, batch, claim } = await claimed();
    await writer.store.insertDeadLetters(keyOf(), claim, batch.deadLetters);
    await writer.store.insertEvents(batch.encode(0), claimToken(keyOf(), 0));
    const next = writerOn(database.clickhouse);
    await next.complete(assignmentOf(), claim, next.maker.make(keyOf(), rangeOf(0, ['/a', 'bad', '/b']), claim.receivedAt));
    expect(await positions()).toEqual(['0/0', '2/0']);
  });

  test('that burnt the token: the next suffix stores it, and the late copy stores nothing', async () => {
    const { batch, claim } = await claimed();
    // What a kill between the deduplication log and the rename leaves behind: a token without rows.
    await openBatchStore(database.clickhouse).insertEvents(batch.encode(0), claimToken(keyOf(), 0));
    await sqlText(engine, 'ALTER TABLE events DELETE WHERE 1 SETTINGS mutations_sync = 1', database.name);
    const next = writerOn(database.clickhouse);
    await next.complete(assignmentOf(), claim, next.maker.make(keyOf(), rangeOf(0, ['/a', 'bad', '/b']), claim.receivedAt));
    await openBatchStore(database.clickhouse).insertEvents(batch.encode(0), claimToken(keyOf(), 0));
    expect(await positions()).toEqual(['0/0', '2/0']);
    expect(await sql('SELECT DISTINCT attempt FROM events')).toEqual([{ attempt: 1 }]);
  });

  test('and a new version of the reader: its batch counts, on a revision of the claim', async () => {
    const { claim } = await claimed();
    const next = writerOn(database.clickhouse, { normaliser: 'newer' });
    await next.complete(assignmentOf(), claim, next.maker.make(keyOf(), rangeOf(0, ['/a', '/now-readable', '/b']), claim.receivedAt));
    expect(await positions()).toEqual(['0/0', '1/0', '2/0']);
    expect((await claims()).at(-1)).toMatchObject({ revision: 1, normaliser: 'newer', events: 3, rejected: 0, records: 3 });
  });

  test('and messages that are gone: the gap is on record, and the late copy stores nothing', async () => {
    const { writer, batch, claim } = await claimed();
    const revised = await writerOn(database.clickhouse).complete(assignmentOf(), claim, null);
    expect(revised).toMatchObject({ revision: 1, events: 0, records: 0, gapReason: 'RETENTION_OVERRUN' });
    await writer.store.insertEvents(batch.encode(0), claimToken(keyOf(), 0));
    expect(await positions()).toEqual([]);
  });
});

describe('a writer that comes late', () => {
  test('to a position that was passed stores nothing', async () => {
    const [old, newer] = [writerOn(database.clickhouse), writerOn(database.clickhouse)];
    await newer.write(assignmentOf(), newer.maker.make(keyOf(), rangeOf(0, values(10)), day), 1);
    await newer.write(assignmentOf(), newer.maker.make(keyOf(), rangeOf(10, values(10)), day), 2);
    expect(await old.write(assignmentOf(), old.maker.make(keyOf(), rangeOf(0, values(5)), day), 1)).toMatchObject({ kind: 'late' });
    expect(await old.write(assignmentOf(), old.maker.make(keyOf(), rangeOf(5, values(15)), day), 1)).toMatchObject({ kind: 'late' });
    expect(await positions()).toHaveLength(20);
  });

  test('stays out by the condition alone when its token is long forgotten', async () => {
    const writer = writerOn(database.clickhouse);
    await writer.write(assignmentOf(), writer.maker.make(keyOf(), rangeOf(0, values(10)), day), 1);
    const late = {
      ...writer.maker.make(keyOf(), rangeOf(0, values(3)), day).counts,
      note: '',
      settled: false,
      attempt: 0,
      writer: 'late',
      revision: 0,
      sequence: 1,
    };
    await writer.ledger.insertClaim(keyOf(), late, 'another-token');
    expect(await claims()).toHaveLength(1);
  });

  test('with a revision stays out by its condition too: another one is there, or the one before it is not', async () => {
    const writer = writerOn(database.clickhouse);
    const outcome = await writer.write(assignmentOf(), writer.maker.make(keyOf(), rangeOf(0, values(3)), day), 1);
    if (outcome.kind !== 'stored') throw new Error('stored was expected');
    const revised = { ...outcome.claim, revision: 1, normaliser: 'newer' };
    await writer.ledger.insertRevision(keyOf(), revised, 'a token');
    await writer.ledger.insertRevision(keyOf(), { ...revised, events: 1 }, 'another token');
    await writer.ledger.insertRevision(keyOf(), { ...revised, revision: 3 }, 'a third token');
    await writer.ledger.insertRevision(keyOf(), { ...revised, firstOffset: 1 }, 'a fourth token');
    expect((await claims()).map(({ revision, events }) => [revision, events])).toEqual([
      [0, 3],
      [1, 3],
    ]);
  });

  test('after midnight stores under the day of the claim, so that the token still holds', async () => {
    const evening = Date.parse('2026-11-22T23:59:59.900Z');
    const writer = writerOn(database.clickhouse);
    const outcome = await writer.write(assignmentOf(), writer.maker.make(keyOf(), rangeOf(0, values(100)), evening), 1);
    const morning = writerOn(database.clickhouse);
    const lost = await morning.write(assignmentOf(), morning.maker.make(keyOf(), rangeOf(0, values(100)), evening + 200), 1);
    expect(lost).toMatchObject({ kind: 'lost', claim: { receivedAt: evening } });
    // Even without looking first: the same claim, the same day, the same token.
    const copy = morning.maker.make(keyOf(), rangeOf(0, values(100)), evening);
    await morning.store.insertEvents(copy.encode(0), claimToken(keyOf(), 0));
    expect(await positions()).toHaveLength(100);
    expect(outcome.kind).toBe('stored');
  });
});

describe('what may not be settled', () => {
  test('two different rows of one claim stop the partition', async () => {
    const writer = writerOn(database.clickhouse);
    await writer.write(assignmentOf(), writer.maker.make(keyOf(), rangeOf(0, values(3)), day), 1);
    await sqlText(
      engine,
      'INSERT INTO batches SELECT * REPLACE (99 AS events) FROM batches SETTINGS insert_deduplicate = 0',
      database.name,
    );
    await expect(writer.ledger.tail(keyOf())).rejects.toMatchObject({ code: 'LEDGER_INCONSISTENT' });
  });

  test('events that were stored twice behind our back are not blessed', async () => {
    const writer = writerOn(database.clickhouse);
    const outcome = await writer.write(assignmentOf(), writer.maker.make(keyOf(), rangeOf(0, values(3)), day), 1);
    await sqlText(engine, 'INSERT INTO events SELECT * FROM events SETTINGS insert_deduplicate = 0', database.name);
    if (outcome.kind !== 'stored') throw new Error('stored was expected');
    const next = writerOn(database.clickhouse);
    await expect(next.complete(assignmentOf(), outcome.claim, null)).rejects.toMatchObject({ code: 'LEDGER_INCONSISTENT' });
    expect(await next.isComplete(keyOf(), outcome.claim)).toBe(false);
  });
});
