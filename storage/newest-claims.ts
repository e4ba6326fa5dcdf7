/** The end of each partition's chain, in every life of its topic. */
import type { ClickHouse } from './clickhouse.ts';
import { type Claim, type Ledger, originOffset, type PartitionKey } from './ledger.ts';

export interface NewestClaim {
  readonly key: PartitionKey;
  readonly claim: Claim;
}

/** Of partitions whose newest claim arrived before the instant, milliseconds; origins hold nothing and are left out. @throws LEDGER_INCONSISTENT */
export async function newestClaimsBefore(clickhouse: ClickHouse, ledger: Ledger, before: number): Promise<NewestClaim[]> {
  const rows = await clickhouse.rows<{ log_id: string; source_epoch: number; topic: string; kafka_partition: number }>(
    `SELECT DISTINCT log_id, source_epoch, topic, kafka_partition
FROM batches
ORDER BY log_id, source_epoch, topic, kafka_partition`,
  );
  const newest: NewestClaim[] = [];
  for (const row of rows) {
    const key = { logId: row.log_id, sourceEpoch: row.source_epoch, topic: row.topic, partition: row.kafka_partition };
    const claim = await ledger.tail(key);
    if (claim !== null && claim.firstOffset !== originOffset && claim.receivedAt < before) newest.push({ key, claim });
  }
  return newest;
}
