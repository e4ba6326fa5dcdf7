/** The columns that each MetricField orders groups by. */
import type { MetricField } from '../schemas/api.ts';
import { quantile, reference, type Column } from './columns.ts';
import { columns } from './figures.ts';
import { overAll } from './quantiles.ts';

const share = (part: Column) => [part, columns.requests];

const orders: Readonly<Record<MetricField, readonly Column[]>> = {
  REQUESTS: [columns.requests],
  CLIENT_ERRORS: [columns.clientErrors],
  CLIENT_ERROR_RATE: share(columns.clientErrors),
  SERVER_ERRORS: [columns.serverErrors],
  ERROR_RATE: share(columns.serverErrors),
  AUTH_FAILURES: [columns.authFailures],
  RATE_LIMITED: [columns.rateLimited],
  ABORTED: [columns.aborted],
  P50: [quantile('duration_ms', 0.5)],
  P90: [quantile('duration_ms', 0.9)],
  P95: [quantile('duration_ms', 0.95)],
  P99: [quantile('duration_ms', 0.99)],
  MEAN: [overAll('avg', 'duration_ms')],
  MAX: [overAll('max', 'duration_ms')],
  UPSTREAM_P95: [quantile('upstream_duration_ms', 0.95)],
  GATEWAY_P95: [quantile('gateway_duration_ms', 0.95)],
  UPSTREAM_SUM: [overAll('sum', 'upstream_duration_ms')],
  REQUEST_BYTES: [columns.requestBytes],
  RESPONSE_BYTES: [columns.responseBytes],
  CONSUMERS: [columns.consumers],
  CLIENTS: [columns.clients],
  FIRST_SEEN: [columns.firstSeenAt],
  LAST_SEEN: [columns.lastSeenAt],
};

/** Columns that a statement needs for the order, and the expression over them: two are a share of the first in the second. */
export function orderBy(field: MetricField): { readonly columns: readonly Column[]; readonly sql: string } {
  return { columns: orders[field], sql: orders[field].map(reference).join(' / ') };
}
