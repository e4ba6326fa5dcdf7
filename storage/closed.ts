/**
 * Which claims are closed, and how far the stored data reaches. Everybody who reads the ledger asks here: a claim is
 * closed when a later one of its partition exists, when it is settled or below the retention floor, or when it reads back.
 */
import type { Clock } from '../core/clock.ts';
import type { BatchStore, Found } from './batch-store.ts';
import type { ClickHouse } from './clickhouse.ts';
import { type Claim, type Ledger, originOffset, type PartitionKey } from './ledger.ts';

export interface ClosedPartition extends PartitionKey {
  /** Offsets below this are stored; reading goes on here. */
  readonly position: number;
  /** Largest event time in closed batches, microseconds; 0 before the first. */
  readonly watermark: number;
  /** Arrival of the newest closed batch with events, milliseconds. */
  readonly lastEventAt: number;
  /** The newest claim is still being stored. */
  readonly isOpen: boolean;
}

export interface Closed {
  readonly partitions: readonly ClosedPartition[];
  /** No event before this time is still on its way, microseconds; 0 while that is not known. */
  readonly watermark: number;
}

export interface ClosedReader {
  /** `ends`: end offsets of the log where they are known, by `TOPIC/PARTITION`; without them idleness is judged by time alone. */
  read(ends?: ReadonlyMap<string, number>): Promise<Closed>;
}

const idleAfterMs = 120_000;
/** While all partitions are idle the watermark follows the wall clock by this much. */
const idleSlackMs = 60_000;

interface Options {
  readonly ledger: Ledger;
  readonly store: BatchStore;
  readonly clock: Clock;
  /** What reading back a claim shows means; ingest's and storage's answer is one. */
  readonly holds: (claim: Claim, found: Found) => boolean;
}

export function createClosedReader(clickhouse: ClickHouse, { ledger, store, clock, holds }: Options): ClosedReader {
  /** The newest claim of a partition that was found closed: it stays closed. */
  const known = new Map<string, string>();

  async function isClosed(key: PartitionKey, claim: Claim, floor: number): Promise<boolean> {
    if (claim.settled || claim.firstOffset === originOffset || claim.receivedAt < floor) return true;
    const place = JSON.stringify(key);
    const identity = `${claim.firstOffset}:${claim.revision}`;
    if (known.get(place) === identity) return true;
    const closed = holds(claim, await store.found(key, claim));
    if (closed) known.set(place, identity);
    return closed;
  }

  async function partitionOf(row: SpanRow, floor: number): Promise<ClosedPartition> {
    const key = { logId: row.log_id, sourceEpoch: row.source_epoch, topic: row.topic, partition: row.kafka_partition };
    // Read again, so that two contradicting rows are noticed wherever the ledger is read.
    const claims = await ledger.claimsFrom(key, Number(row.newest), 1);
    const newest = claims[0];
    const before = { ...key, watermark: Number(row.watermark), lastEventAt: Number(row.last_event_at) };
    if (newest === undefined || !(await isClosed(key, newest, floor))) {
      return { ...before, position: Number(row.newest), isOpen: true };
    }
    const hasEvents = newest.events > 0;
    return {
      ...key,
      position: newest.lastOffset + 1,
      watermark: Math.max(before.watermark, hasEvents ? newest.maxTimestamp : 0),
      lastEventAt: Math.max(before.lastEventAt, hasEvents ? newest.receivedAt : 0),
      isOpen: false,
    };
  }

  return {
    async read(ends) {
      const [rows, floor] = await Promise.all([clickhouse.rows<SpanRow>(spans), store.floor()]);
      const partitions = await Promise.all(rows.map((row) => partitionOf(row, floor)));
      return { partitions, watermark: watermarkOf(partitions, clock.now(), ends) };
    },
  };
}

interface SpanRow {
  readonly log_id: string;
  readonly source_epoch: number;
  readonly topic: string;
  readonly kafka_partition: number;
  readonly newest: string;
  readonly watermark: string;
  readonly last_event_at: string;
}

/**
 * Each partition of the current life of its topic: its newest claim, and what the claims before that one, which are
 * closed by it, say of event times.
 */
const spans = `WITH effective AS (
  SELECT log_id, source_epoch, topic, kafka_partition, first_offset,
    argMax(events, (revision, attempt)) AS n,
    argMax(toUnixTimestamp64Micro(max_timestamp), (revision, attempt)) AS largest,
    argMax(toUnixTimestamp64Milli(received_at), (revision, attempt)) AS arrived
  FROM batches
  WHERE replay = 0
    AND (log_id, topic, source_epoch) IN (SELECT log_id, topic, max(source_epoch) FROM batches GROUP BY log_id, topic)
  GROUP BY log_id, source_epoch, topic, kafka_partition, first_offset
), newest AS (
  SELECT log_id, topic, kafka_partition, max(first_offset) AS newest
  FROM effective
  GROUP BY log_id, topic, kafka_partition
)
SELECT log_id, source_epoch, topic, kafka_partition, any(newest.newest) AS newest,
  maxIf(largest, n > 0 AND first_offset < newest.newest) AS watermark,
  maxIf(arrived, n > 0 AND first_offset < newest.newest) AS last_event_at
FROM effective
INNER JOIN newest USING (log_id, topic, kafka_partition)
GROUP BY log_id, source_epoch, topic, kafka_partition
ORDER BY log_id, topic, kafka_partition`;

/**
 * The minimum over the partitions that are not idle. A partition that lags never drops out; while all are idle, time
 * itself moves on. `now` in milliseconds, the answer in microseconds.
 */
export function watermarkOf(partitions: readonly ClosedPartition[], now: number, ends?: ReadonlyMap<string, number>): number {
  const isIdle = (partition: ClosedPartition) => {
    const end = ends?.get(`${partition.topic}/${partition.partition}`) ?? partition.position;
    return !partition.isOpen && partition.position >= end && now - partition.lastEventAt >= idleAfterMs;
  };
  const active = partitions.filter((partition) => !isIdle(partition));
  if (partitions.length === 0) return 0;
  if (active.length > 0) return Math.min(...active.map(({ watermark }) => watermark));
  return Math.max((now - idleSlackMs) * 1000, ...partitions.map(({ watermark }) => watermark));
}
