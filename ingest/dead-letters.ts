/** Replays of dead letters: where their bytes still are, and reading them again, one run at a time over all processes. */
import { sleep } from '../core/clock.ts';
import { AuditError } from '../core/errors.ts';
import { grouped } from '../core/grouped.ts';
import type { ClosedReader } from '../storage/closed.ts';
import type { StoredLetter } from '../storage/dead-letters.ts';
import type { KeptStore } from '../storage/kept-bytes.ts';
import type { Lease } from '../storage/lease.ts';
import type { Ledger, PartitionKey } from '../storage/ledger.ts';
import { placeOf } from '../storage/ledger-places.ts';
import type { ReplayLedger } from '../storage/replays.ts';
import { closedPositions } from '../storage/rollup-marks.ts';
import type { BatchStore } from '../storage/batch-store.ts';
import type { Kept } from './kept.ts';
import type { Log, LogMessage } from './log.ts';
import { type ClosedBatch, Overtaken, type Replayer } from './replay.ts';
import { Revoked } from './settle.ts';

export interface ReplayAnswer {
  /** Dead letters that are none any more. */
  readonly replayed: number;
  readonly rejectedAgain: number;
  /** What was not read again, and why, by partition. */
  readonly problems: readonly {
    readonly code: 'NOT_FOUND' | 'NOT_READY' | 'OLDER_THAN_RETENTION';
    readonly count: number;
    readonly message: string;
  }[];
}

export interface Replays {
  /** Whether the bytes of each are still in the log or kept. */
  replayable(letters: readonly StoredLetter[]): Promise<readonly boolean[]>;
  /** A dry run stores nothing, and counts what would be. @throws NOT_READY while another run goes on, LEDGER_INCONSISTENT, LOG_UNAVAILABLE */
  replay(letters: readonly StoredLetter[], isDry: boolean): Promise<ReplayAnswer>;
}

export interface ReplaysOptions {
  readonly log: Log;
  readonly kept: Kept;
  readonly keptStore: KeptStore;
  readonly ledger: Ledger;
  readonly replays: ReplayLedger;
  readonly store: BatchStore;
  readonly closed: ClosedReader;
  /** A lease and a replayer for one run. */
  readonly run: () => { readonly lease: Lease; readonly replayer: Replayer };
}

