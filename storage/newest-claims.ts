/** The end of each partition's chain, in every life of its topic. */
import { grouped } from '../core/grouped.ts';
import type { ClickHouse } from './clickhouse.ts';
import { type Claim, claimColumns, type ClaimRow, effective, type Ledger, originOffset, type PartitionKey, toClaim } from './ledger.ts';
import { beyond, keyOf, ofPlace, placeOf, type PlaceRow } from './ledger-places.ts';

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

/** By place, the claim that begins at each one's offset, if it is there: one statement, however many partitions. @throws LEDGER_INCONSISTENT */
export async function claimsAt(clickhouse: ClickHouse, offsets: Readonly<Record<string, number>>): Promise<ReadonlyMap<string, Claim>> {
  if (Object.keys(offsets).length === 0) return new Map();
  const { sql, parameters } = beyond(offsets);
  const statement = `SELECT ${ofPlace}, ${claimColumns}\nFROM batches\nWHERE replay = 0\n  AND ${sql}`;
  const rows = await clickhouse.rows<PlaceRow & ClaimRow>(statement, { parameters });
  const places = grouped(rows, (row) => placeOf(keyOf(row)));
  return new Map(
    [...places].flatMap(([place, ofIt]) =>
      effective(ofIt.map(toClaim))
        .filter(({ firstOffset }) => firstOffset === offsets[place])
        .map((claim) => [place, claim] as const),
    ),
  );
}
