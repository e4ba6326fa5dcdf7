/** The write protocol against an engine in memory that burns tokens, holds requests and loses answers on demand. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { silentLogger } from '../../../core/logger.ts';
import type { BatchMaker } from '../../../ingest/batch.ts';
import { judge } from '../../../ingest/judge.ts';
import { gapNormaliser } from '../../../ingest/marker.ts';
import { Revoked } from '../../../ingest/settle.ts';
import { createWriter, type Outcome, type Step, type Writer } from '../../../ingest/write.ts';
import type { Found } from '../../../storage/batch-store.ts';
import type { Claim } from '../../../storage/ledger.ts';
import { type Fault, memoryBatches, memoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { assignmentOf, keyOf, rangeOf } from '../../support/writer.ts';

const key = keyOf();
const token = 'log:1:gw:0:0';
const at = 1_790_000_000_000;
let memory: MemoryStore;
let inconsistent: number;
let steps: Step[];

beforeEach(() => {
  memory = memoryStore();
  inconsistent = 0;
  steps = [];
});

function writerAs(writer: string, normaliser = 'test'): Writer & { readonly maker: BatchMaker } {
  const maker = memoryBatches(normaliser);
  const options = { ...memory, maker, writer, logger: silentLogger, retryMs: 0 };
  const onInconsistent = () => (inconsistent += 1);
  return { ...createWriter({ ...options, onInconsistent, trace: (step) => steps.push(step) }), maker };
}

const batchOf = (writer: { readonly maker: BatchMaker }, values: readonly string[], first = 0, receivedAt = at) =>
  writer.maker.make(key, rangeOf(first, values), receivedAt);

async function write(values: readonly string[] = ['/a', '/b', '/c'], first = 0, writer = writerAs('w')): Promise<Outcome> {
  return writer.write(assignmentOf(), batchOf(writer, values, first), 1);
}

const positions = () => memory.events.map(({ position }) => position).toSorted();

/** A claim whose writer ended before it stored anything. */
async function claimed(values: readonly string[] = ['/a', 'bad', '/b'], normaliser = 'test'): Promise<Claim> {
  const { counts } = batchOf(writerAs('dead', normaliser), values);
  const claim = { ...counts, note: '', settled: false, attempt: 0, writer: 'dead', revision: 0, sequence: 1 };
  await memory.ledger.insertClaim(key, claim, token);
  return claim;
}

describe('a batch', () => {
  test('is claimed, its dead letters and events are stored, and it is read back, in this order', async () => {
    expect(await write(['/a', 'bad'])).toMatchObject({ kind: 'stored', claim: { events: 1, rejected: 1, revision: 0 } });
    expect(steps).toEqual(['claim', 'dead letters', 'events', 'read back']);
    expect(memory.sent).toEqual({ batches: [token], events: [token] });
  });

  test('written again by the same writer adds nothing', async () => {
    for (let times = 0; times < 2; times += 1) await write();
    expect(positions()).toEqual(['0/0', '1/0', '2/0']);
    expect(memory.claims).toHaveLength(1);
  });

  test('of dead letters alone sends no block', async () => {
    expect(await write(['bad', 'bad'])).toMatchObject({ kind: 'stored', claim: { events: 0, rejected: 2 } });
    expect(memory.sent.events).toEqual([]);
  });

  test('of a partition that was taken away writes nothing', async () => {
    const writer = writerAs('w');
    const assignment = assignmentOf();
    assignment.revoke();
    await expect(writer.write(assignment, batchOf(writer, ['/a']), 1)).rejects.toBeInstanceOf(Revoked);
    expect(memory.sent).toEqual({ batches: [], events: [] });
  });

  test('whose partition is taken away after the claim leaves the claim to the next owner', async () => {
    const assignment = assignmentOf();
    const maker = memoryBatches();
    const trace = (step: Step) => step === 'events' && assignment.revoke();
    const writer = createWriter({ ...memory, maker, writer: 'w', logger: silentLogger, retryMs: 0, trace });
    await expect(writer.write(assignment, batchOf({ maker }, ['/a']), 1)).rejects.toBeInstanceOf(Revoked);
    expect([memory.claims.length, memory.events.length]).toEqual([1, 0]);
  });
});

