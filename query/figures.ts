/** The aggregates that tables and series share: as columns of one statement, and read back from its rows. */
import { AuditError } from '../core/errors.ts';
import type {
  Dimension,
  MetricField,
  MetricOrder,
  MetricValuesDistinctArgs,
  MetricValuesWithinArgs,
  QuantilesQuantileArgs,
} from '../schemas/api.ts';
import type { Range, Scope } from '../storage/scope.ts';
import type { Condition, Match } from './filter.ts';
import { dimensionExpression, groupKey } from './dimensions.ts';

/** What single fields ask for beyond the fixed figures, collected from the whole operation. */
export interface Extras {
  readonly within: readonly number[];
  readonly distinct: readonly string[];
  readonly levels: readonly number[];
}

export interface FigureQuery {
  readonly range: Range;
  readonly filter?: Match | null;
  readonly groupBy: readonly Dimension[];
  readonly orderBy?: MetricOrder | null;
  readonly limit: number;
  readonly extras: Extras;
  readonly now: number;
}

export type Row = Readonly<Record<string, any>>; // oxlint-disable-line typescript/no-explicit-any -- a row of JSON, read by name

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

const orders: Readonly<Record<MetricField, string>> = {
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

export function ranked(scope: Scope, query: FigureQuery, filter: Condition): Promise<Row[]> {
  if (query.orderBy?.byChange) throw new AuditError('BAD_USER_INPUT', 'byChange orders by a comparison, and none was asked for');
  const by = orders[query.orderBy?.by ?? 'REQUESTS'];
  const direction = query.orderBy?.direction === 'ASC' ? 'ASC' : 'DESC';
  return scope.events<Row>({
    select: `${groupKey(query.groupBy)} AS m_key, ${aggregates(query.extras)}`,
    range: query.range,
    where: filter.sql,
    parameters: filter.parameters,
    tail: `${query.groupBy.length === 0 ? '' : 'GROUP BY m_key\n'}ORDER BY ${by} ${direction} NULLS LAST, m_key ASC\nLIMIT ${query.limit}`,
  });
}

export async function whole(scope: Scope, query: FigureQuery, filter: Condition): Promise<Row> {
  const [row] = await scope.events<Row>({
    select: aggregates(query.extras),
    range: query.range,
    where: filter.sql,
    parameters: filter.parameters,
  });
  return row ?? nothing;
}

export const nothing: Row = {};

export function values(row: Row, { range, now, extras }: Pick<FigureQuery, 'range' | 'now' | 'extras'>) {
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
      quantile: ({ level }: QuantilesQuantileArgs) => at(4 + extras.levels.indexOf(level)),
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
    within: ({ ms }: MetricValuesWithinArgs) => count(`within_${extras.within.indexOf(ms)}`),
    distinct: ({ of }: MetricValuesDistinctArgs) => count(`distinct_${extras.distinct.indexOf(of)}`),
    requestBytes: count('requestBytes'),
    responseBytes: count('responseBytes'),
    consumers: count('consumers'),
    clients: count('clients'),
    firstSeenAt: maybe('first'),
    lastSeenAt: maybe('last'),
  };
}

export function dimensionsOf({ groupBy }: FigureQuery, key: string) {
  const parts = JSON.parse(key) as (string | null)[];
  return groupBy.map((dimension, index) => ({ dimension, value: parts[index] ?? null }));
}
