/** Aggregates over events: one table, one series per group, counts of values. */
import { parseDuration, formatDuration } from '../core/duration.ts';
import { AuditError } from '../core/errors.ts';
import type { Range, Scope } from '../storage/scope.ts';
import { groupKey } from './dimensions.ts';
import { compileFilter, type Condition, type Match } from './filter.ts';
import { dimensionExpression } from './dimensions.ts';

/** What single fields ask for beyond the fixed figures, collected from the whole operation. */
export interface Extras {
  readonly within: readonly number[];
  readonly distinct: readonly string[];
  readonly levels: readonly number[];
}

export interface FigureQuery {
  readonly range: Range;
  readonly filter?: Match | null;
  readonly groupBy: readonly string[];
  readonly orderBy?: { readonly by: string; readonly direction?: string; readonly byChange?: boolean } | null;
  readonly limit: number;
  readonly extras: Extras;
  readonly now: number;
}

type Row = Readonly<Record<string, any>>; // oxlint-disable-line typescript/no-explicit-any -- a row of JSON, read by name

const latencies = { latency: 'duration_ms', upstreamLatency: 'upstream_duration_ms', gatewayLatency: 'gateway_duration_ms' } as const;
const status = 'http_response_status_code';
const consumer = "coalesce(nullIf(consumer_name, ''), nullIf(consumer_id, ''))";

export function aggregates({ within, distinct, levels }: Extras): string {
  const spread = Object.entries(latencies).flatMap(([name, column]) => [
    `quantiles(${[0.5, 0.9, 0.95, 0.99, ...levels].join(', ')})(${column}) AS m_${name}_q`,
    `max(${column}) AS m_${name}_max`,
    `avg(${column}) AS m_${name}_mean`,
    `sum(${column}) AS m_${name}_sum`,
    `count(${column}) AS m_${name}_n`,
  ]);
  return [
    'count() AS m_requests',
    `countIf(${status} >= 400 AND ${status} < 500) AS m_clientErrors`,
    `countIf(${status} >= 500 AND ${status} < 600) AS m_serverErrors`,
    "countIf(outcome = 'auth_failure') AS m_authFailures",
    "countIf(outcome = 'rate_limited') AS m_rateLimited",
    "countIf(outcome = 'aborted') AS m_aborted",
    ...spread,
    'ifNull(sum(coalesce(http_request_size, http_request_body_size)), 0) AS m_requestBytes',
    'ifNull(sum(coalesce(http_response_size, http_response_body_size)), 0) AS m_responseBytes',
    `uniq(${consumer}) AS m_consumers`,
    'uniq(client_address) AS m_clients',
    'if(count() = 0, NULL, toUnixTimestamp64Milli(min(timestamp))) AS m_first',
    'if(count() = 0, NULL, toUnixTimestamp64Milli(max(timestamp))) AS m_last',
    ...within.map((ms, index) => `countIf(duration_ms <= ${Number(ms)}) AS m_within_${index}`),
    ...distinct.map((dimension, index) => `uniq(${dimensionExpression(dimension)}) AS m_distinct_${index}`),
  ].join(',\n  ');
}

export async function metricTable(scope: Scope, query: FigureQuery) {
  const filter = compileFilter(query.filter);
  const key = groupKey(query.groupBy);
  const rows = await ranked(scope, query, filter);
  const total = await whole(scope, query, filter);
  const kept = rows.map((row) => String(row['m_key']));
  const rest =
    query.groupBy.length === 0
      ? []
      : await scope.events<Row>({
          select: `uniqExact(${key}) AS m_groups, ${aggregates(query.extras)}`,
          range: query.range,
          where: `${filter.sql} AND NOT has({kept:Array(String)}, ${key})`,
          parameters: { ...filter.parameters, kept },
        });
  const otherRows = Number(rest[0]?.['m_groups'] ?? 0);
  return {
    rows: rows.map((row) => ({ dimensions: dimensionsOf(query, String(row['m_key'])), values: values(row, query), compared: null })),
    otherRows,
    other: otherRows > 0 && rest[0] ? values(rest[0], query) : null,
    total: values(total, query),
    resolvedRange: query.range,
    comparedRange: null,
    redactedDimensions: [],
    source: 'EVENTS',
  };
}