describe('rule A', () => {
  test.each<[string, Fault[], string[]]>([
    ['a request that was lost is sent again under the same token', ['lost request'], [token, token]],
    ['a lost answer is found by reading back, and nothing is sent again', ['lost answer'], [token]],
    ['however often it fails, the token stays the same', ['lost request', 'lost request', 'lost request'], [token, token, token, token]],
    ['a burnt token gets the same token again, and a suffix after its success', ['burnt'], [token, token, `${token}:r1`]],
    [
      'a burnt suffix gets the next one in the same way',
      ['burnt', 'lost request', 'lost request'],
      [token, token, token, token, `${token}:r1`],
    ],
    ['a request that is held is sent again under the same token', ['held', 'lost request'], [token, token, token]],
  ])('for events: %s', async (_, faults, sent) => {
    memory.fail('events', ...faults);
    expect(await write()).toMatchObject({ kind: 'stored' });
    expect(memory.sent.events).toEqual(sent);
    memory.deliver();
    expect(positions()).toEqual(['0/0', '1/0', '2/0']);
  });

  test.each<[string, Fault[], string[], number]>([
    ['a request that was lost is sent again under the same token', ['lost request'], [token, token], 0],
    ['a lost answer is found by reading back', ['lost answer'], [token], 0],
    ['a burnt token is followed by a suffix after a success', ['burnt'], [token, token, `${token}:r1`], 1],
  ])('for claims: %s', async (_, faults, sent, attempt) => {
    memory.fail('batches', ...faults);
    expect(await write()).toMatchObject({ kind: 'stored', claim: { attempt } });
    expect(memory.sent.batches).toEqual(sent);
    expect(memory.claims).toHaveLength(1);
  });

  test('a second burnt suffix moves on to :r2, and late copies of all three store nothing', async () => {
    memory.fail('events', 'burnt');
    const engine = { ...memory.store };
    Object.assign(memory.store, {
      insertEvents: (block: Buffer, name: string) => {
        if (name.endsWith(':r1') && !memory.sent.events.includes(name)) memory.fail('events', 'burnt');
        return engine.insertEvents(block, name);
      },
    });
    await write();
    expect(memory.sent.events).toEqual([token, token, `${token}:r1`, `${token}:r1`, `${token}:r2`]);
    for (const late of [token, `${token}:r1`, `${token}:r2`])
      await engine.insertEvents(batchOf(writerAs('w'), ['/a', '/b', '/c']).encode(0), late);
    expect(positions()).toEqual(['0/0', '1/0', '2/0']);
    expect(new Set(memory.events.map(({ attempt }) => attempt))).toEqual(new Set([2]));
  });
});

describe('rule A rests on a look that began after the answer', () => {
  test('so an insert that takes its time gets no suffix', async () => {
    const insertEvents = memory.store.insertEvents.bind(memory.store);
    Object.assign(memory.store, {
      async insertEvents(...args: Parameters<typeof insertEvents>) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        await insertEvents(...args);
      },
    });
    await write();
    expect(memory.sent.events).toEqual([token]);
  });
});

