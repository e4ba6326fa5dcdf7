/**
 * The floor below which nothing is stored any more. Dropping a day frees the deduplication tokens of its parts, so the
 * floor is on record first: writers refuse what is below, and claims below it are closed by definition.
 */
import type { ClickHouse } from './clickhouse.ts';
import { alterTarget, systemRows } from './cluster.ts';
import { dayOf } from './retention-policy.ts';

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
  const floor = dayOf(at);
  if (floor > (await readFloor(clickhouse)))
    await clickhouse.insertRows('retention_floor', [
      { floor: new Date(floor).toISOString(), reason: options.reason, set_by: options.setBy },
    ]);
  return Math.max(floor, await readFloor(clickhouse));
}

/** Milliseconds since the floor that holds was put on record, by ClickHouse's clock. */
export async function floorAge(clickhouse: ClickHouse): Promise<number> {
  const [row] = await clickhouse.rows<{ age: string }>(
    "SELECT toUnixTimestamp64Milli(now64(3, 'UTC')) - toUnixTimestamp64Milli(argMin(set_at, (-toUnixTimestamp64Milli(floor), set_at))) AS age\nFROM retention_floor",
  );
  return Number(row?.age ?? 0);
}

/** Days (start, milliseconds) of events whose every row is below the floor, oldest first. Emptied parts are no rows. */
export async function daysBelow(clickhouse: ClickHouse, floor: number): Promise<number[]> {
  const { from, table } = systemRows('parts', 'events', clickhouse.cluster);
  const days = await clickhouse.rows<{ partition: string }>(
    `SELECT DISTINCT partition
FROM ${from}
WHERE database = currentDatabase()
  AND table = {table:String}
  AND active
  AND rows > 0
  AND toUInt32(partition) < toYYYYMMDD(fromUnixTimestamp64Milli({floor:Int64}, 'UTC'))
ORDER BY partition`,
    { parameters: { floor, table } },
  );
  return days.map(({ partition }) => Date.parse(`${partition.slice(0, 4)}-${partition.slice(4, 6)}-${partition.slice(6)}T00:00:00Z`));
}

/** A day of events with everything in it, its deduplication tokens too. */
export async function dropDay(clickhouse: ClickHouse, day: number): Promise<void> {
  await clickhouse.run(`ALTER TABLE ${alterTarget('events', clickhouse.cluster)} DROP PARTITION ${dayName(day)}`);
}

/** YYYYMMDD, as partitions of events are called. */
export const dayName = (day: number): string => new Date(day).toISOString().slice(0, 10).replaceAll('-', '');