export async function timeSeries(scope: Scope, query: FigureQuery & { interval?: string | null; timeZone: string; maxPoints: number }) {
  const filter = compileFilter(query.filter);
  const buckets = intervals(query);
  if (buckets.starts.length > query.maxPoints) {
    throw new AuditError(
      'BAD_USER_INPUT',
      `The range has ${buckets.starts.length} intervals, ${query.maxPoints} are allowed: ask for longer ones`,
    );
  }
  const top = query.groupBy.length === 0 ? [] : await ranked(scope, query, filter);
  const kept = query.groupBy.length === 0 ? ['[]'] : top.map((row) => String(row['m_key']));
  const key =
    query.groupBy.length === 0 ? "'[]'" : `if(has({kept:Array(String)}, ${groupKey(query.groupBy)}), ${groupKey(query.groupBy)}, '')`;
  const ask = (select: string, tail: string) =>
    scope.events<Row>({
      select: `${select}, ${aggregates(query.extras)}`,
      range: query.range,
      where: filter.sql,
      parameters: { ...filter.parameters, kept, starts: buckets.starts },
      tail,
    });
  const index = 'arrayFirstIndex(start -> start > toUnixTimestamp64Milli(timestamp), {starts:Array(Int64)})';
  const rows = await ask(
    `${key} AS m_key, toInt64(if(${index} = 0, toInt64(length({starts:Array(Int64)})), toInt64(${index}) - 1)) AS m_bucket`,
    'GROUP BY m_key, m_bucket',
  );
  const totals = new Map((await ask(`${key} AS m_key`, 'GROUP BY m_key')).map((row) => [String(row['m_key']), row]));
  const found = new Map(rows.map((row) => [`${row['m_bucket']} ${row['m_key']}`, row]));
  const series = (name: string) => ({
    dimensions: name === '' ? [] : dimensionsOf(query, name),
    total: values(totals.get(name) ?? nothing, query),
    points: buckets.starts.map((at, place) => {
      const end = buckets.starts[place + 1] ?? buckets.end;
      const span = { from: Math.max(at, query.range.from), to: Math.min(end, query.range.to) };
      return {
        at,
        isPartial: end > query.now,
        values: values(found.get(`${place + 1} ${name}`) ?? nothing, { ...query, range: span }),
        compared: null,
      };
    }),
  });
  return {
    interval: buckets.interval,
    series: kept.map(series),
    other: totals.has('') ? series('') : null,
    resolvedRange: query.range,
    comparedRange: null,
    redactedDimensions: [],
    source: 'EVENTS',
  };
}

export async function facets(scope: Scope, query: Pick<FigureQuery, 'range' | 'filter' | 'limit'> & { dimensions: readonly string[] }) {
  const filter = compileFilter(query.filter);
  return Promise.all(
    query.dimensions.map(async (dimension) => {
      const rows = await scope.events<{ m_value: string | null; m_count: string; m_all: string }>({
        select: `${dimensionExpression(dimension)} AS m_value, count() AS m_count, sum(m_count) OVER () AS m_all`,
        range: query.range,
        where: filter.sql,
        parameters: filter.parameters,
        tail: `GROUP BY m_value\nORDER BY m_count DESC, m_value ASC\nLIMIT ${query.limit}`,
      });
      const shown = rows.map((row) => ({ value: row.m_value, count: Number(row.m_count) }));
      const otherCount = Number(rows[0]?.m_all ?? 0) - shown.reduce((sum, { count }) => sum + count, 0);
      return { dimension, values: shown, otherCount, redacted: false };
    }),
  );
}

const orders: Readonly<Record<string, string>> = {
  REQUESTS: 'm_requests',
  CLIENT_ERRORS: 'm_clientErrors',
  CLIENT_ERROR_RATE: 'm_clientErrors / m_requests',
  SERVER_ERRORS: 'm_serverErrors',
  ERROR_RATE: 'm_serverErrors / m_requests',
  AUTH_FAILURES: 'm_authFailures',
  RATE_LIMITED: 'm_rateLimited',
  ABORTED: 'm_aborted',
  P50: 'm_latency_q[1]',
  P90: 'm_latency_q[2]',
  P95: 'm_latency_q[3]',
  P99: 'm_latency_q[4]',
  MEAN: 'm_latency_mean',
  MAX: 'm_latency_max',
  UPSTREAM_P95: 'm_upstreamLatency_q[3]',
  GATEWAY_P95: 'm_gatewayLatency_q[3]',
  UPSTREAM_SUM: 'm_upstreamLatency_sum',
  REQUEST_BYTES: 'm_requestBytes',
  RESPONSE_BYTES: 'm_responseBytes',
  CONSUMERS: 'm_consumers',
  CLIENTS: 'm_clients',
  FIRST_SEEN: 'm_first',
  LAST_SEEN: 'm_last',
};

function ranked(scope: Scope, query: FigureQuery, filter: Condition): Promise<Row[]> {
  if (query.orderBy?.byChange) throw new AuditError('BAD_USER_INPUT', 'byChange orders by a comparison, and none was asked for');
  const by = orders[query.orderBy?.by ?? 'REQUESTS'] ?? 'm_requests';
  const direction = query.orderBy?.direction === 'ASC' ? 'ASC' : 'DESC';
  return scope.events<Row>({
    select: `${groupKey(query.groupBy)} AS m_key, ${aggregates(query.extras)}`,
    range: query.range,
    where: filter.sql,
    parameters: filter.parameters,
    tail: `${query.groupBy.length === 0 ? '' : 'GROUP BY m_key\n'}ORDER BY ${by} ${direction} NULLS LAST, m_key ASC\nLIMIT ${query.limit}`,
  });
}

async function whole(scope: Scope, query: FigureQuery, filter: Condition): Promise<Row> {
  const [row] = await scope.events<Row>({
    select: aggregates(query.extras),
    range: query.range,
    where: filter.sql,
    parameters: filter.parameters,
  });
  return row ?? nothing;
}