describe('rule A on tables that are replicated', () => {
  /** The third answer alone comes from a replica that has caught up. */
  function catchesUpAtTheThird(): Record<'claims' | 'events', string[]> {
    const sent: Record<'claims' | 'events', string[]> = { claims: [], events: [] };
    const { insertEvents } = memory.store;
    const { insertClaim } = memory.ledger;
    Object.assign(memory.store, {
      async insertEvents(block: Buffer, name: string) {
        if (sent.events.push(name) === 3) await insertEvents(block, name);
      },
    });
    Object.assign(memory.ledger, {
      async insertClaim(place: typeof key, claim: Claim, name: string) {
        if (sent.claims.push(name) === 3) await insertClaim(place, claim, name);
      },
    });
    return sent;
  }

  test('a success that is not seen yet is waited for under the same token, never doubled under a suffix', async () => {
    Object.assign(memory.store, { replicated: true });
    const sent = catchesUpAtTheThird();
    expect(await write()).toMatchObject({ kind: 'stored', claim: { attempt: 0 } });
    expect(sent).toEqual({ claims: [token, token, token], events: [token, token, token] });
    expect(positions()).toEqual(['0/0', '1/0', '2/0']);
  });

  test('where on a plain table it means that the token was burnt', async () => {
    const sent = catchesUpAtTheThird();
    await write();
    expect(sent.events).toEqual([token, `${token}:r1`, `${token}:r2`]);
  });

  test('an insert of events says for which partition and shard it is', async () => {
    const places: unknown[] = [];
    const { insertEvents } = memory.store;
    const { claimsFrom } = memory.ledger;
    Object.assign(memory.store, {
      async insertEvents(block: Buffer, name: string, at: unknown) {
        places.push(at);
        await insertEvents(block, name);
      },
    });
    Object.assign(memory.ledger, {
      claimsFrom: async (...args: Parameters<typeof claimsFrom>) => (await claimsFrom(...args)).map((claim) => ({ ...claim, shard: 2 })),
    });
    await write();
    expect(places).toMatchObject([{ topic: 'gw', partition: 0, shard: 2 }]);
  });
});

describe('a claim that is not ours', () => {
  test('is lost to the writer that was first: nothing of ours is stored', async () => {
    await claimed(['/a', '/b']);
    expect(await write(['/a', '/b', '/c'])).toMatchObject({ kind: 'lost', claim: { writer: 'dead', lastOffset: 1 } });
    expect(memory.events).toEqual([]);
  });

  test('is completed as it stands, by anyone, once', async () => {
    const claim = await claimed();
    for (const name of ['next', 'another']) {
      const writer = writerAs(name);
      expect(await writer.complete(assignmentOf(), claim, batchOf(writer, ['/a', 'bad', '/b']))).toEqual(claim);
    }
    expect(positions()).toEqual(['0/0', '2/0']);
    expect(memory.claims).toHaveLength(1);
  });

  test('may be ours by an earlier assignment, with another range: then it is lost too', async () => {
    const writer = writerAs('w');
    await writer.write(assignmentOf(), batchOf(writer, ['/a']), 1);
    expect(await writer.write(assignmentOf(), batchOf(writer, ['/a', '/b']), 1)).toMatchObject({ kind: 'lost' });
  });

  test('at a position that was passed makes a writer late, also when it begins inside a batch', async () => {
    await write(['/a', '/b'], 0);
    await write(['/c', '/d'], 2);
    for (const first of [0, 1]) expect(await write(['/x'], first, writerAs('slow'))).toEqual({ kind: 'late' });
    expect(positions()).toHaveLength(4);
  });

  test('that comes after its token was forgotten is kept out by the condition', async () => {
    await write(['/a', '/b'], 0);
    memory.forgetTokens();
    expect(await write(['/a'], 0, writerAs('slow'))).toMatchObject({ kind: 'lost', claim: { writer: 'w', lastOffset: 1 } });
    expect(memory.claims).toHaveLength(1);
  });
});

