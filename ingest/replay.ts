/**
 * The protocol of a replay: dead letters of a closed claim become a batch of their own beside the chain, under the claim's
 * time and positions. Its row is claimed and says which dead letters it settles; its events follow under its token, then they
 * are read back, the dead letters are marked, and the row is settled. Only a settled row counts.
 *
 * What a process leaves open is closed by the next one: its events are there, or a marker uses up its token and it never counts.
 */
import { grouped } from '../core/grouped.ts';
import { createEventBlock, type EventBlock } from '../storage/block.ts';
import type { StoredLetter } from '../storage/dead-letters.ts';
import { type Claim, claimToken, type PartitionKey } from '../storage/ledger.ts';
import { readPlaces, writePlaces } from '../storage/replays.ts';
import { maxBlockBytes, maxBlockRows, storeRefused } from './batch.ts';
import { type ClosingOptions, createClosing, type Verdict } from './close-replay.ts';
import type { Decoder } from './decoder.ts';
import { createHolder } from './held.ts';
import type { LogMessage } from './log.ts';
import { readAgain, type Settled } from './read-again.ts';
import { createSettling } from './settle.ts';

export interface ReplayOptions extends ClosingOptions {
  readonly decoder: Decoder;
  /** Unique per run: two may be at work in one process. */
  readonly writer: string;
  readonly retryMs?: number;
}

export interface Tally {
  /** Dead letters that are none any more. */
  readonly replayed: number;
  readonly rejectedAgain: number;
  /** Their messages could not be had. */
  readonly gone: readonly StoredLetter[];
}

export interface Replayer {
  /** Closes what others left open. @throws Revoked, LEDGER_INCONSISTENT */
  recover(): Promise<void>;
  /**
   * Reads dead letters of one closed claim again. `read` gives the messages at offsets, those that there are. A dry run stores nothing.
   * @throws Overtaken, Revoked, LEDGER_INCONSISTENT
   */
  replay(batch: ClosedBatch, letters: readonly StoredLetter[], read: ReadMessages, isDry: boolean): Promise<Tally>;
}

export interface ClosedBatch {
  readonly key: PartitionKey;
  readonly claim: Claim;
}

/** With the number of its next replay. */
interface Numbered extends ClosedBatch {
  next(): number;
}

export type ReadMessages = (offsets: readonly number[]) => AsyncIterable<LogMessage>;

/** What was sent longer ago may have lost its token: the row is looked at again. */
const tokenIsKnownMs = 60_000;

