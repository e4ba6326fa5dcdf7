/**
 * Which claims are closed, and how far the stored data reaches. Everybody who reads the ledger asks here: a claim is
 * closed when a later one of its partition exists, when it is settled or below the retention floor, or when it reads back.
 */
import type { Clock } from '../core/clock.ts';
import type { BatchStore, Found } from './batch-store.ts';
import type { ClickHouse } from './clickhouse.ts';
import { type Claim, originOffset, type PartitionKey } from './ledger.ts';
import { beyond, keyOf, ofPlace, placeOf, type PlaceRow } from './ledger-places.ts';
import { claimsAt } from './newest-claims.ts';

export interface ClosedPartition extends PartitionKey {
  /** Offsets below this are stored; reading goes on here. */
  readonly position: number;
  /** Largest event time in closed batches, microseconds; 0 before the first. */
  readonly watermark: number;
  /** Arrival of the newest closed batch with events, milliseconds. */
  readonly lastEventAt: number;
  /** The newest claim is still being stored. */
  readonly isOpen: boolean;
  /** Since when each newest claim that was seen was read a moment ago and has no event, as of a batch of dead letters, milliseconds; else 0. */
  readonly emptySince: number;
}

export interface Closed {
  /** Of the current life of each topic. */
  readonly partitions: readonly ClosedPartition[];
  /** Of the lives before: nobody writes them any more, so they are closed to their ends. */
  readonly earlier: readonly (PartitionKey & { readonly position: number })[];
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
  readonly store: BatchStore;
  readonly clock: Clock;
  /** What reading back a claim shows means; ingest's and storage's answer is one. */
  readonly holds: (claim: Claim, found: Found) => boolean;
}

export function createClosedReader(clickhouse: ClickHouse, { store, clock, holds }: Options): ClosedReader {
  /** The newest claim of a partition that was found closed: it stays closed. */
  const known = new Map<string, string>();
  /** Places whose claims have no events, and since when. */
  const empty = new Map<string, number>();
  /** How each place was at the last look: the next one reads what begins there or later. */
  let reached: ReadonlyMap<string, Span> = new Map();

  async function spans(): Promise<Span[]> {
    const before = reached;
    const { sql, parameters } = beyond(Object.fromEntries([...before].map(([place, { newest }]) => [place, newest])));
    const rows = await clickhouse.rows<SpanRow>(spansOf(sql), { parameters, settings: { optimize_aggregation_in_order: 1 } });
    const now = new Map(rows.map((row) => [placeOf(keyOf(row)), toSpan(row)]));
    // The claim that was the newest one is no more there, as after a restore, or in a copy that lags.
    const isAnother = [...before.keys()].some((place) => !now.has(place));
    if (isAnother) {
      reached = new Map();
      return spans();
    }
    reached = new Map([...now].map(([place, span]) => [place, joined(span, before.get(place))]));
    return [...reached.values()];
  }

  async function isClosed(key: PartitionKey, claim: Claim, floor: number): Promise<boolean> {
    if (claim.settled || claim.firstOffset === originOffset || claim.receivedAt < floor) return true;
    const place = placeOf(key);
    const identity = `${claim.firstOffset}:${claim.revision}`;
    if (known.get(place) === identity) return true;
    const closed = holds(claim, await store.found(key, claim));
    if (closed) known.set(place, identity);
    return closed;
  }

  /** A gap was not read, and one that is old stands in front of what was not: neither says anything of what follows. */
  function sinceEmpty(place: string, newest: Claim | undefined): number {
    const isRead = newest !== undefined && newest.firstOffset !== originOffset && newest.gapReason === '';
    if (!isRead || newest.events > 0 || clock.now() - newest.receivedAt >= idleAfterMs) {
      empty.delete(place);
      return 0;
    }
    const since = empty.get(place) ?? newest.receivedAt;
    empty.set(place, since);
    return since;
  }

  async function partitionOf({ key, ...span }: Span, newest: Claim | undefined, floor: number): Promise<ClosedPartition> {
    const before = { ...key, watermark: span.watermark, lastEventAt: span.lastEventAt, emptySince: sinceEmpty(placeOf(key), newest) };
    if (newest === undefined || !(await isClosed(key, newest, floor))) {
      return { ...before, position: span.newest, isOpen: true };
    }
    const hasEvents = newest.events > 0;
    return {
      ...before,
      position: newest.lastOffset + 1,
      watermark: Math.max(before.watermark, hasEvents ? newest.maxTimestamp : 0),
      lastEventAt: Math.max(before.lastEventAt, hasEvents ? newest.receivedAt : 0),
      isOpen: false,
    };
  }

  return {
    async read(ends) {
      const [all, floor] = await Promise.all([spans(), store.floor()]);
      const lives = new Map<string, number>();
      for (const { key } of all) lives.set(topicOf(key), Math.max(key.sourceEpoch, lives.get(topicOf(key)) ?? 0));
      const isCurrent = ({ key }: Span) => key.sourceEpoch === lives.get(topicOf(key));
      // Read again, so that two contradicting rows are noticed wherever the ledger is read.
      const newest = await claimsAt(clickhouse, Object.fromEntries(all.map(({ key, newest }) => [placeOf(key), newest])));
      const partitions = await Promise.all(all.filter(isCurrent).map((span) => partitionOf(span, newest.get(placeOf(span.key)), floor)));
      const earlier = all.filter((span) => !isCurrent(span)).map(({ key, end }) => ({ ...key, position: end }));
      return { partitions, earlier, watermark: watermarkOf(partitions, clock.now(), ends) };
    },
  };
}