describe('a claim whose token may be forgotten', () => {
  /** A later claim of the partition closed the first, and the window has moved on. */
  async function passed(): Promise<Claim> {
    const claim = await claimed(['/a']);
    const { counts } = batchOf(writerAs('next'), ['/b'], 1);
    await memory.ledger.insertClaim(key, { ...claim, ...counts, sequence: 2 }, 'log:1:gw:0:1');
    memory.forgetTokens();
    return claim;
  }

  test('is looked up again before its events are stored: where a later one stands behind it, nothing is', async () => {
    const claim = await passed();
    const writer = writerAs('slow');
    expect(await writer.complete(assignmentOf(), claim, batchOf(writer, ['/a']))).toEqual(claim);
    expect(await writer.complete(assignmentOf(), claim, null)).toEqual(claim);
    expect(memory.sent.events).toEqual([]);
  });

  /** Once, at this step of the writer that stands still: another one completes the claim, and then the window moves on. */
  function overtakenAt(part: 'ledger' | 'store', step: 'insertClaim' | 'insertDeadLetters'): void {
    const steps_ = memory[part] as unknown as Record<string, (...args: unknown[]) => Promise<void>>; // both give nothing
    const work = steps_[step]?.bind(steps_);
    let isFirst = true;
    steps_[step] = async (...args) => {
      await work?.(...args);
      const [claim] = memory.claims;
      if (!isFirst || claim === undefined) return;
      isFirst = false;
      const next = writerAs('next');
      await next.complete(assignmentOf(), claim, batchOf(next, ['/a']));
      memory.forgetTokens();
    };
  }

  test('and that another stored in an idle partition while its writer stood still is not stored again', async () => {
    const claim = await claimed(['/a']);
    overtakenAt('store', 'insertDeadLetters');
    const writer = writerAs('slow');
    expect(await writer.complete(assignmentOf(), claim, batchOf(writer, ['/a']))).toEqual(claim);
    expect(positions()).toEqual(['0/0']);
  });

  test('and that another stored while the answer to the claim was on its way is not stored again', async () => {
    vi.spyOn(performance, 'now').mockReturnValueOnce(0).mockReturnValue(60_001);
    overtakenAt('ledger', 'insertClaim');
    const writer = writerAs('slow');
    expect(await writer.write(assignmentOf(), batchOf(writer, ['/a']), 1)).toMatchObject({ kind: 'stored', claim: { events: 1 } });
    expect(positions()).toEqual(['0/0']);
    vi.restoreAllMocks();
  });

  test('and that another stored while its writer was suspended with an old answer on its way is not stored again', async () => {
    let [now, isFirst] = [0, true];
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const claim = await claimed(['/a']);
    const found = memory.store.found.bind(memory.store);
    let looks = 0;
    Object.assign(memory.store, {
      async found(...args: Parameters<typeof found>) {
        const answer = await found(...args);
        looks += 1;
        if (looks < 2 || !isFirst) return answer; // the second look is the one right before the events
        isFirst = false;
        const next = writerAs('next');
        await next.complete(assignmentOf(), claim, batchOf(next, ['/a']));
        memory.forgetTokens();
        now = 3_600_000;
        return answer;
      },
    });
    const slow = writerAs('slow');
    expect(await slow.complete(assignmentOf(), claim, batchOf(slow, ['/a']))).toEqual(claim);
    expect(positions()).toEqual(['0/0']);
    vi.restoreAllMocks();
  });

  test('and that stands twice, in two versions, stops the partition when it is looked up', async () => {
    const claim = await claimed(['/a']);
    memory.claims.push({ ...claim, events: 9 });
    const writer = writerAs('slow');
    await expect(writer.complete(assignmentOf(), claim, batchOf(writer, ['/a']))).rejects.toMatchObject({ code: 'LEDGER_INCONSISTENT' });
    expect(memory.events).toEqual([]);
  });

  test('is looked up again by its own writer too, when that stood still for more than a minute', async () => {
    vi.spyOn(performance, 'now').mockReturnValueOnce(0).mockReturnValue(60_001);
    const writer = writerAs('slow');
    const insertDeadLetters = memory.store.insertDeadLetters.bind(memory.store);
    Object.assign(memory.store, {
      async insertDeadLetters(...args: Parameters<typeof insertDeadLetters>) {
        const [first] = memory.claims;
        if (first) memory.claims.push({ ...first, firstOffset: 1, lastOffset: 1, sequence: 2 });
        return insertDeadLetters(...args);
      },
    });
    expect(await writer.write(assignmentOf(), batchOf(writer, ['/a']), 1)).toMatchObject({ kind: 'stored', claim: { events: 1 } });
    expect(memory.sent.events).toEqual([]);
    vi.restoreAllMocks();
  });
});

