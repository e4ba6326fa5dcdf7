/**
 * The oldest event there may be. Retention counts from arrival: an archive that was imported today stays as long as
 * today's events, however long ago its requests were.
 */
import type { ClickHouse } from '../storage/clickhouse.ts';
import { readFloor } from '../storage/retention-floor.ts';

export interface Oldest {
  /** Event time, milliseconds, as it was last asked for; Infinity before. */
  readonly seen: number;
  ask(): Promise<number>;
}

export function createOldest(clickhouse: ClickHouse): Oldest {
  const oldest = {
    seen: Infinity,
    async ask() {
      const [row] = await clickhouse.rows<{ n: string; oldest: string }>(
        `SELECT count() AS n, toUnixTimestamp64Milli(min(min_timestamp)) AS oldest
FROM batches
WHERE events > 0
  AND received_at >= fromUnixTimestamp64Milli({floor:Int64}, 'UTC')`,
        { parameters: { floor: await readFloor(clickhouse) } },
      );
      oldest.seen = row === undefined || row.n === '0' ? Infinity : Number(row.oldest);
      return oldest.seen;
    },
  };
  return oldest;
}
