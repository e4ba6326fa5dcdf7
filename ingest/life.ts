/** What the life of one assigned partition needs: its log, its place in the ledger, and patience with servers that are away. */
import { sleep, type Clock } from '../core/clock.ts';
import { AuditError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { BatchStore } from '../storage/batch-store.ts';
import type { Claim, Ledger, PartitionKey } from '../storage/ledger.ts';
import type { BatchMaker } from './batch.ts';
import type { AssignedPartition } from './log.ts';
import { type Assignment, Revoked } from './settle.ts';
import type { Step, Writer } from './write.ts';

/** A batch closes at the first of these. */
export interface BatchLimits {
  readonly rows: number;
  readonly bytes: number;
  /** Of a partition that is read to its end. */
  readonly ms: number;
  /** Of one that is behind: its rows are late already, and full batches are what catches up. */
  readonly behindMs: number;
}

const mebibyte = 1024 * 1024;
export const defaultLimits: BatchLimits = { rows: 50_000, bytes: 64 * mebibyte, ms: 1_000, behindMs: 10_000 };

/** What the batches of a process share, so that many partitions need no more memory than a few; each has the second at least. */
const sharedBytes = 512 * mebibyte;
const leastBytes = 16 * mebibyte;

/** Milliseconds that each partition of a process adds to the wait: at most four batches a second, however many it has. */
const msPerPartition = 250;

/** What holds for each of so many partitions: max(ms, partitions x 250 ms), at most `behindMs`; and a share of 512 MiB, 16 MiB at least. */
export function limitsOf(partitions: number, limits: BatchLimits): BatchLimits {
  return {
    ...limits,
    ms: Math.min(limits.behindMs, Math.max(limits.ms, partitions * msPerPartition)),
    bytes: bytesOf(partitions, limits),
  };
}

/** Values of one batch at most. */
export function bytesOf(partitions: number, { bytes }: Pick<BatchLimits, 'bytes'>): number {
  return Math.min(bytes, Math.max(leastBytes, Math.floor(sharedBytes / partitions)));
}

export interface PartitionOptions {
  readonly logId: string;
  readonly ledger: Ledger;
  readonly store: BatchStore;
  readonly maker: BatchMaker;
  readonly writer: Writer;
  /** ClickHouse's clock as this process knows it. @throws CLOCK_SKEW when this machine is more than a minute off */
  readonly databaseClock: Clock;
  /** Where a partition that the ledger does not know begins. */
  readonly start: 'earliest' | 'latest';
  readonly limits: BatchLimits;
  readonly logger: Logger;
  /** Told of each batch that is stored and read back. */
  readonly onStored: (key: PartitionKey, claim: Claim) => void;
  /** The partition stands still for good: its code says why. Others go on. */
  readonly onStopped: (key: PartitionKey, error: AuditError) => void;
  readonly trace?: (step: Step) => void;
  /** The last claim; a test makes a writer forget the ledger here. */
  readonly position?: (key: PartitionKey) => Promise<Claim | null>;
}

export interface Life extends Assignment {
  readonly log: AssignedPartition;
  readonly options: PartitionOptions;
  /** Tries again while a server is away; the partition's read-ahead is bounded, so that nothing grows meanwhile. */
  patiently<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** Codes at which a partition stands still until a person acts. */
export const stops: ReadonlySet<string> = new Set(['LOG_REPLACED', 'EVENTS_AHEAD_OF_LEDGER', 'LEDGER_INCONSISTENT', 'CONFIG_INVALID']);

export async function beginLife(log: AssignedPartition, options: PartitionOptions): Promise<Life> {
  const { topic, partition, revoked } = log;

  async function patiently<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let tries = 0; ; tries += 1) {
      if (revoked.aborted) throw new Revoked();
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof AuditError) || stops.has(error.code)) throw error;
        options.logger.warn({ code: error.code, error: error.message }, 'waiting for a server');
        await sleep(Math.min(5_000, 100 * 2 ** tries), revoked);
      }
    }
  }

  const sourceEpoch = await patiently(() => options.ledger.sourceEpoch(options.logId, topic));
  return { key: { logId: options.logId, sourceEpoch, topic, partition }, revoked, log, options, patiently };
}