describe('a writer whose process is stopped for longer than a token is known', () => {
  /** The answer is on its way when the process is stopped; meanwhile the claim is closed and its token forgotten. */
  function stopAt(which: number): void {
    let now = 0;
    let answers = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const claimsFrom = memory.ledger.claimsFrom.bind(memory.ledger);
    Object.assign(memory.ledger, {
      async claimsFrom(...args: Parameters<typeof claimsFrom>) {
        const answer = await claimsFrom(...args);
        answers += 1;
        now += 60_001;
        const [first] = memory.claims;
        if (answers === which && first) {
          memory.claims.push({ ...first, firstOffset: 1, lastOffset: 1, sequence: 2 });
          memory.forgetTokens();
        }
        return answer;
      },
    });
  }

  test.each([
    ['which claim counts', 1],
    ['whether the claim is still the newest', 2],
  ])('while it waits for the answer %s stores nothing', async (_, which) => {
    stopAt(which);
    const writer = writerAs('zombie');
    expect(await writer.write(assignmentOf(), batchOf(writer, ['/a']), 1)).toMatchObject({ kind: 'stored' });
    expect(memory.sent.events).toEqual([]);
    vi.restoreAllMocks();
  });
});

describe('a revision', () => {
  test('says what another version of the reader stored, under a token of its own', async () => {
    const claim = await claimed();
    const next = writerAs('next', 'newer');
    const completed = await next.complete(assignmentOf(), claim, batchOf(next, ['/a', '/now-readable', '/b']));
    expect(completed).toMatchObject({
      revision: 1,
      events: 3,
      rejected: 0,
      records: 3,
      normaliser: 'newer',
      receivedAt: at,
      lastOffset: 2,
    });
    expect(memory.sent.batches).toEqual([token, `${token}:v1`]);
  });

  test('keeps the dead letters of the newer reader, also when the older one comes late with its own', async () => {
    const claim = await claimed();
    const next = writerAs('next', 'newer');
    const completed = await next.complete(assignmentOf(), claim, batchOf(next, ['/a', 'bad', '/b']));
    const old = writerAs('dead');
    expect(await old.complete(assignmentOf(), claim, batchOf(old, ['/a', 'bad', '/b']))).toEqual(completed);
    expect([...memory.deadLetters.keys()]).toEqual(['newer 1/0']);
  });

  test('has the counts of a reader that finds more records in the same messages', async () => {
    const claim = await claimed(['bad', '/b']);
    const next = writerAs('next', 'newer');
    const completed = await next.complete(assignmentOf(), claim, batchOf(next, ['e5', 'skip']));
    expect(completed).toMatchObject({ revision: 1, records: 6, events: 5, rejected: 0, skipped: 1 });
  });

  test('names whose reading counts where nothing is an event in it, and a late copy stores nothing', async () => {
    const claim = await claimed();
    const next = writerAs('next', 'newer');
    const completed = await next.complete(assignmentOf(), claim, batchOf(next, ['bad', 'bad', 'skip']));
    expect(completed).toMatchObject({ revision: 1, normaliser: 'newer', events: 0, rejected: 2, skipped: 1, gapReason: '' });
    const old = writerAs('dead');
    expect(await old.complete(assignmentOf(), claim, batchOf(old, ['/a', 'bad', '/b']))).toEqual(completed);
    expect(memory.events).toMatchObject([{ normaliser: 'newer', batchEvents: 0 }]);
  });

  test('leaves a claim without events so: what another reader could read of it becomes dead letters', async () => {
    const claim = await claimed(['bad', 'bad']);
    const next = writerAs('next', 'newer');
    const completed = await next.complete(assignmentOf(), claim, batchOf(next, ['/a', 'bad']));
    expect(completed).toMatchObject({ revision: 1, normaliser: 'newer', events: 0, rejected: 2 });
    expect(memory.events).toEqual([]);
    expect(Object.fromEntries(memory.deadLetters)).toEqual({ 'newer 0/0': 'STORE_REFUSED', 'newer 1/0': 'BAD_JSON' });
  });

  test('records the gap of a claim without events whose messages are gone', async () => {
    const completed = await writerAs('next').complete(assignmentOf(), await claimed(['bad']), null);
    expect(completed).toMatchObject({ records: 0, rejected: 0, gapReason: 'RETENTION_OVERRUN', normaliser: gapNormaliser });
  });

  test('that comes after its token was forgotten is kept out by the condition', async () => {
    const claim = await claimed();
    const next = writerAs('next', 'newer');
    const completed = await next.complete(assignmentOf(), claim, batchOf(next, ['/a', '/b', '/c']));
    memory.forgetTokens();
    await memory.ledger.insertRevision(key, { ...completed, events: 1, rejected: 2 }, `${token}:v1`);
    await memory.ledger.insertRevision(key, { ...completed, revision: 3 }, `${token}:v3`);
    expect(memory.claims).toHaveLength(2);
  });

  test('is written for what an older writer finds stored by a newer one', async () => {
    const claim = await claimed();
    const newer = batchOf(writerAs('x', 'newer'), ['/a', '/now-readable', '/b']);
    await memory.store.insertEvents(newer.encode(0), token);
    const old = writerAs('old');
    expect(await old.complete(assignmentOf(), claim, batchOf(old, ['/a', 'bad', '/b']))).toMatchObject({
      revision: 1,
      normaliser: 'newer',
      events: 3,
    });
    expect(positions()).toHaveLength(3);
  });

  test('whose token is burnt is written under the next suffix', async () => {
    const claim = await claimed();
    memory.fail('batches', 'burnt');
    const next = writerAs('next', 'newer');
    await next.complete(assignmentOf(), claim, batchOf(next, ['/a', '/b', '/c']));
    expect(memory.sent.batches).toEqual([token, `${token}:v1`, `${token}:v1`, `${token}:v1:r1`]);
  });

  test('records the gap where claimed messages are gone, and a late copy stores nothing', async () => {
    const claim = await claimed();
    const writer = writerAs('next');
    expect(await writer.complete(assignmentOf(), claim, null)).toMatchObject({
      events: 0,
      records: 0,
      gapReason: 'RETENTION_OVERRUN',
      normaliser: gapNormaliser,
    });
    await memory.store.insertEvents(batchOf(writer, ['/a', 'bad', '/b']).encode(0), token);
    expect(memory.events).toMatchObject([{ normaliser: gapNormaliser }]);
  });
});