/** Of a place: its newest claim, where its claims end, and what those before the newest one, which it closes, say of event times. */
interface Span {
  readonly key: PartitionKey;
  readonly newest: number;
  readonly end: number;
  readonly watermark: number;
  readonly lastEventAt: number;
}

interface SpanRow extends PlaceRow {
  readonly newest: string;
  readonly ends: string;
  readonly watermark: string;
  readonly last_event_at: string;
}

/** Whatever log it is in: an epoch is higher than those of all logs before. */
const topicOf = ({ topic }: PartitionKey) => topic;

const toSpan = (row: SpanRow): Span => ({
  key: keyOf(row),
  newest: Number(row.newest),
  end: Number(row.ends),
  watermark: Number(row.watermark),
  lastEventAt: Number(row.last_event_at),
});

/** Claims that are closed change no more. */
const joined = (span: Span, before: Span | undefined): Span => ({
  ...span,
  watermark: Math.max(span.watermark, before?.watermark ?? 0),
  lastEventAt: Math.max(span.lastEventAt, before?.lastEventAt ?? 0),
});

/**
 * In the order of the key, so that claims are put together one after the other, however many there are; and of each the row of
 * the highest revision, then attempt, as one number: comparing pairs costs several times as much.
 */
const spansOf = (since: string) => `WITH effective AS (
  SELECT ${ofPlace}, first_offset, max(last_offset) AS last,
    argMax(events, revision * 256 + attempt) AS n,
    argMax(toUnixTimestamp64Micro(max_timestamp), revision * 256 + attempt) AS largest,
    argMax(toUnixTimestamp64Milli(received_at), revision * 256 + attempt) AS arrived
  FROM batches
  WHERE replay = 0
    AND ${since}
  GROUP BY ${ofPlace}, first_offset
), newest AS (
  SELECT ${ofPlace}, max(first_offset) AS newest
  FROM batches
  WHERE replay = 0
    AND ${since}
  GROUP BY ${ofPlace}
)
SELECT ${ofPlace}, any(newest.newest) AS newest, max(last) + 1 AS ends,
  maxIf(largest, n > 0 AND first_offset < newest.newest) AS watermark,
  maxIf(arrived, n > 0 AND first_offset < newest.newest) AS last_event_at
FROM effective
INNER JOIN newest USING (${ofPlace})
GROUP BY ${ofPlace}
ORDER BY log_id, topic, kafka_partition`;

/**
 * The minimum over the partitions that are not idle: those that had no event for a while and are read to their end, or of which
 * one batch after the other has none. Another one that lags never drops out; while all are idle, time itself moves on. `now` in
 * milliseconds, the answer in microseconds.
 */
export function watermarkOf(partitions: readonly ClosedPartition[], now: number, ends?: ReadonlyMap<string, number>): number {
  const isIdle = (partition: ClosedPartition) => {
    const end = ends?.get(`${partition.topic}/${partition.partition}`) ?? partition.position;
    const isRead = !partition.isOpen && partition.position >= end;
    const isEmpty = partition.emptySince > 0 && now - partition.emptySince >= idleAfterMs;
    return now - partition.lastEventAt >= idleAfterMs && (isRead || isEmpty);
  };
  const active = partitions.filter((partition) => !isIdle(partition));
  if (partitions.length === 0) return 0;
  if (active.length > 0) return Math.min(...active.map(({ watermark }) => watermark));
  return Math.max((now - idleSlackMs) * 1000, ...partitions.map(({ watermark }) => watermark));
}
