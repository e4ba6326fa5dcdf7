/** What the rollups hold, and how each figure of theirs is made from events. The tables themselves stand in 0004_rollups.sql. */

export interface RollupTable {
  readonly name: 'rollup_hour' | 'rollup_consumer_hour';
  /** Columns of events beside the tenant; each is a text and has the same name here. */
  readonly keys: readonly string[];
  readonly hasStatusClass: boolean;
  /** Columns of events of which there are quantile states, samples, sum and maximum. */
  readonly latencies: readonly string[];
}

export const byRoute: RollupTable = {
  name: 'rollup_hour',
  keys: ['api_name', 'api_id', 'api_version', 'http_route', 'gateway_route_name', 'gateway_route_id'],
  hasStatusClass: true,
  latencies: ['duration_ms', 'upstream_duration_ms', 'gateway_duration_ms'],
};

export const byConsumer: RollupTable = {
  name: 'rollup_consumer_hour',
  keys: ['consumer_name', 'consumer_id'],
  hasStatusClass: false,
  latencies: [],
};

export const rollupTables: readonly RollupTable[] = [byRoute, byConsumer];

export const hourMs = 3_600_000;
export const statusClass = 'intDiv(http_response_status_code, 100)';
/** Where an event has no status. */
export const noClass = 999;
export const classColumn = `toUInt16(ifNull(${statusClass}, ${noClass})) AS status_class`;
export const hourOf = 'toStartOfHour(timestamp)';

interface Figure {
  /** An aggregate over events. */
  readonly sql: string;
  readonly type: string;
}

/** Those of minutes too: the projection by_minute of 0001_storage.sql has the same words. */
export const counters: Readonly<Record<string, string>> = {
  requests: 'count()',
  client_errors: `countIf(${statusClass} = 4)`,
  server_errors: `countIf(${statusClass} = 5)`,
  auth_failures: "countIf(outcome = 'auth_failure')",
  rate_limited: "countIf(outcome = 'rate_limited')",
  aborted: "countIf(outcome = 'aborted')",
  request_bytes: 'ifNull(sum(coalesce(http_request_size, http_request_body_size)), 0)',
  response_bytes: 'ifNull(sum(coalesce(http_response_size, http_response_body_size)), 0)',
};

const counter = (sql: string): Figure => ({ sql, type: 'UInt64' });

/** By the column that holds it. */
export function figuresOf({ latencies }: RollupTable): Readonly<Record<string, Figure>> {
  return {
    ...Object.fromEntries(Object.entries(counters).map(([name, sql]) => [name, counter(sql)])),
    first_seen: { sql: 'min(timestamp)', type: "DateTime64(6, 'UTC')" },
    last_seen: { sql: 'max(timestamp)', type: "DateTime64(6, 'UTC')" },
    ...Object.assign({}, ...latencies.map(latencyFigures)),
  };
}

function latencyFigures(latency: string): Record<string, Figure> {
  return {
    [`${latency}_samples`]: counter(`count(${latency})`),
    [`${latency}_sum`]: { sql: `ifNull(sum(${latency}), 0)`, type: 'Float64' },
    [`${latency}_max`]: { sql: `max(${latency})`, type: 'Nullable(Float64)' },
    [`${latency}_state`]: {
      sql: `quantilesTDigestStateIf(0.5)(assumeNotNull(${latency}), isNotNull(${latency}))`,
      type: 'AggregateFunction(quantilesTDigest(0.5), Float64)',
    },
  };
}

/** What retention tells apart, beside the tenant: its rows go with the events that they sum up. */
export const dataClasses = 'data_classes';

/** Columns that tell one row of an hour and a day of arrival from another. */
export const groupColumns = (table: RollupTable): readonly string[] => groups(table, 'status_class');

/** The same as expressions over events, in the same order. */
export const groupExpressions = (table: RollupTable): readonly string[] => groups(table, classColumn);

const groups = ({ keys, hasStatusClass }: RollupTable, status: string) => [
  'tenant',
  ...keys,
  dataClasses,
  ...(hasStatusClass ? [status] : []),
];

/** Rows that count: those of the newest version of their hour and day of arrival. `hours` is a condition on hour and arrived. */
export const newest = ({ name }: RollupTable, hours: string): string => `${hours}
  AND (hour, arrived, version) IN (SELECT hour, arrived, max(version) FROM ${name} WHERE tenant = '' AND ${hours} GROUP BY hour, arrived)`;