describe('what is refused', () => {
  test('for good, three times, becomes a dead letter, and the rest is stored under the same token', async () => {
    memory.refusedPosition = '1/0';
    expect(await write()).toMatchObject({ kind: 'stored', claim: { revision: 1, events: 2, rejected: 1, records: 3 } });
    expect(positions()).toEqual(['0/0', '2/0']);
    expect(memory.deadLetters.get('test 1/0')).toBe('STORE_REFUSED');
    expect(memory.sent.events).toEqual([token, token, token, token]);
  });

  test('once and then taken is stored whole', async () => {
    memory.fail('events', 'refused', 'refused');
    expect(await write()).toMatchObject({ claim: { revision: 0, events: 3 } });
  });

  test('for another reason than its rows is tried again as often as it takes', async () => {
    memory.fail('events', 'read only', 'read only', 'read only', 'read only');
    expect(await write()).toMatchObject({ claim: { revision: 0, events: 3 } });
    expect(memory.deadLetters.size).toBe(0);
  });

  test('below the retention floor nothing is stored, and the claim stays as it is', async () => {
    memory.floor = at + 1;
    expect(await write()).toMatchObject({ kind: 'stored' });
    expect(memory.events).toEqual([]);
    const claim = await claimed();
    expect(await writerAs('w').complete(assignmentOf(), claim, null)).toBe(claim);
  });

  test('below a floor that rose while the messages were looked for, no gap is recorded', async () => {
    const claim = await claimed();
    let asked = 0;
    Object.assign(memory.store, { floor: async () => (asked++ === 0 ? 0 : at + 1) });
    expect(await writerAs('w').complete(assignmentOf(), claim, null)).toEqual(claim);
    expect([memory.events.length, memory.claims.length]).toEqual([0, 1]);
  });

  test('rows that were stored twice are never blessed: the partition stops and the counter says so', async () => {
    const claim = await claimed(['/a', '/b']);
    const block = batchOf(writerAs('x'), ['/a', '/b']).encode(0);
    for (const other of ['one', 'two']) await memory.store.insertEvents(block, other);
    await expect(writerAs('w').complete(assignmentOf(), claim, null)).rejects.toMatchObject({ code: 'LEDGER_INCONSISTENT' });
    expect(inconsistent).toBe(1);
  });
});

