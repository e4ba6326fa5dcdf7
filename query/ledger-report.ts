/** What the closed claims of a time say: counts by partition, and offsets that no claim covers or that were empty. */
import type { GapReason } from '../schemas/api.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import type { Closed } from '../storage/closed.ts';
import type { Range } from '../storage/scope.ts';

export interface LedgerRow {
  readonly topic: string;
  readonly sourceEpoch: number;
  readonly partition: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly messages: number;
  readonly records: number;
  readonly events: number;
  readonly rejected: number;
  readonly skipped: number;
}

/** Half-open, as all ranges. */
export interface Gap {
  readonly topic: string;
  readonly sourceEpoch: number;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
  readonly reason: GapReason;
  readonly note: string | null;
  readonly detectedAt: number;
}

/** A claim that is still being stored says what will be there, not what is. */
const isClosed = `NOT has({open:Array(String)}, concat(log_id, ' ', topic, ' ', toString(source_epoch), ' ', toString(kafka_partition), ' ', toString(first_offset)))`;

const claims = `SELECT log_id, topic, source_epoch, kafka_partition, first_offset, any(last_offset) AS last, any(received_at) AS arrived,
    argMax(messages, (revision, attempt)) AS n_messages, argMax(records, (revision, attempt)) AS n_records,
    argMax(events, (revision, attempt)) AS n_events, argMax(rejected, (revision, attempt)) AS n_rejected,
    argMax(skipped, (revision, attempt)) AS n_skipped, argMax(gap_reason, (revision, attempt)) AS gap, argMax(note, (revision, attempt)) AS remark
  FROM batches
  WHERE replay = 0 AND ${isClosed}
  GROUP BY log_id, topic, source_epoch, kafka_partition, first_offset`;

const arrivedInRange = 'arrived >= fromUnixTimestamp64Milli({from:Int64}) AND arrived < fromUnixTimestamp64Milli({to:Int64})';

/**
 * What replays made of dead letters of those claims, by claim; one that is not settled is still being stored. Its `records`
 * were rejected before, and are its events and what it skipped now.
 */
const replays = `SELECT log_id, topic, source_epoch, kafka_partition, first_offset, sum(n_records) AS was_rejected, sum(n_events) AS now_events,
    sum(n_skipped) AS now_skipped
  FROM (
    SELECT log_id, topic, source_epoch, kafka_partition, first_offset, argMax(records, (revision, attempt)) AS n_records,
      argMax(events, (revision, attempt)) AS n_events, argMax(skipped, (revision, attempt)) AS n_skipped
    FROM batches
    WHERE replay > 0
    GROUP BY log_id, topic, source_epoch, kafka_partition, first_offset, replay
    HAVING argMax(settled, (revision, attempt)) = 1
  )
  GROUP BY log_id, topic, source_epoch, kafka_partition, first_offset`;

type Raw<Row> = { readonly [Key in keyof Row]: Row[Key] extends number ? string | number : Row[Key] };

export async function ledgerRows(clickhouse: ClickHouse, range: Range, closed: Closed): Promise<LedgerRow[]> {
  const rows = await clickhouse.rows<Raw<LedgerRow>>(
    `SELECT topic, source_epoch AS sourceEpoch, kafka_partition AS partition, min(first_offset) AS firstOffset, max(last) AS lastOffset,
  sum(n_messages) AS messages, sum(n_records + now_events + now_skipped) - sum(was_rejected) AS records,
  sum(n_events + now_events) AS events, sum(n_rejected) - sum(was_rejected) AS rejected, sum(n_skipped + now_skipped) AS skipped
FROM (${claims}) AS claims
LEFT JOIN (${replays}) AS replays USING (log_id, topic, source_epoch, kafka_partition, first_offset)
WHERE first_offset >= 0 AND ${arrivedInRange}
GROUP BY log_id, topic, source_epoch, kafka_partition
ORDER BY topic, source_epoch, kafka_partition`,
    { parameters: { ...range, open: openClaims(closed) } },
  );
  return rows.map(({ topic, ...row }) => ({ topic, ...numbers(row) }));
}

/** Gaps that claims name, and holes between a claim of the range and the one before it. */
export async function gaps(clickhouse: ClickHouse, range: Range, closed: Closed): Promise<Gap[]> {
  const rows = await clickhouse.rows<Raw<Gap>>(
    `SELECT topic, source_epoch AS sourceEpoch, kafka_partition AS partition,
  if(is_hole, before + 1, first_offset) AS from, if(is_hole, first_offset, last + 1) AS to,
  if(is_hole, 'UNEXPLAINED', gap) AS reason, if(is_hole, '', remark) AS note, toUnixTimestamp64Milli(arrived) AS detectedAt
FROM (
  SELECT *, lagInFrame(last, 1, toInt64(-2)) OVER (
    PARTITION BY log_id, topic, source_epoch, kafka_partition
    ORDER BY first_offset
    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS before
  FROM (${claims})
)
ARRAY JOIN arrayConcat(if(gap != '', [0], []), if(before != -2 AND before + 1 < first_offset, [1], [])) AS is_hole
WHERE first_offset >= 0 AND ${arrivedInRange}
ORDER BY topic, source_epoch, kafka_partition, from`,
    { parameters: { ...range, open: openClaims(closed) } },
  );
  return rows.map(({ topic, reason, note, ...row }) => ({ topic, reason, note: note === '' ? null : note, ...numbers(row) }));
}

const openClaims = ({ partitions }: Closed) =>
  partitions
    .filter(({ isOpen }) => isOpen)
    .map(({ logId, topic, sourceEpoch, partition, position }) => `${logId} ${topic} ${sourceEpoch} ${partition} ${position}`);

const numbers = <Row extends object>(row: Row) =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)])) as { [Key in keyof Row]: number }; // each value as a number
