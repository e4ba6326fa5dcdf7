/**
 * The only door to events: whoever reads them says for whom, and gets the tenants, the time bounds and the limits of the
 * statement added. A test reads the sources and fails where another file selects from events.
 */
import type { ClickHouse, Parameters, Settings } from './clickhouse.ts';

/** Half-open, milliseconds since the epoch. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export interface EventQuery {
  /** Expressions of our own making; values come as parameters. */
  readonly select: string;
  readonly range: Range;
  readonly where?: string;
  readonly parameters?: Parameters;
  /** GROUP BY, ORDER BY, LIMIT. */
  readonly tail?: string;
}

export interface Scope {
  readonly tenants: readonly string[];
  events<Row>(query: EventQuery): Promise<Row[]>;
}

/** Arrival may be that much before the time of an event, never more: the table has a constraint that says so. */
const clampMs = 300_000;

const limits: Settings = {
  readonly: 2,
  max_execution_time: 20,
  max_memory_usage: 2_000_000_000,
  max_result_rows: 200_000,
  use_query_cache: 0,
  use_query_condition_cache: 0,
};

export function openScope(clickhouse: ClickHouse, tenants: readonly string[], signal?: AbortSignal): Scope {
  return {
    tenants,
    events: (query) => {
      const { sql, parameters } = eventStatement(tenants, query);
      return clickhouse.rows(sql, { parameters, settings: limits, ...(signal && { signal }) });
    },
  };
}

export function eventStatement(tenants: readonly string[], query: EventQuery): { sql: string; parameters: Parameters } {
  const everyone = tenants.includes('*');
  const conditions = [
    // What has no tenant is the marker of a gap, no event.
    everyone ? "tenant != ''" : 'tenant IN {scope_tenants:Array(String)}',
    'timestamp >= fromUnixTimestamp64Milli({scope_from:Int64})',
    'timestamp < fromUnixTimestamp64Milli({scope_to:Int64})',
    'received_at >= fromUnixTimestamp64Milli({scope_arrival:Int64})',
    ...(query.where === undefined ? [] : [`(${query.where})`]),
  ];
  const sql = `SELECT ${query.select}\nFROM events\nWHERE ${conditions.join('\n  AND ')}\n${query.tail ?? ''}`;
  const { from, to } = query.range;
  const bounds = { scope_from: from, scope_to: to, scope_arrival: from - clampMs };
  return { sql, parameters: { ...query.parameters, ...bounds, ...(everyone ? {} : { scope_tenants: tenants }) } };
}
