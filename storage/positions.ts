/**
 * Where a writer goes on: after the last claim of its partition, never where a consumer group's offset says. The first
 * row of a partition is its origin; a topic that was made anew gets a new source epoch from an operator.
 */
import type { Clock } from '../core/clock.ts';
import { AuditError } from '../core/errors.ts';
import type { BatchStore } from './batch-store.ts';
import { type Claim, claimToken, type GapReason, type Ledger, originOffset, type PartitionKey } from './ledger.ts';

/** A claim without messages: an origin, or a range that the log no longer has. `receivedAt` in milliseconds. */
export function emptyClaim(
  range: { readonly firstOffset: number; readonly lastOffset: number },
  facts: {
    readonly receivedAt: number;
    readonly writer: string;
    readonly sequence: number;
    readonly note: string;
    readonly gapReason?: GapReason;
  },
): Claim {
  const none = { messages: 0, records: 0, events: 0, rejected: 0, skipped: 0, minTimestamp: 0, maxTimestamp: 0, lastTimestamp: 0 };
  return { ...range, ...none, gapReason: '', normaliser: '', lastSha256: '', settled: false, attempt: 0, revision: 0, ...facts };
}

/** The origin of a partition that is read from `start` on; `note` says which policy chose it. */
export function originClaim(start: number, facts: { readonly receivedAt: number; readonly writer: string; readonly note: string }): Claim {
  return emptyClaim({ firstOffset: originOffset, lastOffset: start - 1 }, { ...facts, sequence: 0 });
}

/**
 * The last claim, and the proof that no event stands beyond it.
 * @throws EVENTS_AHEAD_OF_LEDGER as after a restore of the events alone, LEDGER_INCONSISTENT
 */
export async function lastClaim(ledger: Ledger, store: BatchStore, key: PartitionKey): Promise<Claim | null> {
  for (;;) {
    const claim = await ledger.tail(key);
    // Without a claim every day may hold events that nobody claimed.
    const known = claim ?? originClaim(0, { receivedAt: 0, writer: '', note: '' });
    if (!(await store.hasEventsBeyond(key, known))) return claim;
    // Another writer may have gone on between the two looks.
    if ((await ledger.tail(key))?.firstOffset !== claim?.firstOffset) continue;
    throw new AuditError(
      'EVENTS_AHEAD_OF_LEDGER',
      `Events of ${key.topic}/${key.partition} stand beyond offset ${known.lastOffset}, the last that the ledger claims`,
      { facts: { ...key, lastOffset: known.lastOffset } },
    );
  }
}

/** An operator accepts that a topic was made anew: each partition starts a new chain. Gives the epoch that is now current. */
export async function beginEpoch(
  ledger: Ledger,
  topic: { readonly logId: string; readonly topic: string },
  options: {
    readonly starts: readonly { readonly partition: number; readonly start: number }[];
    readonly receivedAt: number;
    readonly writer: string;
    readonly note: string;
  },
): Promise<number> {
  const sourceEpoch = (await ledger.sourceEpoch(null, topic.topic)) + 1; // events do not name their log
  for (const { partition, start } of options.starts) {
    const key = { ...topic, sourceEpoch, partition };
    await ledger.insertClaim(key, originClaim(start, options), claimToken(key, originOffset));
  }
  return sourceEpoch;
}

/** How far a clock may be off before its machine stops claiming. */
const maxSkewMs = 60_000;

/** ClickHouse's clock, which all writers share, as this process last measured it. */
export interface DatabaseClock extends Clock {
  /** Call it before the first use and now and then; every few seconds is enough: what is more than a minute off must not claim for long. @throws BACKEND_UNAVAILABLE */
  measure(): Promise<void>;
  /** @throws CLOCK_SKEW when this machine is more than a minute off: it must not claim */
  now(): number;
}

export function createDatabaseClock(store: Pick<BatchStore, 'now'>, clock: Clock): DatabaseClock {
  let offsetMs = 0;
  return {
    async measure() {
      const before = clock.now();
      const theirs = await store.now();
      offsetMs = Math.round(theirs - (before + clock.now()) / 2);
    },
    now() {
      if (Math.abs(offsetMs) <= maxSkewMs) return clock.now() + offsetMs;
      throw new AuditError(
        'CLOCK_SKEW',
        `The clock of this machine and that of ClickHouse differ by ${Math.round(offsetMs / 1000)} s; at most 60 s are allowed. Synchronise them; nothing is claimed until then`,
        { facts: { offsetMs } },
      );
    },
  };
}
