/** The protocol of a replay against an engine in memory: crashes at every step, lost answers, late requests, two at once. */
import { beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../core/logger.ts';
import type { Decoder } from '../../../ingest/decoder.ts';
import type { LogMessage } from '../../../ingest/log.ts';
import type { ReplayStep } from '../../../ingest/close-replay.ts';
import { createReplayer, Overtaken, type Replayer, type Tally } from '../../../ingest/replay.ts';
import { Revoked } from '../../../ingest/settle.ts';
import { createWriter } from '../../../ingest/write.ts';
import type { StoredLetter } from '../../../storage/dead-letters.ts';
import type { Claim } from '../../../storage/ledger.ts';
import { type Fault, memoryBatches, memoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { assignmentOf, keyOf, lineDecoder, messages, rangeOf } from '../../support/writer.ts';

const key = keyOf();
const at = 1_790_000_000_000;
const token = 'log:1:gw:0:0:replay:1';
const values = ['/a', 'bad', '/b', 'bad', 'bad'];
const letterPositions = ['1/0', '3/0', '4/0'];

let memory: MemoryStore;
let claim: Claim;
let steps: ReplayStep[];

/** Reads `bad` as what it is mended to; what is mended to `bad` is rejected again, to `skip` skipped. */
const mended = (to: (offset: number) => string, normaliser = 'now'): Decoder => {
  const { decode } = lineDecoder(normaliser);
  return {
    normaliser,
    decode: (message, ...rest) =>
      decode(String(message.value) === 'bad' ? { ...message, value: Buffer.from(to(message.offset)) } : message, ...rest),
  };
};

beforeEach(async () => {
  memory = memoryStore();
  steps = [];
  claim = await stored(values);
});

/** The batch as ingest left it, closed by the one after it. */
async function stored(lines: readonly string[], first = 0): Promise<Claim> {
  const maker = memoryBatches('then');
  const writer = createWriter({ ...memory, maker, writer: 'ingest', logger: silentLogger, retryMs: 0 });
  const batch = maker.make(key, rangeOf(first, lines), at);
  await writer.write(assignmentOf(), batch, 1);
  for (const letter of batch.deadLetters) {
    const whole = {
      ...letter,
      sourceEpoch: 1,
      topic: 'gw',
      partition: 0,
      firstOffset: first,
      normaliser: 'then',
      receivedAt: at,
      replayedAt: null,
    };
    memory.stored.set(`${letter.offset}/${letter.index}`, whole);
  }
  memory.sent.batches.length = 0;
  memory.sent.events.length = 0;
  const [row] = await memory.ledger.claimsFrom(key, first, 1);
  return row as Claim;
}

interface Options {
  readonly decoder?: Decoder;
  readonly writer?: string;
  readonly trace?: (step: ReplayStep) => void;
}

const replayerAs = ({
  decoder = mended(() => '/mended'),
  writer = 'w1',
  trace = (step) => void steps.push(step),
}: Options = {}): Replayer =>
  createReplayer({ ...memory, decoder, writer, logger: silentLogger, revoked: new AbortController().signal, trace, retryMs: 0 });

const standing = () => [...memory.stored.values()].filter(({ replayedAt }) => replayedAt === null);
const inLog = (lines: readonly string[] = values, first = 0) =>
  async function* read(offsets: readonly number[]): AsyncGenerator<LogMessage> {
    yield* messages(first, lines).filter(({ offset }) => offsets.includes(offset));
  };

const run = (options: Options = {}, letters: readonly StoredLetter[] = standing(), isDry = false): Promise<Tally> =>
  replayerAs(options).replay({ key, claim }, letters, inLog(), isDry);

const replayed = () => memory.events.filter(({ replay }) => replay > 0).map(({ position, replay }) => `${position} ${replay}`);
const rows = async () => memory.replays.of(key, 0);

describe('a replay', () => {
  test('is claimed, its events are stored and read back, its dead letters are marked, and it is settled, in this order', async () => {
    expect(await run()).toEqual({ replayed: 3, rejectedAgain: 0, gone: [] });
    expect(steps).toEqual(['claim', 'events', 'read back', 'mark', 'settle']);
    expect(memory.sent).toEqual({ batches: [token, `${token}:v1`], events: [token] });
    expect(replayed()).toEqual(letterPositions.map((position) => `${position} 1`));
    expect(standing()).toEqual([]);
  });

  test('has the key, the range and the time of its claim, and says what it settled', async () => {
    await run();
    const { firstOffset, lastOffset, receivedAt } = claim;
    const counts = { messages: 3, records: 3, events: 3, rejected: 0, skipped: 0 };
    expect(await rows()).toEqual([
      expect.objectContaining({ firstOffset, lastOffset, receivedAt, ...counts, replay: 1, revision: 1, settled: true, note: '1_2_1' }),
    ]);
  });

  test('leaves the chain as it is: its claims, and what reading them back shows', async () => {
    const before = await memory.ledger.claimsFrom(key, -1, 10);
    const found = await memory.store.found(key, claim);
    await run();
    expect(await memory.ledger.claimsFrom(key, -1, 10)).toEqual(before);
    expect(await memory.store.found(key, claim)).toEqual(found);
    expect(await memory.ledger.tail(key)).toEqual(before.at(-1));
  });

  test('done again does nothing', async () => {
    const letters = standing();
    await run();
    const after = structuredClone([memory.events, memory.claims]);
    expect(await run({ writer: 'w2' }, letters)).toEqual({ replayed: 0, rejectedAgain: 0, gone: [] });
    expect([memory.events, memory.claims]).toEqual(after);
  });

  test('stores what can be read, and what is rejected again stands with its new reason for the next one', async () => {
    const half = mended((offset) => (offset === 3 ? 'bad' : '/mended'));
    expect(await run({ decoder: half })).toMatchObject({ replayed: 2, rejectedAgain: 1 });
    expect(standing().map(({ offset, code, normaliser }) => [offset, code, normaliser])).toEqual([[3, 'BAD_JSON', 'then']]);
    expect(await run({ writer: 'w2' })).toMatchObject({ replayed: 1, rejectedAgain: 0 });
    expect(replayed()).toEqual(['1/0 1', '4/0 1', '3/0 2']);
  });

  test('of what is no request after all stores no event and settles its dead letters', async () => {
    expect(await run({ decoder: mended(() => 'skip') })).toMatchObject({ replayed: 3 });
    expect(memory.sent.events).toEqual([]);
    expect(await rows()).toEqual([expect.objectContaining({ records: 3, events: 0, skipped: 3, settled: true })]);
    expect(standing()).toEqual([]);
  });

  test('of what is rejected whole again writes no row', async () => {
    expect(await run({ decoder: mended(() => 'bad') })).toMatchObject({ replayed: 0, rejectedAgain: 3 });
    expect(await rows()).toEqual([]);
  });

  test('tells whose messages could not be had', async () => {
    const tally = await replayerAs().replay({ key, claim }, standing(), inLog(['/', 'bad'], 0), false);
    expect(tally).toMatchObject({ replayed: 1, rejectedAgain: 0 });
    expect(tally.gone.map(({ offset }) => offset)).toEqual([3, 4]);
  });

  test('that is dry counts the same and stores nothing', async () => {
    const half = mended((offset) => (offset === 3 ? 'bad' : '/mended'));
    const before = structuredClone([memory.events, memory.claims, [...memory.stored]]);
    expect(await run({ decoder: half }, standing(), true)).toMatchObject({ replayed: 2, rejectedAgain: 1 });
    expect([memory.events, memory.claims, [...memory.stored]]).toEqual(before);
  });

  test('of more than one row of the ledger can name is several, one after the other', async () => {
    const lines = Array.from({ length: 3_000 }, (_, line) => (line % 2 === 0 ? 'bad' : '/x'));
    claim = await stored(lines, 100);
    const letters = standing().filter(({ offset }) => offset >= 100);
    const read = inLog(lines, 100);
    expect(await replayerAs().replay({ key, claim }, letters, read, false)).toMatchObject({ replayed: 1_500 });
    const all = await memory.replays.of(key, 100);
    expect(all.length).toBeGreaterThan(1);
    expect(all.map(({ replay }) => replay)).toEqual(all.map((_, number) => number + 1));
    expect(all.reduce((sum, { events }) => sum + events, 0)).toBe(1_500);
    for (const { note } of all) expect(note.length).toBeLessThanOrEqual(6_000);
    expect(new Set(replayed().map((each) => each.split(' ')[0])).size).toBe(1_500);
  });
});

describe('what the engine does to its inserts', () => {
  test.each<[string, Fault[], string[]]>([
    ['a request that was lost is sent again under the same token', ['lost request'], [token, token]],
    ['a lost answer is found by reading back', ['lost answer'], [token]],
    ['a burnt token gets a suffix after its success', ['burnt'], [token, token, `${token}:r1`]],
  ])('changes nothing, for events: %s', async (_, faults, sent) => {
    memory.fail('events', ...faults);
    expect(await run()).toMatchObject({ replayed: 3 });
    expect(memory.sent.events).toEqual(sent);
    expect(replayed()).toHaveLength(3);
  });

  test.each<[string, Fault[]]>([
    ['lost', ['lost request']],
    ['not answered', ['lost answer']],
    ['burnt', ['burnt']],
  ])('changes nothing, for a claim that is %s', async (_, faults) => {
    memory.fail('batches', ...faults);
    expect(await run()).toMatchObject({ replayed: 3 });
    expect(await rows()).toHaveLength(1);
  });

  test('for good refuses one event: the others are stored, that one stands as STORE_REFUSED, and no row is left open', async () => {
    memory.refusedPosition = '3/0';
    expect(await run()).toMatchObject({ replayed: 2, rejectedAgain: 1 });
    expect(standing().map(({ offset, code }) => [offset, code])).toEqual([[3, 'STORE_REFUSED']]);
    expect(await memory.replays.open()).toEqual([]);
    expect(replayed().map((each) => each.split(' ')[0])).toEqual(['1/0', '4/0']);
  });
});

class Killed extends Error {}
const dyingAt = (fatal: ReplayStep) => (step: ReplayStep) => {
  if (step === fatal) throw new Killed();
};

describe('a process that dies', () => {
  test.each(['claim', 'events', 'read back', 'mark', 'settle'] as const)(
    'before %s leaves what the next run mends: nothing doubled, nothing lost',
    async (step) => {
      await expect(run({ trace: dyingAt(step) })).rejects.toBeInstanceOf(Killed);
      const next = replayerAs({ writer: 'w2' });
      await next.recover();
      await next.replay({ key, claim }, standing(), inLog(), false);
      expect(
        replayed()
          .map((each) => String(each.split(' ')[0]))
          .toSorted(),
      ).toEqual(
        // A burnt replay leaves its marker at the start of the claim.
        step === 'events' ? ['0/0', ...letterPositions] : letterPositions,
      );
      expect(standing()).toEqual([]);
      expect(await memory.replays.open()).toEqual([]);
      const settled = (await rows()).reduce((sum, { records }) => sum + records, 0);
      expect(settled).toBe(3);
    },
  );

  test.each(['claim', 'events', 'read back', 'mark', 'settle'] as const)(
    'before %s and again in the recovery is mended by the third',
    async (step) => {
      await expect(run({ trace: dyingAt('events') })).rejects.toBeInstanceOf(Killed);
      await replayerAs({ writer: 'w2', trace: dyingAt(step) })
        .recover()
        .catch((error: unknown) => expect(error).toBeInstanceOf(Killed));
      const third = replayerAs({ writer: 'w3' });
      await third.recover();
      await third.replay({ key, claim }, standing(), inLog(), false);
      expect(memory.events.filter(({ replay, batchEvents }) => replay > 0 && batchEvents > 0).map(({ position }) => position)).toEqual(
        letterPositions,
      );
      expect(standing()).toEqual([]);
    },
  );

  test('after its events were sent, and whose request comes late, stores nothing any more', async () => {
    memory.fail('events', 'held');
    let looks = 0;
    const trace = (step: ReplayStep) => {
      if (step === 'read back' && (looks += 1) === 1) throw new Killed();
    };
    await expect(run({ trace })).rejects.toBeInstanceOf(Killed);
    const next = replayerAs({ writer: 'w2' });
    await next.recover();
    await next.replay({ key, claim }, standing(), inLog(), false);
    memory.deliver();
    expect(memory.events.filter(({ replay, batchEvents }) => replay > 0 && batchEvents > 0).map(({ position }) => position)).toEqual(
      letterPositions,
    );
  });
});

describe('two at once', () => {
  test('of which one comes between the claim and the events of the other: one of them stores', async () => {
    const letters = standing();
    let other: Tally | null = null;
    const trace = async () => {
      const second = replayerAs({ writer: 'w2' });
      await second.recover();
      other = await second.replay({ key, claim }, letters, inLog(), false);
    };
    const insert = memory.replays.insert.bind(memory.replays);
    let calls = 0;
    memory.replays.insert = async (...row) => {
      await insert(...row);
      if ((calls += 1) === 1) await trace();
    };
    await expect(run({}, letters)).rejects.toBeInstanceOf(Overtaken);
    expect(other).toMatchObject({ replayed: 3 });
    expect(memory.events.filter(({ replay, batchEvents }) => replay > 0 && batchEvents > 0).map(({ position }) => position)).toEqual(
      letterPositions,
    );
    expect((await rows()).map(({ records, settled }) => [records, settled])).toEqual([
      [0, true],
      [3, true],
    ]);
  });

  test('of which the other took the number: this one stores nothing', async () => {
    const letters = standing();
    const of = memory.replays.of.bind(memory.replays);
    let looks = 0;
    memory.replays.of = async (...asked) => {
      const seen = await of(...asked);
      // After the look that said what is due, and before the claim.
      if ((looks += 1) === 1)
        await createReplayer({
          ...memory,
          replays: { ...memory.replays, of },
          decoder: mended(() => '/theirs', 'other'),
          writer: 'w2',
          logger: silentLogger,
          revoked: new AbortController().signal,
        }).replay({ key, claim }, letters, inLog(), false);
      return seen;
    };
    await expect(run({}, letters)).rejects.toBeInstanceOf(Overtaken);
    expect(memory.events.filter(({ replay }) => replay > 0).map(({ normaliser }) => normaliser)).toEqual(['other', 'other', 'other']);
    expect(await rows()).toHaveLength(1);
  });
});

describe('below the retention floor', () => {
  test('no event is stored, and what was claimed never counts', async () => {
    const trace = (step: ReplayStep) => {
      if (step === 'events') memory.floor = at + 1;
    };
    await expect(run({ trace })).rejects.toBeInstanceOf(Overtaken);
    await replayerAs({ writer: 'w2' }).recover();
    expect(replayed()).toEqual([]);
    expect(memory.sent.events).toEqual([]);
    expect(await rows()).toEqual([expect.objectContaining({ records: 0, events: 0, settled: true })]);
    expect(standing()).toHaveLength(3);
  });
});

test('whoever is told to stop ends between two tries', async () => {
  const control = new AbortController();
  memory.fail('events', 'lost request', 'lost request');
  const trace = (step: ReplayStep) => {
    if (step === 'events') control.abort();
  };
  const replayer = createReplayer({
    ...memory,
    decoder: mended(() => '/x'),
    writer: 'w',
    logger: silentLogger,
    revoked: control.signal,
    trace,
    retryMs: 0,
  });
  await expect(replayer.replay({ key, claim }, standing(), inLog(), false)).rejects.toBeInstanceOf(Revoked);
  expect(replayed()).toEqual([]);
});

test('events that are not one batch are a contradiction that nobody blesses', async () => {
  await expect(run({ trace: dyingAt('mark') })).rejects.toBeInstanceOf(Killed);
  memory.events.push({ position: '3/0', replay: 1, batchEvents: 3, normaliser: 'now', attempt: 1 });
  await expect(replayerAs({ writer: 'w2' }).recover()).rejects.toMatchObject({ code: 'LEDGER_INCONSISTENT' });
  expect(standing()).toHaveLength(3);
});