export function createReplayer(options: ReplayOptions): Replayer {
  const { decoder, letters: letterStore, replays, revoked, store, writer, trace = () => {} } = options;
  const settling = createSettling({ ...options, replicated: store.replicated === true });
  const { settle } = settling;
  const { rowOf, verdictOf, close, closeOpen } = createClosing(options, settling);

  async function storeAll(batch: Numbered, items: readonly Settled[]): Promise<number> {
    if (items.length === 0) return 0;
    const block = createEventBlock();
    for (const { letter, events } of items) for (const { event, index } of events) block.add(event, letter.offset, index);
    const constants = { ...batch.key, receivedAt: batch.claim.receivedAt, normaliser: decoder.normaliser };
    const encode = (replay: number, attempt: number) => block.encode({ ...constants, replay, attempt });
    if (block.rows === 0 || (await isTaken(encode(0, 0), block.rows))) return storeAs(batch, items, { encode, block });
    const half = items.length >> 1;
    if (half > 0) return (await storeAll(batch, items.slice(0, half))) + (await storeAll(batch, items.slice(half)));
    const { code, message } = storeRefused(new Set());
    await letterStore.restate(
      items.map(({ letter }) => ({ ...letter, code, message, path: '' })),
      await store.now(),
    );
    return 0;
  }

  const isTaken = async (encoded: Buffer, rows: number) =>
    rows <= maxBlockRows && encoded.length <= maxBlockBytes && (await store.accepts(encoded));

  async function storeAs(
    { key, claim, next }: Numbered,
    items: readonly Settled[],
    { encode, block }: { encode(replay: number, attempt: number): Buffer; readonly block: EventBlock },
  ): Promise<number> {
    const assignment = { key, revoked };
    const { firstOffset, shard } = claim;
    const number = next();
    const token = claimToken(key, firstOffset, number);
    const wanted = { ...rowFor(claim, items, block), replay: number, writer, normaliser: decoder.normaliser };
    trace('claim');
    const row = await settle<Claim>(assignment, token, {
      send: (suffixed, attempt) => replays.insert(key, { ...wanted, attempt }, suffixed),
      look: async () => (await rowOf(key, firstOffset, number)) ?? null,
    });
    if (row.writer !== writer || row.settled) throw new Overtaken(key);
    const verdict: Verdict =
      row.events === 0
        ? 'stored'
        : await settle<Verdict>(assignment, token, {
            async send(suffixed, attempt) {
              trace('events');
              await assertOpen(key, row);
              await store.insertEvents(encode(number, attempt), suffixed, { ...key, shard });
            },
            look: () => verdictOf(key, row),
          });
    await close(key, row, verdict);
    if (verdict === 'burnt') throw new Overtaken(key);
    return items.length;
  }

  /** Right before the events: nobody has closed the row, and the floor has not passed it. */
  async function assertOpen(key: PartitionKey, row: Claim): Promise<void> {
    const askedAt = performance.now();
    const [floor, current] = await Promise.all([store.floor(), rowOf(key, row.firstOffset, row.replay ?? 0)]);
    if (row.receivedAt < floor || current?.settled === true) throw new Overtaken(key);
    // To a process that was suspended meanwhile the answers are as old as its sleep: it asks again.
    if (performance.now() - askedAt > tokenIsKnownMs) await assertOpen(key, row);
  }

  /** What earlier replays settled is no dead letter any more, whatever its own row says. */
  function dueOf(letters: readonly StoredLetter[], before: readonly Claim[]): StoredLetter[] {
    const settled = before.filter(({ records }) => records > 0).flatMap(({ note, firstOffset }) => readPlaces(note, firstOffset));
    const places = new Set(settled.map(({ offset, index }) => `${offset}/${index}`));
    return letters.filter(({ offset, index }) => !places.has(`${offset}/${index}`));
  }

  return {
    async recover() {
      for (const { key, firstOffset, replay } of await replays.open()) await closeOpen(key, firstOffset, replay);
    },
    async replay(batch, letters, readMessages, isDry) {
      const before = await replays.of(batch.key, batch.claim.firstOffset);
      const byOffset = grouped(dueOf(letters, before), ({ offset }) => offset);
      // Numbers go on from the look that said what is due: whoever came since has taken the next one.
      let number = before.at(-1)?.replay ?? 0;
      const numbered = { ...batch, next: () => (number += 1) };
      const standing: StoredLetter[] = [];
      const held = createHolder();
      let replayed = 0;
      const flush = async () => {
        const items = held.take();
        replayed += isDry ? items.length : await storeAll(numbered, items);
      };
      let due = 0;
      for await (const message of readMessages([...byOffset.keys()].toSorted((a, b) => a - b))) {
        const ofMessage = byOffset.get(message.offset) ?? [];
        if (!byOffset.delete(message.offset)) continue;
        const now = readAgain(decoder, message, ofMessage);
        standing.push(...now.standing);
        due += ofMessage.length;
        for (const item of now.settled) {
          if (held.isFullWith(item, batch.claim.firstOffset)) await flush();
          held.add(item);
        }
      }
      await flush();
      const gone = [...byOffset.values()].flat();
      if (!isDry) await letterStore.restate([...standing, ...gone], await store.now());
      return { replayed, rejectedAgain: due - replayed, gone };
    },
  };
}

/** What the ledger says of a replay: the range and the time are the claim's, everything else its own. */
function rowFor(claim: Claim, items: readonly Settled[], { rows, minTimestamp, maxTimestamp }: EventBlock): Claim {
  const places = items.map(({ letter }) => letter).toSorted((a, b) => a.offset - b.offset || a.index - b.index);
  return {
    ...claim,
    messages: new Set(places.map(({ offset }) => offset)).size,
    records: items.length,
    events: rows,
    rejected: 0,
    skipped: items.reduce((sum, { skipped }) => sum + skipped, 0),
    note: writePlaces(places, claim.firstOffset),
    minTimestamp,
    maxTimestamp,
    gapReason: '',
    lastSha256: '',
    lastTimestamp: 0,
    settled: false,
    attempt: 0,
    revision: 0,
  };
}

/** Somebody else is at the same claim, or retention: what was not stored stands, and can be asked for again. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken';
  constructor({ topic, partition }: PartitionKey) {
    super(`Another replay, or retention, was at the dead letters of ${topic}/${partition} at the same time; ask again`);
  }
}
