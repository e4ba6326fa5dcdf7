/**
 * Rows of counters in place of events: those of whole hours or minutes, and beside them the same rows made from the events
 * of what is left of the range, so that both together say exactly what the events say. Part of the door in scope.ts.
 *
 * A row has the columns of events that it is grouped by; its `timestamp` is the beginning of its hour or minute, its
 * `http_response_status_code` that of its class (200, 400), and its figures have the names of rollup-tables.ts.
 */
import {
  figuresOf,
  groupColumns,
  groupExpressions,
  hourMs,
  hourOf,
  newest,
  noClass,
  outcomeCounters,
  statusClass,
  type RollupTable,
} from './rollup-tables.ts';

/** Half-open, milliseconds since the epoch. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export type CountedSource =
  | { readonly source: 'HOURS'; readonly table: RollupTable; readonly unitMs: number }
  | { readonly source: 'MINUTES'; readonly unitMs: number };

export type Counted = CountedSource & {
  /** Read from aggregates: whole units. */
  readonly whole: readonly Span[];
  /** Read from events. */
  readonly raw: readonly Span[];
};

export const minutes: CountedSource = { source: 'MINUTES', unitMs: 60_000 };
export const hoursIn = (table: RollupTable): CountedSource => ({ source: 'HOURS', table, unitMs: hourMs });

export const minuteKeys = ['http_route', 'gateway_route_name', 'gateway_route_id'];

/** Parts a range into whole units and what lies beside them or is stale. */
export function cut(source: CountedSource, range: Span, stale: readonly Span[]): Counted {
  const { unitMs } = source;
  const inner = { from: Math.ceil(range.from / unitMs) * unitMs, to: Math.floor(range.to / unitMs) * unitMs };
  if (inner.from >= inner.to) return { ...source, whole: [], raw: [range] };
  const excluded = [{ from: range.from, to: inner.from }, ...stale.map((span) => within(span, inner)), { from: inner.to, to: range.to }];
  const raw = excluded.filter(({ from, to }) => from < to);
  return { ...source, whole: between(raw, range), raw };
}

const within = (span: Span, { from, to }: Span): Span => ({ from: Math.max(span.from, from), to: Math.min(span.to, to) });

/** What `spans`, in order and apart, leave of the range. */
function between(spans: readonly Span[], range: Span): Span[] {
  const starts = [range.from, ...spans.map(({ to }) => to)];
  const ends = [...spans.map(({ from }) => from), range.to];
  return starts.map((from, at) => ({ from, to: ends[at] ?? range.to })).filter(({ from, to }) => from < to);
}

/** `scoped` is a condition on the tenant, `arrival` one on the time of arrival. */
export function countedRows(counted: Counted, scoped: string, arrival: Span['from']): string {
  const branches =
    counted.source === 'HOURS' ? hourBranches(counted, counted.table, scoped, arrival) : minuteBranches(counted, scoped, arrival);
  return `SELECT *, toDateTime64(at, 6, 'UTC') AS timestamp, if(status_class = ${noClass}, NULL, status_class * 100) AS http_response_status_code
FROM (
${branches.join('\nUNION ALL\n')}
)`;
}

const instant = (ms: number) => `fromUnixTimestamp64Milli(${ms}, 'UTC')`;

function inSpans(time: string, spans: readonly Span[]): string {
  const conditions = spans.map(({ from, to }) => `(${time} >= ${instant(from)} AND ${time} < ${instant(to)})`);
  return conditions.length === 0 ? '0' : `(${conditions.join(' OR ')})`;
}

const arrivedSince = (arrival: number) => `received_at >= ${instant(arrival)}`;

function hourBranches({ whole, raw }: Counted, table: RollupTable, scoped: string, arrival: number): string[] {
  const figures = Object.entries(figuresOf(table));
  const names = figures.map(([name]) => name).join(', ');
  const groups = groupColumns(table).join(', ');
  const classless = table.hasStatusClass ? '' : `toUInt16(${noClass}) AS status_class, `;
  const rolled = `SELECT hour AS at, ${classless}${groups}, ${names}
FROM ${table.name} FINAL
WHERE ${scoped} AND ${newest(table, inSpans('hour', whole))}`;
  const made = `SELECT ${hourOf} AS at, ${classless}${groupExpressions(table).join(', ')}, ${figures.map(([name, { sql }]) => `${sql} AS ${name}`).join(', ')}
FROM events
WHERE ${scoped} AND ${arrivedSince(arrival)} AND ${inSpans('timestamp', raw)}
GROUP BY at, ${groups}`;
  return raw.length === 0 ? [rolled] : [rolled, made];
}

/** Word for word what the projection by_minute has, so that the engine reads that; else it reads the events, with the same answer. */
function minuteBranches({ whole, raw }: Counted, scoped: string, arrival: number): string[] {
  const counters = Object.entries(outcomeCounters);
  const rows = (
    condition: string,
  ) => `SELECT at, toUInt16(ifNull(class, ${noClass})) AS status_class, tenant, ${minuteKeys.join(', ')}, requests,
  if(status_class = 4, requests, 0) AS client_errors, if(status_class = 5, requests, 0) AS server_errors, ${counters.map(([name]) => name).join(', ')}
FROM (
  SELECT tenant, toStartOfMinute(timestamp) AS at, ${minuteKeys.join(', ')}, ${statusClass} AS class,
    count() AS requests, ${counters.map(([name, sql]) => `${sql} AS ${name}`).join(', ')}
  FROM events
  WHERE ${scoped} AND ${condition}
  GROUP BY tenant, at, ${minuteKeys.join(', ')}, class
)`;
  const projected = rows(`toDate(received_at) >= toDate(${instant(arrival)}) AND ${inSpans('toStartOfMinute(timestamp)', whole)}`);
  return raw.length === 0 ? [projected] : [projected, rows(`${arrivedSince(arrival)} AND ${inSpans('timestamp', raw)}`)];
}
