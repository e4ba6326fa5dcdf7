/**
 * The protocol of a replay: dead letters of a closed claim become a batch of their own beside the chain, under the claim's
 * time and positions. Its row is claimed and says which dead letters it settles; its events follow under its token, then they
 * are read back, the dead letters are marked, and the row is settled. Only a settled row counts.
 *
 * What a process leaves open is closed by the next one: its events are there, or a marker uses up its token and it never counts.
 */
import { AuditError } from '../core/errors.ts';
import { grouped } from '../core/grouped.ts';
import type { Logger } from '../core/logger.ts';
import type { BatchStore } from '../storage/batch-store.ts';
import { createEventBlock, type EventBlock } from '../storage/block.ts';
import type { LetterStore, StoredLetter } from '../storage/dead-letters.ts';
import { type Claim, claimToken, type Ledger, type PartitionKey } from '../storage/ledger.ts';
import { readPlaces, type ReplayLedger, writePlaces } from '../storage/replays.ts';
import { maxBlockBytes, maxBlockRows, storeRefused } from './batch.ts';
import type { Decoder } from './decoder.ts';
import { createHolder } from './held.ts';
import { isThinned } from './judge.ts';
import type { LogMessage } from './log.ts';
import { gapNormaliser, marker } from './marker.ts';
import { readAgain, type Settled } from './read-again.ts';
import { createRevise } from './revise.ts';
import { createSettling } from './settle.ts';

export type ReplayStep = 'claim' | 'events' | 'read back' | 'mark' | 'settle';

export interface ReplayOptions {
  readonly ledger: Pick<Ledger, 'insertRevision'>;
  readonly replays: ReplayLedger;
  readonly store: BatchStore;
  readonly letters: LetterStore;
  readonly decoder: Decoder;
  /** Unique per run: two may be at work in one process. */
  readonly writer: string;
  readonly logger: Logger;
  readonly revoked: AbortSignal;
  /** Told before each effect; for tests that end a run there. */
  readonly trace?: (step: ReplayStep) => void;
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

type Verdict = 'stored' | 'burnt';

const nothing = { records: 0, events: 0, rejected: 0, skipped: 0, normaliser: gapNormaliser };

export function createReplayer(options: ReplayOptions): Replayer {
  const { decoder, ledger, letters: letterStore, logger, replays, revoked, store, writer, trace = () => {} } = options;
  const settling = createSettling({ ...options, replicated: store.replicated === true });
  const { settle, insist, read } = settling;

  const rowOf = async (key: PartitionKey, firstOffset: number, number: number) =>
    (await replays.of(key, firstOffset)).find(({ replay }) => replay === number);

  /** A later row of a replay. */
  const reviseOf = (number: number) =>
    createRevise(
      {
        insertRevision: ledger.insertRevision,
        claimsFrom: async (key, from) => (await replays.of(key, from)).filter(({ replay }) => replay === number),
      },
      settling,
    );

  async function verdictOf(key: PartitionKey, row: Claim): Promise<Verdict | null> {
    trace('read back');
    const found = await store.found(key, row);
    if (found.events === 0) return null;
    const [size] = found.batchEvents;
    const isOne = found.normalisers.length === 1 && found.batchEvents.length === 1 && found.events === found.distinct;
    if (isOne && size === 0 && found.events === 1) return 'burnt';
    if (isOne && size === row.events && (found.events === size || isThinned(found))) return 'stored';
    throw new AuditError(
      'LEDGER_INCONSISTENT',
      `Replay ${row.replay} of the batch at offset ${row.firstOffset} of ${key.topic}/${key.partition} does not read back as claimed`,
      { facts: { row, found } },
    );
  }

  /** The last two steps; again, they change nothing. */
  async function close(key: PartitionKey, row: Claim, verdict: Verdict): Promise<void> {
    const assignment = { key, revoked };
    if (verdict === 'stored') {
      trace('mark');
      await insist(assignment, async () => letterStore.markReplayed(key, row, await store.now()));
    }
    trace('settle');
    await reviseOf(row.replay ?? 0)(assignment, { ...row, ...(verdict === 'burnt' && nothing), settled: true });
  }

  async function closeOpen(key: PartitionKey, firstOffset: number, number: number): Promise<void> {
    const row = await rowOf(key, firstOffset, number);
    if (row === undefined || row.settled) return;
    const verdict = await decided(key, row);
    logger.warn({ ...key, firstOffset, replay: number, verdict }, 'a replay was left open; it is closed');
    await close(key, row, verdict);
  }

  /** Below the floor nothing is stored, no marker either: the claim is closed by definition. */
  async function decided(key: PartitionKey, row: Claim): Promise<Verdict> {
    if (row.events === 0) return 'stored';
    const assignment = { key, revoked };
    const seen = await read(assignment, () => verdictOf(key, row));
    if (seen !== null) return seen;
    if (row.receivedAt < (await store.floor())) return 'burnt';
    return settle<Verdict>(assignment, claimToken(key, row.firstOffset, row.replay), {
      send: (token, attempt) =>
        store.insertEvents(marker(key, { ...row, normaliser: gapNormaliser }, attempt), token, { ...key, shard: row.shard }),
      look: () => verdictOf(key, row),
    });
  }

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