export function createReplays({ log, kept, keptStore, ledger, replays, store, closed, run }: ReplaysOptions): Replays {
  /** The log that the letters of a partition came from; null where the ledger does not know it. */
  async function keyOf({ sourceEpoch, topic, partition }: StoredLetter): Promise<PartitionKey | null> {
    const logId = await replays.logOf({ sourceEpoch, topic, partition });
    return logId === null ? null : { logId, sourceEpoch, topic, partition };
  }

  /** Offsets of a partition that the log still has; none where this is another log, or another life of the topic. */
  async function boundsOf(key: PartitionKey): Promise<{ readonly low: number; readonly high: number }> {
    const isCurrent = (await log.id()) === key.logId && (await ledger.sourceEpoch(key.logId, key.topic)) === key.sourceEpoch;
    const bounds = isCurrent ? await log.bounds([key.topic]) : [];
    return bounds.find(({ partition }) => partition === key.partition) ?? { low: 0, high: 0 };
  }

  async function* readMessages(key: PartitionKey, offsets: readonly number[]): AsyncGenerator<LogMessage> {
    const { low, high } = await boundsOf(key);
    const missing = new Set(offsets);
    for await (const message of log.read(
      key,
      offsets.filter((offset) => low <= offset && offset < high),
    )) {
      missing.delete(message.offset);
      yield message;
    }
    yield* kept.read(key, [...missing]);
  }

  async function replayAll(letters: readonly StoredLetter[], replayer: Replayer, isDry: boolean): Promise<ReplayAnswer> {
    if (!isDry) await replayer.recover();
    const positions = await closedPositions(closed);
    const floor = await store.floor();
    const total = { replayed: 0, rejectedAgain: 0 };
    const problems: ReplayAnswer['problems'][number][] = [];
    for (const ofBatch of grouped(letters, batchOf).values()) {
      const [first] = ofBatch;
      const batch = first && (await closedBatch(first, positions));
      const where = `${first?.topic}/${first?.partition}`;
      if (batch === undefined) {
        problems.push({ code: 'NOT_READY', count: ofBatch.length, message: `their batch in ${where} is still being stored` });
      } else if (batch.claim.receivedAt < floor) {
        problems.push({
          code: 'OLDER_THAN_RETENTION',
          count: ofBatch.length,
          message: `what arrived then in ${where} is below the retention floor`,
        });
      } else {
        const tally = await replayer.replay(batch, ofBatch, (offsets) => readMessages(batch.key, offsets), isDry);
        total.replayed += tally.replayed;
        total.rejectedAgain += tally.rejectedAgain;
        const { gone } = tally;
        if (gone.length > 0)
          problems.push({ code: 'NOT_FOUND', count: gone.length, message: `their bytes are neither in the log of ${where} nor kept` });
      }
    }
    return { ...total, problems: summed(problems) };
  }

  async function closedBatch(letter: StoredLetter, positions: Readonly<Record<string, number>>): Promise<ClosedBatch | undefined> {
    const key = await keyOf(letter);
    if (key === null || letter.firstOffset >= (positions[placeOf(key)] ?? 0)) return undefined;
    const [claim] = await ledger.claimsFrom(key, letter.firstOffset, 1);
    return claim?.firstOffset === letter.firstOffset ? { key, claim } : undefined;
  }

  return {
    async replayable(letters) {
      const here = new Set<StoredLetter>();
      for (const ofPartition of grouped(letters, partitionOf).values()) {
        const [first] = ofPartition;
        const key = first && (await keyOf(first));
        if (!key) continue;
        const { low, high } = await boundsOf(key);
        const outside = ofPartition.filter(({ offset }) => offset < low || offset >= high);
        const isKept = await keptStore.has(key, [...new Set(outside.map(({ offset }) => offset))]);
        for (const letter of ofPartition) if (!outside.includes(letter) || isKept.has(letter.offset)) here.add(letter);
      }
      return letters.map((letter) => here.has(letter));
    },
    async replay(letters, isDry) {
      const { lease, replayer } = run();
      try {
        if (isDry) return await replayAll(letters, replayer, true);
        for (const deadline = Date.now() + waitMs; Date.now() < deadline; await sleep(waitMs / 100)) {
          const answer = await lease.during(() => replayAll(letters, replayer, false));
          if (answer !== null) return answer;
        }
        throw new AuditError('NOT_READY', 'Another replay is under way; ask again when it is over');
      } catch (error) {
        if (error instanceof Overtaken) throw new AuditError('NOT_READY', error.message, { cause: error });
        if (error instanceof Revoked)
          throw new AuditError('NOT_READY', 'The replay was ended on its way; ask again, nothing is stored twice');
        throw error;
      } finally {
        if (!isDry) await lease.release().catch(() => {}); // one that cannot be given back runs out
      }
    },
  };
}

/** Longer than a lease lasts that a killed process had. */
const waitMs = 20_000;

const partitionOf = ({ sourceEpoch, topic, partition }: StoredLetter) => JSON.stringify([sourceEpoch, topic, partition]);
const batchOf = (letter: StoredLetter) => `${partitionOf(letter)} ${letter.firstOffset}`;

/** One line for each reason. */
function summed(problems: ReplayAnswer['problems']): ReplayAnswer['problems'] {
  return [...grouped(problems, ({ code, message }) => `${code} ${message}`).values()].flatMap((same) => {
    const [first] = same;
    return first === undefined ? [] : [{ ...first, count: same.reduce((sum, { count }) => sum + count, 0) }];
  });
}
