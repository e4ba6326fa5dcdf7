/**
 * The figures of MetricValues, those of Quantiles beside. Each entry says which columns a statement needs for it and how
 * its value is read from a row, so a statement computes what is asked for and nothing else.
 */
import type { Asked } from './asked.ts';
import { column, countIn, valueIn, type Column, type Counting, type Row } from './columns.ts';
import { dimensionExpression, dimensionList } from './dimensions.ts';
import { latencies, quantileFigures } from './quantiles.ts';

/** What the figures of one place are read from: a row, empty where nothing was found, and how much of its time has passed. */
export interface Values {
  readonly row: Row;
  readonly seconds: number;
}

interface Figure<Value> {
  readonly columns: (args: Asked['args']) => readonly Column[];
  readonly value: (values: Values, args: Asked['args']) => Value;
}

const statusClass = 'intDiv(http_response_status_code, 100)';
const eventsWhere = (name: string, condition: string) => column(name, `countIf(${condition})`);
const summed = (of: string): Counting => ({ sql: `sum(${of})`, kind: 'counter' });
/** A column that is a counter of the rollups too. */
const counter = (name: string, sql: string, of: string) => column(name, sql, summed(of));
const counterWhere = (name: string, condition: string, of: string) => counter(name, `countIf(${condition})`, of);
const time = (name: string, aggregate: string, of: string) =>
  column(name, `if(count() = 0, NULL, toUnixTimestamp64Milli(${aggregate}(timestamp)))`, {
    sql: `if(sum(requests) = 0, NULL, toUnixTimestamp64Milli(${aggregate}(${of})))`,
    kind: 'time',
  });

/** Those by which a table can be ordered too. */
export const columns = {
  requests: counter('requests', 'count()', 'requests'),
  clientErrors: counterWhere('clientErrors', `${statusClass} = 4`, 'client_errors'),
  serverErrors: counterWhere('serverErrors', `${statusClass} = 5`, 'server_errors'),
  authFailures: counterWhere('authFailures', "outcome = 'auth_failure'", 'auth_failures'),
  rateLimited: counterWhere('rateLimited', "outcome = 'rate_limited'", 'rate_limited'),
  aborted: counterWhere('aborted', "outcome = 'aborted'", 'aborted'),
  requestBytes: counter('requestBytes', 'ifNull(sum(coalesce(http_request_size, http_request_body_size)), 0)', 'request_bytes'),
  responseBytes: counter('responseBytes', 'ifNull(sum(coalesce(http_response_size, http_response_body_size)), 0)', 'response_bytes'),
  consumers: column('consumers', "uniq(coalesce(nullIf(consumer_name, ''), nullIf(consumer_id, '')))"),
  clients: column('clients', 'uniq(client_address)'),
  firstSeenAt: time('firstSeenAt', 'min', 'first_seen'),
  lastSeenAt: time('lastSeenAt', 'max', 'last_seen'),
};

const within = (ms: unknown) => eventsWhere(`within_${Number(ms)}`, `duration_ms <= ${Number(ms)}`);
const distinct = (dimension: unknown) => column(`distinct_${dimension}`, distinctSql(String(dimension)));
/** One event can have several values: taken apart it would stand in several rows, which all other figures would count. */
function distinctSql(dimension: string): string {
  const list = dimensionList(dimension);
  return list === undefined ? `uniq(${dimensionExpression(dimension)})` : `uniqArray(${list})`;
}

const counted = (of: Column): Figure<number> => ({ columns: () => [of], value: ({ row }) => countIn(row, of) });
const instant = (of: Column): Figure<number | null> => ({ columns: () => [of], value: ({ row }) => valueIn(row, of) });
const share = (part: Column): Figure<number | null> => ({
  columns: () => [part, columns.requests],
  value: ({ row }) => (countIn(row, columns.requests) === 0 ? null : countIn(row, part) / countIn(row, columns.requests)),
});

export const figures = {
  requests: counted(columns.requests),
  requestsPerSecond: { columns: () => [columns.requests], value: ({ row, seconds }) => countIn(row, columns.requests) / seconds },
  clientErrors: counted(columns.clientErrors),
  serverErrors: counted(columns.serverErrors),
  authFailures: counted(columns.authFailures),
  rateLimited: counted(columns.rateLimited),
  aborted: counted(columns.aborted),
  errorRate: share(columns.serverErrors),
  clientErrorRate: share(columns.clientErrors),
  within: { columns: ({ ms }) => [within(ms)], value: ({ row }, { ms }) => countIn(row, within(ms)) },
  requestBytes: counted(columns.requestBytes),
  responseBytes: counted(columns.responseBytes),
  consumers: counted(columns.consumers),
  clients: counted(columns.clients),
  distinct: { columns: ({ of }) => [distinct(of)], value: ({ row }, { of }) => countIn(row, distinct(of)) },
  firstSeenAt: instant(columns.firstSeenAt),
  lastSeenAt: instant(columns.lastSeenAt),
} satisfies Record<string, Figure<number | null>>;

/** Columns of a statement for these fields of MetricValues. */
export function columnsFor(asked: readonly Asked[]): readonly Column[] {
  return asked.flatMap(({ name, args, below }) => {
    if (!isOf(latencies, name)) return isOf(figures, name) ? figures[name].columns(args) : [];
    return below.flatMap((one) => (isOf(quantileFigures, one.name) ? [quantileFigures[one.name].column(latencies[name], one.args)] : []));
  });
}

const isOf = <Table extends object>(table: Table, name: string | number | symbol): name is keyof Table => Object.hasOwn(table, name);