describe('a writer whose claim retention has taken rows from since', () => {
  /** Stored whole, then one row less; the writer has the claim as it was. */
  async function thinned(): Promise<Claim> {
    const claim = await claimed(['/a', '/b', '/c']);
    const writer = writerAs('x');
    await writer.complete(assignmentOf(), claim, batchOf(writer, ['/a', '/b', '/c']));
    memory.events.splice(1, 1);
    return claim;
  }
  const settle = (claim: Claim) => memory.ledger.insertRevision(key, { ...claim, settled: true, revision: 1 }, `${token}:v1`);
  const complete = (claim: Claim) => {
    const writer = writerAs('late');
    return writer.complete(assignmentOf(), claim, batchOf(writer, ['/a', '/b', '/c']));
  };

  test('stores nothing for one that is settled', async () => {
    const claim = { ...(await claimed()), settled: true };
    expect(await complete(claim)).toBe(claim);
    expect(memory.sent.events).toEqual([]);
  });

  test('sees right before its events that it was settled meanwhile', async () => {
    const claim = await claimed(['/a', '/b', '/c']);
    await settle(claim);
    memory.forgetTokens();
    expect(await complete(claim)).toMatchObject({ settled: true, revision: 1 });
    expect([memory.sent.events, memory.events]).toEqual([[], []]);
  });

  test('takes it for closed where it is settled, or a later one stands behind it', async () => {
    const claim = await thinned();
    await settle(claim);
    expect(await complete(claim)).toMatchObject({ settled: true });
    memory.claims.pop();
    await memory.ledger.insertClaim(key, { ...claim, firstOffset: 3, lastOffset: 5 }, 'next');
    expect(await complete(claim)).toEqual(claim);
    expect([inconsistent, positions()]).toEqual([0, ['0/0', '2/0']]);
  });

  test('stops where nobody has closed it: a part is never written in part', async () => {
    await expect(complete(await thinned())).rejects.toMatchObject({ code: 'LEDGER_INCONSISTENT' });
    expect(inconsistent).toBe(1);
  });

  test('stops where there is more than was stored, though it is settled: that is no doing of retention', async () => {
    const claim = await claimed(['/a', '/b', '/c']);
    const block = batchOf(writerAs('x'), ['/a', '/b', '/c']).encode(0);
    for (const other of ['one', 'two']) await memory.store.insertEvents(block, other);
    await settle(claim);
    await expect(complete(claim)).rejects.toMatchObject({ code: 'LEDGER_INCONSISTENT' });
  });

  test('and dead letters too, takes it for closed below the floor', async () => {
    const claim = await claimed(['bad']);
    let asked = 0;
    Object.assign(memory.store, { insertDeadLetters: async () => {}, floor: async () => (asked++ === 0 ? 0 : at + 1) });
    const writer = writerAs('late');
    expect(await writer.complete(assignmentOf(), claim, batchOf(writer, ['bad']))).toEqual(claim);
    expect(inconsistent).toBe(0);
  });
});

describe('whether a claim is complete', () => {
  test('is read from the tables; a settled one is never read again', async () => {
    const writer = writerAs('w');
    const claim = await claimed();
    expect(await writer.isComplete(key, claim)).toBe(false);
    expect(await writer.isComplete(key, { ...claim, settled: true })).toBe(true);
    await writer.complete(assignmentOf(), claim, batchOf(writer, ['/a', 'bad', '/b']));
    expect(await writer.isComplete(key, claim)).toBe(true);
  });
});

