/**
 * The only door to events: whoever reads them says for whom, and gets the tenants, the time bounds and the limits of the
 * statement added. A test reads the sources and fails where another file selects from events.
 */
import type { PurposeKey } from '../core/keys.ts';
import type { ClickHouse, Parameters, Settings } from './clickhouse.ts';
import { countedRows, type Counted, type Span } from './counted-rows.ts';
import { staleSpans } from './rollup-marks.ts';

/** Half-open, milliseconds since the epoch. */
export type Range = Span;

export interface EventQuery {
  /** Expressions of our own making; values come as parameters. */
  readonly select: string;
  readonly range: Range;
  readonly where?: string;
  readonly parameters?: Parameters;
  /** GROUP BY, ORDER BY, LIMIT. */
  readonly tail?: string;
  /** Rows of counters are read in place of events. */
  readonly counted?: Counted | null;
}

export interface Scope {
  readonly tenants: readonly string[];
  /** Of before a rotation the last: raw keys of consumers are looked for by their hashes. None where nothing is said. */
  readonly credentialKeys?: readonly PurposeKey[];
  events<Row>(query: EventQuery): Promise<Row[]>;
  /** Parts of the range in which the rollups are not what is stored. */
  stale(range: Range): Promise<Range[]>;
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
  // Which version of an hour counts and its rows are two reads of one table.
  enable_shared_storage_snapshot_in_query: 1,
};

export function openScope(clickhouse: ClickHouse, tenants: readonly string[], signal?: AbortSignal): Scope {
  return {
    tenants,
    events: (query) => {
      const { sql, parameters } = eventStatement(tenants, query);
      return clickhouse.rows(sql, { parameters, settings: limits, ...(signal && { signal }) });
    },
    stale: (range) => staleSpans(clickhouse, range),
  };
}

export function eventStatement(tenants: readonly string[], query: EventQuery): { sql: string; parameters: Parameters } {
  const everyone = tenants.includes('*');
  // What has no tenant is the marker of a gap or of an hour, no event.
  const scoped = everyone ? "tenant != ''" : 'tenant IN {scope_tenants:Array(String)}';
  const { from, to } = query.range;
  const arrival = Math.max(0, from - clampMs); // a Date before 1970 is one of the far future
  const given = { ...query.parameters, ...(everyone ? {} : { scope_tenants: tenants }) };
  const where = query.where === undefined ? [] : [`(${query.where})`];
  if (query.counted) {
    const rows = countedRows(query.counted, scoped, arrival);
    return { sql: `SELECT ${query.select}\nFROM (${rows})\nWHERE ${where.join() || '1'}\n${query.tail ?? ''}`, parameters: given };
  }
  const conditions = [
    scoped,
    'timestamp >= fromUnixTimestamp64Milli({scope_from:Int64})',
    'timestamp < fromUnixTimestamp64Milli({scope_to:Int64})',
    'received_at >= fromUnixTimestamp64Milli({scope_arrival:Int64})',
    ...where,
  ];
  const sql = `SELECT ${query.select}\nFROM events\nWHERE ${conditions.join('\n  AND ')}\n${query.tail ?? ''}`;
  return { sql, parameters: { ...given, scope_from: from, scope_to: to, scope_arrival: arrival } };
}
