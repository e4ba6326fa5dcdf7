/**
 * Judges projection and rollups by plain SQL against the events. Imports nothing of the product: what a minute and an hour
 * must say is written down here once more.
 */
import { sqlRows, type SqlServer } from './sql.ts';

export interface RollupVerdict {
  /** Minutes of a group and hours of a group that the events have and that were compared; 0 hours before the job ran. */
  readonly minutes: number;
  readonly hours: number;
  /** One text for each that differs; must be empty once the job has come to the end of the ledger. */
  readonly drift: readonly string[];
}

const figures = `count() AS n, countIf(outcome = 'auth_failure') AS auth, countIf(outcome = 'rate_limited') AS limited, countIf(outcome = 'aborted') AS aborted,
  ifNull(sum(coalesce(http_request_size, http_request_body_size)), 0) AS bytes_in, ifNull(sum(coalesce(http_response_size, http_response_body_size)), 0) AS bytes_out`;
const route = 'http_route, gateway_route_name, gateway_route_id';

/** The same statement, read from the projection and from the rows. */
const minutes = (
  setting: string,
) => `SELECT tenant, toStartOfMinute(timestamp) AS at, ${route}, intDiv(http_response_status_code, 100) AS class, ${figures}
FROM events
GROUP BY tenant, at, ${route}, class
ORDER BY tenant, at, ${route}, class
SETTINGS ${setting}`;

const ofHours = `tenant, toStartOfHour(timestamp) AS hour, toDate(received_at) AS arrived`;
const errors = 'countIf(intDiv(http_response_status_code, 100) = 4) AS c4, countIf(intDiv(http_response_status_code, 100) = 5) AS c5';
const stored = `requests AS n, client_errors AS c4, server_errors AS c5, auth_failures AS auth, rate_limited AS limited, aborted, request_bytes AS bytes_in,
  response_bytes AS bytes_out, toString(first_seen) AS first, toString(last_seen) AS last`;
const seen = 'toString(min(timestamp)) AS first, toString(max(timestamp)) AS last';
const kept = 'toDate(received_at) >= (SELECT toDate(max(floor)) FROM retention_floor)';

const hours = [
  {
    table: 'rollup_hour',
    raw: `SELECT ${ofHours}, api_name, api_id, api_version, ${route}, ifNull(intDiv(http_response_status_code, 100), 999) AS class,
  ${figures}, ${errors}, ${seen}, count(duration_ms) AS samples, max(duration_ms) AS slowest, round(ifNull(sum(duration_ms), 0), 2) AS spent
FROM events
WHERE tenant != '' AND ${kept}
GROUP BY ALL`,
    made: `SELECT tenant, hour, arrived, api_name, api_id, api_version, ${route}, status_class AS class, ${stored}, duration_ms_samples AS samples, duration_ms_max AS slowest, round(duration_ms_sum, 2) AS spent`,
  },
  {
    table: 'rollup_consumer_hour',
    raw: `SELECT ${ofHours}, consumer_name, consumer_id, ${figures}, ${errors}, ${seen}
FROM events
WHERE tenant != '' AND ${kept}
GROUP BY ALL`,
    made: `SELECT tenant, hour, arrived, consumer_name, consumer_id, ${stored}`,
  },
];

type Row = Readonly<Record<string, unknown>>;

export async function rollupDrift(server: SqlServer, database: string): Promise<RollupVerdict> {
  const ask = (statement: string) => sqlRows<Row>(server, statement, database);
  const raw = await ask(minutes('optimize_use_projections = 0'));
  const drift = compare('by_minute', raw, raw.length === 0 ? [] : await ask(minutes('force_optimize_projection = 1')));
  let compared = 0;
  for (const { table, raw: fromEvents, made } of hours) {
    const of = `FROM ${table} FINAL`;
    const counts = `(hour, arrived, version) IN (SELECT hour, arrived, max(version) FROM ${table} GROUP BY hour, arrived)`;
    const rows = await ask(`${made} ${of} WHERE tenant != '' AND ${counts} AND ${kept.replace('toDate(received_at)', 'arrived')}`);
    drift.push(...compare(table, await ask(fromEvents), rows));
    compared += rows.length;
  }
  return { minutes: raw.length, hours: compared, drift };
}

function compare(what: string, events: readonly Row[], rows: readonly Row[]): string[] {
  const texts = (list: readonly Row[]) =>
    new Set(list.map((row) => JSON.stringify(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)))));
  const [wanted, got] = [texts(events), texts(rows)];
  const twice = rows.length === got.size ? [] : [`${what}: rows stand twice`];
  const missing = [...wanted].filter((text) => !got.has(text)).map((text) => `${what}: missing ${text}`);
  const foreign = [...got].filter((text) => !wanted.has(text)).map((text) => `${what}: not in the events ${text}`);
  return [...twice, ...missing, ...foreign];
}
