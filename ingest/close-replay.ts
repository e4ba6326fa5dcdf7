/**
 * What ends a replay, by whoever began it or by the next process: its events are read back, the dead letters marked and the row
 * settled; or a marker uses up its token, and it never counts.
 */
import { AuditError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { BatchStore } from '../storage/batch-store.ts';
import type { LetterStore } from '../storage/dead-letters.ts';
import { type Claim, claimToken, type Ledger, type PartitionKey } from '../storage/ledger.ts';
import type { ReplayLedger } from '../storage/replays.ts';
import { isThinned } from './judge.ts';
import { gapNormaliser, marker } from './marker.ts';
import { createRevise } from './revise.ts';
import type { Settling } from './settle.ts';

export type ReplayStep = 'claim' | 'events' | 'read back' | 'mark' | 'settle';

export interface ClosingOptions {
  readonly ledger: Pick<Ledger, 'insertRevision'>;
  readonly replays: ReplayLedger;
  readonly store: BatchStore;
  readonly letters: LetterStore;
  readonly logger: Logger;
  readonly revoked: AbortSignal;
  /** Told before each effect; for tests that end a run there. */
  readonly trace?: (step: ReplayStep) => void;
}

/** `burnt`: its token is used up by a marker. */
export type Verdict = 'stored' | 'burnt';

export interface Closing {
  rowOf(key: PartitionKey, firstOffset: number, number: number): Promise<Claim | undefined>;
  /** Null while nothing of it is there. @throws LEDGER_INCONSISTENT */
  verdictOf(key: PartitionKey, row: Claim): Promise<Verdict | null>;
  /** The last two steps; again, they change nothing. */
  close(key: PartitionKey, row: Claim, verdict: Verdict): Promise<void>;
  /** What others left open. @throws Revoked, LEDGER_INCONSISTENT */
  closeOpen(key: PartitionKey, firstOffset: number, number: number): Promise<void>;
}

const nothing = { records: 0, events: 0, rejected: 0, skipped: 0, normaliser: gapNormaliser };

export function createClosing(options: ClosingOptions, settling: Settling): Closing {
  const { ledger, letters, logger, replays, revoked, store, trace = () => {} } = options;

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
      await settling.insist(assignment, async () => letters.markReplayed(key, row, await store.now()));
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
    const seen = await settling.read(assignment, () => verdictOf(key, row));
    if (seen !== null) return seen;
    if (row.receivedAt < (await store.floor())) return 'burnt';
    return settling.settle<Verdict>(assignment, claimToken(key, row.firstOffset, row.replay), {
      send: (token, attempt) =>
        store.insertEvents(marker(key, { ...row, normaliser: gapNormaliser }, attempt), token, { ...key, shard: row.shard }),
      look: () => verdictOf(key, row),
    });
  }

  return { rowOf, verdictOf, close, closeOpen };
}