describe('reading back judges', () => {
  const claim: Claim = {
    firstOffset: 0,
    lastOffset: 9,
    messages: 10,
    records: 12,
    events: 8,
    rejected: 3,
    skipped: 1,
    gapReason: '',
    note: '',
    receivedAt: at,
    minTimestamp: 0,
    maxTimestamp: 0,
    normaliser: 'n',
    lastSha256: '',
    lastTimestamp: 0,
    settled: false,
    attempt: 0,
    writer: 'w',
    revision: 0,
    sequence: 1,
  };
  const stored = { events: 8, distinct: 8, batchEvents: [8], normalisers: ['n'], deadLetters: { n: 3 } };
  const none = { events: 0, distinct: 0, batchEvents: [], normalisers: [], deadLetters: {} };
  const lettersOnly = { ...claim, events: 0, records: 4 };
  const of = (count: number) => ({ events: count, distinct: count, batchEvents: [count] });
  const marker = { events: 1, distinct: 1, batchEvents: [0], normalisers: [gapNormaliser], deadLetters: {} };

  test.each<[string, Claim, Found, string]>([
    ['all events and dead letters: complete', claim, stored, 'complete'],
    ['dead letters of another normaliser beside them: complete', claim, { ...stored, deadLetters: { n: 3, m: 2 } }, 'complete'],
    ['nothing: rule A decides', claim, none, 'nothing'],
    ['dead letters and no events yet: nothing of the events', claim, { ...none, deadLetters: { n: 3 } }, 'nothing'],
    ['a batch of dead letters alone: complete with them', lettersOnly, { ...none, deadLetters: { n: 3 } }, 'complete'],
    ['some of its dead letters: nothing is decided', lettersOnly, { ...none, deadLetters: { n: 2 } }, 'nothing'],
    ['all of another normaliser: nothing is decided', lettersOnly, { ...none, deadLetters: { m: 3 } }, 'nothing'],
    ['more dead letters than it claimed: a contradiction', lettersOnly, { ...none, deadLetters: { n: 4 } }, 'contradiction'],
    [
      "another normaliser's batch, complete in itself: a revision",
      claim,
      { ...stored, ...of(9), normalisers: ['m'], deadLetters: { m: 2 } },
      'other',
    ],
    ["another's batch with more records than were claimed: a revision", claim, { ...stored, ...of(13), normalisers: ['m'] }, 'other'],
    ['more events than were claimed, of the same normaliser: a contradiction', claim, { ...stored, ...of(9) }, 'contradiction'],
    ['fewer events, the rest refused: a revision', claim, { ...stored, ...of(6), deadLetters: { n: 5 } }, 'other'],
    ['fewer events that nothing explains: a contradiction', claim, { ...stored, ...of(6) }, 'contradiction'],
    ['events without their dead letters: a contradiction', claim, { ...stored, deadLetters: {} }, 'contradiction'],
    ['a position twice: a contradiction', claim, { ...stored, events: 9 }, 'contradiction'],
    ['a part that says it should be larger: a contradiction', claim, { ...stored, batchEvents: [20] }, 'contradiction'],
    ['parts of two sizes: a contradiction', claim, { ...stored, batchEvents: [8, 4] }, 'contradiction'],
    ['parts of two normalisers: a contradiction', claim, { ...stored, normalisers: ['n', 'm'] }, 'contradiction'],
    ['the marker of a gap where events were claimed: a gap', claim, marker, 'gap'],
    ['two markers: a contradiction', claim, { ...marker, normalisers: [gapNormaliser, 'm'], events: 2 }, 'contradiction'],
    ['two rows that say 0: a contradiction', claim, { ...marker, normalisers: ['m'], events: 2, distinct: 2 }, 'contradiction'],
    ['the marker on the revision that says so: complete', { ...claim, normaliser: gapNormaliser, events: 0 }, marker, 'complete'],
    [
      'the marker where no events are left to store: its dead letters count',
      lettersOnly,
      { ...marker, normalisers: ['n'], deadLetters: { n: 3 } },
      'complete',
    ],
    [
      'the marker of a batch of which all was refused: a revision',
      claim,
      { ...marker, normalisers: ['n'], deadLetters: { n: 11 } },
      'other',
    ],
  ])('%s', (_, expected, found, kind) => {
    expect(judge(expected, found).kind).toBe(kind);
  });

  test('a batch that is not as claimed by counts of its own', () => {
    const found = { ...stored, ...of(9), normalisers: ['m'], deadLetters: { m: 2 } };
    expect(judge(claim, found)).toEqual({ kind: 'other', counts: { records: 12, events: 9, rejected: 2, skipped: 1, normaliser: 'm' } });
  });
});
