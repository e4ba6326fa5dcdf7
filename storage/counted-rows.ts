/**
 * Rows of counters in place of events: those of whole hours or minutes, and beside them the same rows made from the events
 * of what is left of the range, so that both together say exactly what the events say. Part of the door in scope.ts.
 *
 * A row has the columns of events that are asked for; its `timestamp` is the beginning of its hour or minute, its
 * `http_response_status_code` that of its class (200, 400), and its figures have the names of rollup-tables.ts.
 */
import { classColumn, counters, figuresOf, hourMs, hourOf, newest, noClass, statusClass, type RollupTable } from './rollup-tables.ts';

/** Half-open, milliseconds since the epoch. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export type CountedSource =
  | { readonly source: 'HOURS'; readonly table: RollupTable; readonly unitMs: number }
  | { readonly source: 'MINUTES'; readonly unitMs: number };

export type Counted = CountedSource & {
  /** Columns of events that are looked at: rows that differ in others alone are one. */
  readonly keys: readonly string[];
  /** Read from aggregates: whole units. */
  readonly whole: readonly Span[];
  /** Read from events. */
  readonly raw: readonly Span[];
};

export const minutes: CountedSource = { source: 'MINUTES', unitMs: 60_000 };
export const hoursIn = (table: RollupTable): CountedSource => ({ source: 'HOURS', table, unitMs: hourMs });

export const minuteKeys = ['http_route', 'gateway_route_name', 'gateway_route_id'];

/** Parts a range into whole units and what lies beside them or is stale. */
export function cut(source: CountedSource, keys: readonly string[], range: Span, stale: readonly Span[] = []): Counted {
  const { unitMs } = source;
  const inner = { from: Math.ceil(range.from / unitMs) * unitMs, to: Math.floor(range.to / unitMs) * unitMs };
  if (inner.from >= inner.to) return { ...source, keys, whole: [], raw: [range] };
  const excluded = [{ from: range.from, to: inner.from }, ...stale.map((span) => within(span, inner)), { from: inner.to, to: range.to }];
  const raw = excluded.filter(({ from, to }) => from < to);
  return { ...source, keys, whole: between(raw, range), raw };
}

const within = (span: Span, { from, to }: Span): Span => ({ from: Math.max(span.from, from), to: Math.min(span.to, to) });

/** What `spans`, in order and apart, leave of the range. */
function between(spans: readonly Span[], range: Span): Span[] {
  const starts = [range.from, ...spans.map(({ to }) => to)];
  const ends = [...spans.map(({ from }) => from), range.to];
  return starts.map((from, at) => ({ from, to: ends[at] ?? range.to })).filter(({ from, to }) => from < to);
}

const statusCode = 'http_response_status_code';

/** `scoped` is a condition on the tenant; nothing that arrived before `arrival` is of the range. */
export function countedRows(counted: Counted, scoped: string, arrival: number): string {
  const branches =
    counted.source === 'HOURS' ? hourBranches(counted, counted.table, scoped, arrival) : minuteBranches(counted, scoped, arrival);
  const code = counted.keys.includes(statusCode) ? `, if(status_class = ${noClass}, NULL, status_class * 100) AS ${statusCode}` : '';
  return `SELECT *, toDateTime64(at, 6, 'UTC') AS timestamp${code}\nFROM (\n${branches.join('\nUNION ALL\n')}\n)`;
}

/** The keys as columns of rows of counters. */
const columnsOf = ({ keys }: Counted) => keys.map((key) => (key === statusCode ? 'status_class' : key));

const instant = (ms: number) => `fromUnixTimestamp64Milli(${ms}, 'UTC')`;

function inSpans(time: string, spans: readonly Span[]): string {
  const conditions = spans.map(({ from, to }) => `(${time} >= ${instant(from)} AND ${time} < ${instant(to)})`);
  return conditions.length === 0 ? '0' : `(${conditions.join(' OR ')})`;
}

const arrivedSince = (arrival: number) => `received_at >= ${instant(arrival)}`;

function hourBranches(counted: Counted, table: RollupTable, scoped: string, arrival: number): string[] {
  const { keys, whole, raw } = counted;
  const figures = Object.entries(figuresOf(table));
  const rolled = `SELECT ${['hour AS at', ...columnsOf(counted), ...figures.map(([name]) => name)].join(', ')}
FROM ${table.name} FINAL
WHERE ${scoped} AND ${newest(table, inSpans('hour', whole))}`;
  const groups = keys.map((key) => (key === statusCode ? classColumn : key));
  const made = `SELECT ${[`${hourOf} AS at`, ...groups, ...figures.map(([name, { sql }]) => `${sql} AS ${name}`)].join(', ')}
FROM events
WHERE ${scoped} AND ${arrivedSince(arrival)} AND ${inSpans('timestamp', raw)}
GROUP BY ${['at', ...columnsOf(counted)].join(', ')}`;
  return raw.length === 0 ? [rolled] : [rolled, made];
}

/** Word for word what the projection by_minute has, so that the engine reads that; else it reads the events, with the same answer. */
function minuteBranches(counted: Counted, scoped: string, arrival: number): string[] {
  const { keys, whole, raw } = counted;
  const figures = Object.entries(counters);
  const names = keys.map((key) => (key === statusCode ? `toUInt16(ifNull(class, ${noClass})) AS status_class` : key));
  const groups = keys.map((key) => (key === statusCode ? `${statusClass} AS class` : key));
  const rows = (condition: string) => `SELECT ${['at', ...names, ...figures.map(([name]) => name)].join(', ')}
FROM (
  SELECT ${['toStartOfMinute(timestamp) AS at', ...groups, ...figures.map(([name, sql]) => `${sql} AS ${name}`)].join(', ')}
  FROM events
  WHERE ${scoped} AND ${condition}
  GROUP BY ${['at', ...keys.map((key) => (key === statusCode ? 'class' : key))].join(', ')}
)`;
  const projected = rows(`toDate(received_at) >= toDate(${instant(arrival)}) AND ${inSpans('toStartOfMinute(timestamp)', whole)}`);
  return raw.length === 0 ? [projected] : [projected, rows(`${arrivedSince(arrival)} AND ${inSpans('timestamp', raw)}`)];
}
