/** Compares the rollups with the events they sum up: hour by hour and day of arrival, group by group, all figures but the states. */
import type { ClickHouse } from './clickhouse.ts';
import { staleSpans } from './rollup-marks.ts';
import { figuresOf, groupColumns, groupExpressions, hourMs, hourOf, newest, rollupTables, type RollupTable } from './rollup-tables.ts';
import type { Range } from './scope.ts';

export interface Drift {
  readonly table: RollupTable['name'];
  /** Milliseconds. */
  readonly hour: number;
  /** Day on which the events arrived, `2026-11-22`. */
  readonly arrived: string;
  /** Requests as the events and as the rollup have them; where these agree, other figures do not. */
  readonly events: number;
  readonly rollup: number;
}

/**
 * Hours of the range that differ, in order. What the next step of the job will make is no drift, and an hour that became
 * such a one in the meantime is looked at again. Days below the retention floor have no events to compare with.
 */
export async function findDrift(clickhouse: ClickHouse, range: Range): Promise<Drift[]> {
  const whole = { from: Math.floor(range.from / hourMs) * hourMs, to: Math.ceil(range.to / hourMs) * hourMs };
  const stale = await staleSpans(clickhouse, whole);
  const found = await drifted(clickhouse, whole, stale);
  return found.length === 0 ? found : drifted(clickhouse, whole, [...stale, ...(await staleSpans(clickhouse, whole))]);
}

async function drifted(clickhouse: ClickHouse, range: Range, stale: readonly Range[]): Promise<Drift[]> {
  const found = await Promise.all(rollupTables.map((table) => driftOf(clickhouse, table, range)));
  const isStale = ({ hour }: Drift) => stale.some(({ from, to }) => hour >= from && hour < to);
  return found
    .flat()
    .filter((drift) => !isStale(drift))
    .toSorted((a, b) => a.hour - b.hour);
}

async function driftOf(clickhouse: ClickHouse, table: RollupTable, range: Range): Promise<Drift[]> {
  const rows = await clickhouse.rows<{ seconds: number; day: string; events: string; rollup: string }>(statementFor(table), {
    parameters: { from: range.from / 1_000, to: range.to / 1_000 },
    settings: { enable_shared_storage_snapshot_in_query: 1 },
  });
  return rows.map(({ seconds, day, events, rollup }) => ({
    table: table.name,
    hour: seconds * 1_000,
    arrived: day,
    events: Number(events),
    rollup: Number(rollup),
  }));
}

function statementFor(table: RollupTable): string {
  const figures = Object.entries(figuresOf(table));
  const exact = figures.map(([name]) => name).filter((name) => !/_(?:state|sum)$/.test(name));
  // Sums of fractions depend on their order, so they are compared as a whole and nearly.
  const spent = ['0', ...figures.map(([name]) => name).filter((name) => name.endsWith('_sum'))].join(' + ');
  const compared = [...groupColumns(table), ...exact.map((name) => `ifNull(toString(${name}), '')`)];
  const hash = `cityHash64(${compared.join(', ')})`;
  const hours = 'hour >= fromUnixTimestamp({from:Int64}) AND hour < fromUnixTimestamp({to:Int64})';
  return `SELECT toUnixTimestamp(hour) AS seconds, toString(arrived) AS day, sumIf(n, side = 0) AS events, sumIf(n, side = 1) AS rollup
FROM (
  SELECT 0 AS side, hour, arrived, requests AS n, ${hash} AS hash, ${spent} AS spent
  FROM (
    SELECT ${hourOf} AS hour, toDate(received_at) AS arrived, ${groupExpressions(table).join(', ')},
      ${figures.map(([name, { sql }]) => `${sql} AS ${name}`).join(',\n      ')}
    FROM events
    WHERE tenant != '' AND timestamp >= fromUnixTimestamp({from:Int64}) AND timestamp < fromUnixTimestamp({to:Int64})
    GROUP BY hour, arrived, ${groupColumns(table).join(', ')}
  )
  UNION ALL
  SELECT 1 AS side, hour, arrived, requests AS n, ${hash} AS hash, ${spent} AS spent
  FROM ${table.name} FINAL
  WHERE tenant != '' AND ${newest(table, hours)}
)
WHERE arrived >= (SELECT toDate(max(floor)) FROM retention_floor)
GROUP BY hour, arrived
HAVING groupBitXorIf(hash, side = 0) != groupBitXorIf(hash, side = 1) OR countIf(side = 0) != countIf(side = 1)
  OR abs(sumIf(spent, side = 0) - sumIf(spent, side = 1)) > 1e-9 * sum(abs(spent))
ORDER BY seconds, day`;
}
