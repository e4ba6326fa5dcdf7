/**
 * How far the ledger is in the rollups. A mark is offsets by partition and never a time, and the rows of claims below them
 * that say more than the claim did (revisions, replays): those are known by name, because they may come at any time.
 */
import type { ClickHouse, Parameters } from './clickhouse.ts';
import type { ClosedReader } from './closed.ts';
import type { Span } from './counted-rows.ts';
import type { PartitionKey } from './ledger.ts';
import { beyond, keyOf, ofPlace, placeOf, type PlaceRow } from './ledger-places.ts';

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

/** Null before the first. */
export async function readMark(clickhouse: ClickHouse): Promise<Mark | null> {
  const [row] = await clickhouse.rows<{ mark: string }>("SELECT mark FROM rollup_marks FINAL WHERE name = 'hours'");
  return row === undefined ? null : (JSON.parse(row.mark) as Mark); // saveMark wrote it
}

export const saveMark = (clickhouse: ClickHouse, mark: Mark): Promise<void> =>
  clickhouse.insertRows('rollup_marks', [{ name: 'hours', mark: JSON.stringify(mark) }]);

/** Where closed claims end. An earlier life of a topic is over: nobody writes it any more, so all of it is closed. */
export async function closedPositions(closed: ClosedReader): Promise<Record<string, number>> {
  const { partitions, earlier } = await closed.read();
  return Object.fromEntries([...partitions, ...earlier].map((partition) => [placeOf(partition), partition.position]));
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

const isNamed = 'revision > 0 OR replay > 0';

/**
 * In the place of a table: what of the ledger is beyond the positions, and all revisions and replays. Those that are known are
 * told apart by name; to find them two columns are read, which hold zeros nearly everywhere.
 */
function rowsBeyond({ positions }: Mark): { readonly from: string; readonly parameters: Parameters } {
  const { sql, parameters } = beyond(positions);
  const from = `(
  SELECT *
  FROM batches
  WHERE first_offset >= 0 AND NOT (${isNamed}) AND ${sql}
  UNION ALL
  SELECT *
  FROM batches
  WHERE first_offset >= 0 AND (${isNamed})
)`;
  return { from, parameters };
}

const place = "log_id, ' ', source_epoch, ' ', topic, ' ', kafka_partition";
const named = `if(${isNamed}, concat(${place}, ' ', first_offset, ' ', replay, ' ', revision, ' ', attempt), '')`;

/** What `mark` does not cover, open claims too. */
export async function pendingSince(clickhouse: ClickHouse, mark: Mark): Promise<Pending[]> {
  const { from, parameters } = rowsBeyond(mark);
  const rows = await clickhouse.rows<PendingRow>(
    `SELECT ${ofPlace}, ${named} AS name, min(first_offset) AS first, max(last_offset) AS last,
  any(replay) AS of_replay, any(revision) AS of_revision, sum(events) AS n,
  toUnixTimestamp64Milli(min(received_at)) AS since, toUnixTimestamp64Milli(max(received_at)) AS until,
  toUnixTimestamp64Milli(min(min_timestamp)) AS min_ms, toUnixTimestamp64Milli(max(max_timestamp)) AS max_ms
FROM ${from}
GROUP BY ${ofPlace}, name`,
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
 * a claim are its maker's: where a revision says that another reader stored it, nothing is known of them. A replay is its
 * maker's alone, or nothing.
 */
export async function staleSpans(clickhouse: ClickHouse, range: Span): Promise<Span[]> {
  const mark = await readMark(clickhouse);
  if (mark === null) return [range];
  const { from, parameters } = rowsBeyond(mark);
  // Plain claims are hours alone, however many they are.
  const rows = await clickhouse.rows<{ name: string; revision: number; replay: number; begins: number; ends: number }>(
    `SELECT DISTINCT toUnixTimestamp(toStartOfHour(min_timestamp)) AS begins, toUnixTimestamp(toStartOfHour(max_timestamp)) + 3600 AS ends,
  revision, replay, ${named} AS name
FROM ${from}
WHERE events > 0 OR revision > 0`,
    { parameters },
  );
  const known = new Set(mark.seen);
  const unknown = rows.filter(({ name }) => !known.has(name));
  if (unknown.some(({ revision, replay }) => revision > 0 && replay === 0)) return [range];
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
