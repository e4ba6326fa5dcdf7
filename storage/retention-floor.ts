/**
 * The floor below which nothing is stored any more. Dropping a day frees the deduplication tokens of its parts, so the
 * floor is on record first: writers refuse what is below, and claims below it are closed by definition.
 */
import { AuditError } from '../core/errors.ts';
import type { ClickHouse } from './clickhouse.ts';

const dayMs = 86_400_000;

/** Milliseconds; 0 when there is none. */
export async function readFloor(clickhouse: ClickHouse): Promise<number> {
  const [row] = await clickhouse.rows<{ floor: string }>('SELECT toUnixTimestamp64Milli(max(floor)) AS floor\nFROM retention_floor');
  return Math.max(0, Number(row?.floor ?? 0));
}

/** Raises the floor to the start of the day (UTC) of `at`, milliseconds; it never sinks. Gives the floor that holds. */
export async function raiseFloor(
  clickhouse: ClickHouse,
  at: number,
  options: { readonly reason: string; readonly setBy: string },
): Promise<number> {
  const floor = at - (at % dayMs);
  if (floor > (await readFloor(clickhouse)))
    await clickhouse.insertRows('retention_floor', [
      { floor: new Date(floor).toISOString(), reason: options.reason, set_by: options.setBy },
    ]);
  return Math.max(floor, await readFloor(clickhouse));
}

/**
 * Drops the days whose every row is below the floor; gives them as YYYYMMDD. Call it again after twice the longest
 * request time: an insert that was under way when the floor rose may have landed since.
 * @throws NOT_READY while a claim below the floor is the newest of its partition and open
 */
export async function dropBelowFloor(clickhouse: ClickHouse, hasOpenClaimBelow: (floor: number) => Promise<boolean>): Promise<string[]> {
  const floor = await readFloor(clickhouse);
  if (floor === 0) return [];
  if (await hasOpenClaimBelow(floor))
    throw new AuditError('NOT_READY', 'A batch below the retention floor is still being stored; its day is dropped later');
  const days = await clickhouse.rows<{ partition: string }>(
    `SELECT DISTINCT partition
FROM system.parts
WHERE database = currentDatabase()
  AND table = 'events'
  AND active
  AND toUInt32(partition) < toYYYYMMDD(fromUnixTimestamp64Milli({floor:Int64}, 'UTC'))
ORDER BY partition`,
    { parameters: { floor } },
  );
  for (const { partition } of days) await clickhouse.run(`ALTER TABLE events DROP PARTITION ${Number(partition)}`);
  return days.map(({ partition }) => partition);
}
