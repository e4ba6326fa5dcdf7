/** The end of each partition's chain, in every life of its topic. */
import type { ClickHouse } from './clickhouse.ts';
import { type Claim, type Ledger, originOffset, type PartitionKey } from './ledger.ts';
import { keyOf, ofPlace, type PlaceRow } from './ledger-places.ts';

export interface NewestClaim {
  readonly key: PartitionKey;
  readonly claim: Claim;
}

/** Of partitions whose newest claim arrived before the instant, milliseconds; origins hold nothing and are left out. @throws LEDGER_INCONSISTENT */
export async function newestClaimsBefore(clickhouse: ClickHouse, ledger: Ledger, before: number): Promise<NewestClaim[]> {
  const rows = await clickhouse.rows<PlaceRow>(`SELECT DISTINCT ${ofPlace}\nFROM batches\nORDER BY ${ofPlace}`);
  const newest: NewestClaim[] = [];
  for (const row of rows) {
    const key = keyOf(row);
    const claim = await ledger.tail(key);
    if (claim !== null && claim.firstOffset !== originOffset && claim.receivedAt < before) newest.push({ key, claim });
  }
  return newest;
}