const nothing: Row = {};

function values(row: Row, { range, now, extras }: Pick<FigureQuery, 'range' | 'now' | 'extras'>) {
  const count = (name: string) => Number(row[`m_${name}`] ?? 0);
  const maybe = (name: string) => (row[`m_${name}`] == null ? null : Number(row[`m_${name}`]));
  const requests = count('requests');
  const passed = Math.max(1, Math.min(range.to, now) - range.from) / 1_000;
  const quantiles = (name: keyof typeof latencies) => {
    const samples = count(`${name}_n`);
    const at = (index: number) => (samples === 0 || row[`m_${name}_q`]?.[index] == null ? null : Number(row[`m_${name}_q`][index]));
    return {
      p50: at(0),
      p90: at(1),
      p95: at(2),
      p99: at(3),
      samples,
      max: maybe(`${name}_max`),
      mean: samples === 0 ? null : maybe(`${name}_mean`),
      sum: maybe(`${name}_sum`),
      quantile: ({ level }: { level: number }) => at(4 + extras.levels.indexOf(level)),
    };
  };
  return {
    requests,
    requestsPerSecond: requests / passed,
    clientErrors: count('clientErrors'),
    serverErrors: count('serverErrors'),
    authFailures: count('authFailures'),
    rateLimited: count('rateLimited'),
    aborted: count('aborted'),
    errorRate: requests === 0 ? null : count('serverErrors') / requests,
    clientErrorRate: requests === 0 ? null : count('clientErrors') / requests,
    latency: quantiles('latency'),
    upstreamLatency: quantiles('upstreamLatency'),
    gatewayLatency: quantiles('gatewayLatency'),
    within: ({ ms }: { ms: number }) => count(`within_${extras.within.indexOf(ms)}`),
    distinct: ({ of }: { of: string }) => count(`distinct_${extras.distinct.indexOf(of)}`),
    requestBytes: count('requestBytes'),
    responseBytes: count('responseBytes'),
    consumers: count('consumers'),
    clients: count('clients'),
    firstSeenAt: maybe('first'),
    lastSeenAt: maybe('last'),
  };
}

function dimensionsOf({ groupBy }: FigureQuery, key: string) {
  const parts = JSON.parse(key) as (string | null)[];
  return groupBy.map((dimension, index) => ({ dimension, value: parts[index] ?? null }));
}

const day = 86_400_000;
const nice = [1_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000, 21_600_000, day];

/** Starts of all intervals; those of days, weeks and months follow the calendar of the zone. */
function intervals({ range, interval, timeZone }: { range: Range; interval?: string | null; timeZone: string }) {
  const calendar = interval === 'P1D' || interval === 'P1W' || interval === 'P1M' || interval === 'P7D' ? interval : null;
  const span = interval == null ? (nice.find((ms) => (range.to - range.from) / ms <= 120) ?? day) : parseDuration(interval);
  if (span === null || span < 1_000) throw new AuditError('BAD_USER_INPUT', `Expected an interval of a second or more, got ${interval}`);
  if (calendar === null && span % day !== 0) {
    const first = Math.floor(range.from / span) * span;
    const length = Math.ceil((range.to - first) / span);
    if (length > 1_000_000) throw new AuditError('BAD_USER_INPUT', 'The interval is too short for the range');
    const starts = Array.from({ length }, (_, index) => first + index * span);
    return { starts, end: first + length * span, interval: formatDuration(span) };
  }
  const starts: number[] = [];
  const zone = calendarOf(timeZone);
  const step = calendar === 'P1M' ? 'month' : calendar === 'P1W' || calendar === 'P7D' ? 'week' : 'day';
  let at = zone.startOf(range.from, step);
  for (; at < range.to; at = zone.next(at, step)) starts.push(at);
  return { starts, end: at, interval: calendar ?? 'P1D' };
}

type Step = 'day' | 'week' | 'month';

function calendarOf(timeZone: string) {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (cause) {
    throw new AuditError('BAD_USER_INPUT', `Expected the name of a time zone, got ${JSON.stringify(timeZone)}`, { cause });
  }
  const wall = (at: number) => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(part['year'] ?? 0, (part['month'] ?? 1) - 1, part['day'], part['hour'], part['minute'], part['second']);
  };
  /** The instant at which the clocks of the zone show `local`; twice is enough around a change of the clocks. */
  const instant = (local: number) => {
    const guess = local - (wall(local) - local);
    return guess - (wall(guess) - local);
  };
  const midnight = (local: number, step: Step, ahead: number) => {
    const date = new Date(local);
    const back = step === 'week' ? (date.getUTCDay() + 6) % 7 : 0;
    const [days, months] = step === 'month' ? [1, ahead] : [date.getUTCDate() - back + ahead * (step === 'week' ? 7 : 1), 0];
    return instant(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, days));
  };
  return {
    startOf: (at: number, step: Step) => midnight(wall(at), step, 0),
    next: (at: number, step: Step) => midnight(wall(at), step, 1),
  };
}
