/**
 * How far the ledger is in the rollups. A mark is offsets by partition and never a time, and the rows of claims below them
 * that say more than the claim did (revisions, replays): those are known by name, because they may come at any time.
 */
import type { ClickHouse } from './clickhouse.ts';
import type { ClosedReader } from './closed.ts';
import type { Span } from './counted-rows.ts';
import type { PartitionKey } from './ledger.ts';

export interface Mark {
  /** Offset that reading goes on with, by place. */
  readonly positions: Readonly<Record<string, number>>;
  /** Names of the revisions and replays below the positions. */
  readonly seen: readonly string[];
}

/** What of the ledger is not in the rollups: the plain claims of a place together, or one revision or replay. Times are milliseconds. */
export interface Pending extends PartitionKey {
  readonly place: string;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly replay: number;
  readonly revision: number;
  readonly events: number;
  /** First and last arrival. */
  readonly since: number;
  readonly until: number;
  readonly minTimestamp: number;
  readonly maxTimestamp: number;
  /** '' for plain claims. */
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
  const earlier = await clickhouse.rows<PlaceRow & { ends: string }>(
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

interface PlaceRow {
  readonly log_id: string;
  readonly source_epoch: number;
  readonly topic: string;
  readonly kafka_partition: number;
}

interface PendingRow extends PlaceRow {
  readonly name: string;
  readonly first: string;
  readonly last: string;
  readonly of_replay: number;
  readonly of_revision: number;
  readonly n: string;
  readonly since: string;
  readonly until: string;
  readonly min_ms: string;
  readonly max_ms: string;
}

const keyOf = (row: PlaceRow): PartitionKey => ({
  logId: row.log_id,
  sourceEpoch: row.source_epoch,
  topic: row.topic,
  partition: row.kafka_partition,
});

/** Rows of the ledger beyond the positions, and all revisions and replays: those that are known are told apart by name. */
function beyond({ positions }: Mark): Condition {
  const parameters: Record<string, unknown> = {};
  const cases = Object.entries(positions).map(([place, position], at) => {
    const [logId, epoch, topic, partition] = JSON.parse(place) as [string, number, string, number]; // placeOf wrote it
    Object.assign(parameters, { [`l${at}`]: logId, [`e${at}`]: epoch, [`t${at}`]: topic, [`p${at}`]: partition, [`o${at}`]: position });
    return `log_id = {l${at}:String} AND source_epoch = {e${at}:UInt16} AND topic = {t${at}:String} AND kafka_partition = {p${at}:UInt32}, {o${at}:Int64}, `;
  });
  const covered = cases.length === 0 ? '0' : `multiIf(${cases.join('')}0)`;
  return { sql: `first_offset >= 0 AND (revision > 0 OR replay > 0 OR first_offset >= ${covered})`, parameters };
}

interface Condition {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

const isNamed = 'revision > 0 OR replay > 0';
const place = "log_id, ' ', source_epoch, ' ', topic, ' ', kafka_partition";
const named = `if(${isNamed}, concat(${place}, ' ', first_offset, ' ', replay, ' ', revision, ' ', attempt), '')`;

/** What `mark` does not cover, open claims too. */
export async function pendingSince(clickhouse: ClickHouse, mark: Mark): Promise<Pending[]> {
  const { sql, parameters } = beyond(mark);
  const rows = await clickhouse.rows<PendingRow>(
    `SELECT log_id, source_epoch, topic, kafka_partition, ${named} AS name, min(first_offset) AS first, max(last_offset) AS last,
  any(replay) AS of_replay, any(revision) AS of_revision, sum(events) AS n,
  toUnixTimestamp64Milli(min(received_at)) AS since, toUnixTimestamp64Milli(max(received_at)) AS until,
  toUnixTimestamp64Milli(min(min_timestamp)) AS min_ms, toUnixTimestamp64Milli(max(max_timestamp)) AS max_ms
FROM batches
WHERE ${sql}
GROUP BY log_id, source_epoch, topic, kafka_partition, name`,
    { parameters },
  );
  const known = new Set(mark.seen);
  return rows.map(toPending).filter(({ name }) => !known.has(name));
}

function toPending(row: PendingRow): Pending {
  const key = keyOf(row);
  return {
    ...key,
    place: placeOf(key),
    firstOffset: Number(row.first),
    lastOffset: Number(row.last),
    replay: row.of_replay,
    revision: row.of_revision,
    events: Number(row.n),
    since: Number(row.since),
    until: Number(row.until),
    minTimestamp: Number(row.min_ms),
    maxTimestamp: Number(row.max_ms),
    name: row.name,
  };
}

/**
 * Spans of the range, whole hours, in which the rollups are not what is stored; all of it while there are none. The times of
 * a claim are its maker's: where a revision says that another reader stored it, nothing is known of them.
 */
export async function staleSpans(clickhouse: ClickHouse, range: Span): Promise<Span[]> {
  const mark = await readMark(clickhouse);
  if (mark === null) return [range];
  const { sql, parameters } = beyond(mark);
  // Plain claims are hours alone, however many they are.
  const rows = await clickhouse.rows<{ name: string; revision: number; begins: number; ends: number }>(
    `SELECT DISTINCT toUnixTimestamp(toStartOfHour(min_timestamp)) AS begins, toUnixTimestamp(toStartOfHour(max_timestamp)) + 3600 AS ends,
  revision, ${named} AS name
FROM batches
WHERE ${sql} AND (events > 0 OR revision > 0)`,
    { parameters },
  );
  const known = new Set(mark.seen);
  const unknown = rows.filter(({ name }) => !known.has(name));
  if (unknown.some(({ revision }) => revision > 0)) return [range];
  const spans = unknown.map(({ begins, ends }) => ({ from: Number(begins) * 1_000, to: Number(ends) * 1_000 }));
  return joined(spans.filter(({ from, to }) => from < range.to && to > range.from));
}

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
