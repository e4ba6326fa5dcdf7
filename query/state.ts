/** What the ledger and the dead letters say: how current, how complete, what could not be read. */
import type { ClickHouse } from '../storage/clickhouse.ts';
import type { Range } from '../storage/scope.ts';

const perPartition = 'GROUP BY topic, source_epoch, kafka_partition\nORDER BY topic, source_epoch, kafka_partition';

export interface Freshness {
  readonly watermark: number | null;
  readonly lagSeconds: number | null;
}

export async function freshness(clickhouse: ClickHouse, now: number): Promise<Freshness> {
  const [row] = await clickhouse.rows<{ mark: string | null }>(
    `SELECT minOrNull(mark_ms) AS mark
FROM (SELECT toUnixTimestamp64Milli(max(max_timestamp)) AS mark_ms
  FROM batches
  WHERE first_offset >= 0 AND events > 0
  GROUP BY log_id, topic, source_epoch, kafka_partition
  HAVING max(received_at) > fromUnixTimestamp64Milli({recent:Int64}))`,
    { parameters: { recent: now - 300_000 } },
  );
  const watermark = row?.mark == null ? null : Number(row.mark);
  return { watermark, lagSeconds: watermark === null ? null : Math.max(0, now - watermark) / 1_000 };
}

export async function completeness(clickhouse: ClickHouse, range: Range) {
  const rows = await clickhouse.rows<Record<string, string | number>>(
    `SELECT topic, source_epoch, kafka_partition, min(first) AS first_offset, max(last) AS last_offset, sum(n_messages) AS messages,
  sum(n_records) AS records, sum(n_events) AS events, sum(n_rejected) AS rejected, sum(n_skipped) AS skipped,
  max(next) - min(first) - sum(length) AS unexplained
FROM (SELECT topic, source_epoch, kafka_partition, first_offset AS first, max(last_offset) AS last, last + 1 AS next, next - first AS length,
    argMax(messages, (revision, attempt)) AS n_messages, argMax(records, (revision, attempt)) AS n_records, argMax(events, (revision, attempt)) AS n_events,
    argMax(rejected, (revision, attempt)) AS n_rejected, argMax(skipped, (revision, attempt)) AS n_skipped
  FROM batches
  WHERE first_offset >= 0 AND received_at >= fromUnixTimestamp64Milli({from:Int64}) AND received_at < fromUnixTimestamp64Milli({to:Int64})
  GROUP BY log_id, topic, source_epoch, kafka_partition, first_offset)
${perPartition}`,
    { parameters: { from: range.from, to: range.to } },
  );
  const partitions = rows.map((row) => ({
    topic: row['topic'],
    sourceEpoch: Number(row['source_epoch']),
    partition: Number(row['kafka_partition']),
    firstOffset: Number(row['first_offset']),
    lastOffset: Number(row['last_offset']),
    messages: Number(row['messages']),
    records: Number(row['records']),
    events: Number(row['events']),
    rejected: Number(row['rejected']),
    skipped: Number(row['skipped']),
    pruned: 0,
    gaps: [],
    whole:
      Number(row['unexplained']) === 0 &&
      Number(row['records']) === Number(row['events']) + Number(row['rejected']) + Number(row['skipped']),
  }));
  const complete = partitions.every(({ whole }) => whole);
  const sum = (name: 'records' | 'events' | 'rejected' | 'skipped') => partitions.reduce((total, row) => total + row[name], 0);
  const span = `from ${new Date(range.from).toISOString()} to ${new Date(range.to).toISOString()}`;
  const counts = `${sum('records')} records arrived: ${sum('events')} events, ${sum('rejected')} rejected, ${sum('skipped')} skipped`;
  const statement = `Of what arrived ${span}, ${complete ? 'nothing is missing' : 'something is missing or unexplained'}. ${counts}.`;
  return { resolvedRange: range, partitions, sources: [], complete, statement };
}
