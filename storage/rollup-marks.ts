/**
 * How far the ledger is in the rollups. A mark is offsets by partition and never a time, and the rows of claims below them
 * that say more than the claim did (revisions, replays): those are known by name, because they may come at any time.
 */
import type { ClickHouse } from './clickhouse.ts';
import type { ClosedReader } from './closed.ts';
import type { Span } from './counted-rows.ts';
import type { PartitionKey } from './ledger.ts';
import { hourMs } from './rollup-tables.ts';

export interface Mark {
  /** Offset that reading goes on with, by place. */
  readonly positions: Readonly<Record<string, number>>;
  /** Names of the revisions and replays below the positions. */
  readonly seen: readonly string[];
}

/** A row of the ledger that is not in the rollups. Times are milliseconds. */
export interface Pending extends PartitionKey {
  readonly place: string;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly replay: number;
  readonly revision: number;
  readonly events: number;
  readonly receivedAt: number;
  readonly minTimestamp: number;
  readonly maxTimestamp: number;
  /** '' for a plain claim. */
  readonly name: string;
}

export const placeOf = ({ logId, sourceEpoch, topic, partition }: PartitionKey): string =>
  JSON.stringify([logId, sourceEpoch, topic, partition]);

/** Null before the first. */
export async function readMark(clickhouse: ClickHouse): Promise<Mark | null> {
  const [row] = await clickhouse.rows<{ mark: string }>("SELECT mark FROM rollup_marks FINAL WHERE name = 'hours'");
  return row === undefined ? null : (JSON.parse(row.mark) as Mark); // saveMark wrote it
}

export const saveMark = (clickhouse: ClickHouse, mark: Mark): Promise<void> =>
  clickhouse.insertRows('rollup_marks', [{ name: 'hours', mark: JSON.stringify(mark) }]);

/** Where closed claims end. An earlier life of a topic is over: nobody writes it any more, so all of it is closed. */
export async function closedPositions(clickhouse: ClickHouse, closed: ClosedReader): Promise<Record<string, number>> {
  const { partitions } = await closed.read();
  const earlier = await clickhouse.rows<Omit<LedgerRow, 'replay'> & { ends: string }>(
    `SELECT log_id, source_epoch, topic, kafka_partition, max(last_offset) + 1 AS ends
FROM batches
WHERE (log_id, topic, source_epoch) NOT IN (SELECT log_id, topic, max(source_epoch) FROM batches GROUP BY log_id, topic)
GROUP BY log_id, source_epoch, topic, kafka_partition`,
  );
  return Object.fromEntries([
    ...partitions.map((partition) => [placeOf(partition), partition.position] as const),
    ...earlier.map((row) => [placeOf(keyOf(row)), Number(row.ends)] as const),
  ]);
}

interface LedgerRow {
  readonly log_id: string;
  readonly source_epoch: number;
  readonly topic: string;
  readonly kafka_partition: number;
  readonly first_offset: string;
  readonly last_offset: string;
  readonly replay: number;
  readonly revision: number;
  readonly attempt: number;
  readonly events: number;
  readonly received_ms: string;
  readonly min_ms: string;
  readonly max_ms: string;
}

const keyOf = (row: Pick<LedgerRow, 'log_id' | 'source_epoch' | 'topic' | 'kafka_partition'>): PartitionKey => ({
  logId: row.log_id,
  sourceEpoch: row.source_epoch,
  topic: row.topic,
  partition: row.kafka_partition,
});

/** Rows of the ledger that `mark` does not cover, open claims too. */
export async function pendingSince(clickhouse: ClickHouse, { positions, seen }: Mark): Promise<Pending[]> {
  const parameters: Record<string, unknown> = {};
  const cases = Object.entries(positions).map(([place, position], at) => {
    const [logId, epoch, topic, partition] = JSON.parse(place) as [string, number, string, number]; // placeOf wrote it
    Object.assign(parameters, { [`l${at}`]: logId, [`e${at}`]: epoch, [`t${at}`]: topic, [`p${at}`]: partition, [`o${at}`]: position });
    return `log_id = {l${at}:String} AND source_epoch = {e${at}:UInt16} AND topic = {t${at}:String} AND kafka_partition = {p${at}:UInt32}, {o${at}:Int64}, `;
  });
  const covered = cases.length === 0 ? '0' : `multiIf(${cases.join('')}0)`;
  const rows = await clickhouse.rows<LedgerRow>(
    `SELECT log_id, source_epoch, topic, kafka_partition, first_offset, last_offset, replay, revision, attempt, events,
  toUnixTimestamp64Milli(received_at) AS received_ms, toUnixTimestamp64Milli(min_timestamp) AS min_ms, toUnixTimestamp64Milli(max_timestamp) AS max_ms
FROM batches
WHERE first_offset >= 0 AND (revision > 0 OR replay > 0 OR first_offset >= ${covered})`,
    { parameters },
  );
  const known = new Set(seen);
  return rows.map(toPending).filter(({ name, place, firstOffset }) => !known.has(name) || firstOffset >= (positions[place] ?? 0));
}

function toPending(row: LedgerRow): Pending {
  const key = keyOf(row);
  const place = placeOf(key);
  const isPlain = row.revision === 0 && row.replay === 0;
  return {
    ...key,
    place,
    firstOffset: Number(row.first_offset),
    lastOffset: Number(row.last_offset),
    replay: row.replay,
    revision: row.revision,
    events: row.events,
    receivedAt: Number(row.received_ms),
    minTimestamp: Number(row.min_ms),
    maxTimestamp: Number(row.max_ms),
    name: isPlain ? '' : `${place}:${row.first_offset}:${row.replay}:${row.revision}:${row.attempt}`,
  };
}

/**
 * Spans of the range, whole hours, in which the rollups are not what is stored; all of it while there are none. The times of
 * a claim are its maker's: where a revision says that another reader stored it, nothing is known of them.
 */
export async function staleSpans(clickhouse: ClickHouse, range: Span): Promise<Span[]> {
  const mark = await readMark(clickhouse);
  if (mark === null) return [range];
  const pending = await pendingSince(clickhouse, mark);
  if (pending.some(({ revision }) => revision > 0)) return [range];
  const spans = pending.filter(({ events }) => events > 0).map(({ minTimestamp, maxTimestamp }) => hoursAround(minTimestamp, maxTimestamp));
  return joined(spans.filter(({ from, to }) => from < range.to && to > range.from));
}

const hoursAround = (min: number, max: number): Span => ({
  from: Math.floor(min / hourMs) * hourMs,
  to: Math.floor(max / hourMs) * hourMs + hourMs,
});

/** Without overlaps, in order. */
export function joined(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last !== undefined && span.from <= last.to) result[result.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    else result.push(span);
  }
  return result;
}
