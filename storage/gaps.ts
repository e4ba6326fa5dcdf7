/** Ranges that the log no longer had when ingest came to them, as the ledger has them on record. */
import type { ClickHouse } from './clickhouse.ts';
import type { PartitionKey } from './ledger.ts';

export interface LostRange extends PartitionKey {
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** When it was put on record, milliseconds. */
  readonly receivedAt: number;
}

/** The newest ones, in rising order; a gap that was recorded never changes any more. */
export async function lostRanges(clickhouse: ClickHouse, limit = 1_000): Promise<LostRange[]> {
  const rows = await clickhouse.rows<Record<'logId' | 'topic' | 'first' | 'last' | 'at', string> & Record<'epoch' | 'partition', number>>(
    `SELECT DISTINCT log_id AS logId, source_epoch AS epoch, topic, kafka_partition AS partition, first_offset AS first, last_offset AS last,
  toUnixTimestamp64Milli(received_at) AS at
FROM batches
WHERE gap_reason = 'RETENTION_OVERRUN'
  AND replay = 0
ORDER BY at DESC, topic, partition, first
LIMIT {limit:UInt32}`,
    { parameters: { limit } },
  );
  return rows
    .map(({ logId, epoch, topic, partition, first, last, at }) => {
      return {
        logId,
        sourceEpoch: epoch,
        topic,
        partition,
        firstOffset: Number(first),
        lastOffset: Number(last),
        receivedAt: Number(at),
      };
    })
    .toReversed();
}
