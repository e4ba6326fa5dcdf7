/** Figures against what plain JavaScript makes of the same rows. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { nextMorning, startApi, thatDay, type Answer, type TestApi } from '../../support/api.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { eventRow, writeEvents } from '../../support/events.ts';
import { noteStatements } from '../../support/statements.ts';

let engine: TestEngine;
let database: TestDatabase;
let api: TestApi;
/** Statements over events since the test began. */
let statements: string[];

const day = Date.parse('2026-11-22T00:00:00Z');
const statuses = [200, 301, 401, 404, 429, 500, 503, null];
const outcomes = ['success', 'success', 'auth_failure', 'client_error', 'rate_limited', 'server_error', 'server_error', 'aborted'];
const signals = [[], ['sql-injection'], ['sql-injection', 'credential-in-query']];
const orNull = <Value>(at: number, every: number, value: Value) => (at % every === 0 ? null : value);

const rows = Array.from({ length: 300 }, (_, at) => ({
  at: day + ((at * 7_919_000) % 86_400_000),
  status: statuses[at % 8] ?? null,
  outcome: outcomes[at % 8],
  consumer: ['', 'mobile', 'batch', 'partner', 'mobile', 'mobile', ''][at % 7] ?? '',
  method: ['GET', 'POST', 'PUT'][at % 3],
  address: `10.0.0.${at % 17}`,
  signals: signals[at % 3] ?? [],
  durationMs: orNull(at, 11, ((at * 37) % 400) / 4),
  upstreamMs: orNull(at, 7, (at * 13) % 90),
  requestBytes: orNull(at, 5, at * 3),
  responseBytes: at * 10,
}));
type Event = (typeof rows)[number];

beforeAll(async () => {
  engine = await startEngine();
  database = await freshDatabase(engine);
  const noted = noteStatements(database.clickhouse);
  statements = noted.statements;
  api = await startApi(noted.clickhouse, { clock: nextMorning });
  const stored = rows.map((row) =>
    eventRow({
      timestamp: new Date(row.at).toISOString().replace('T', ' ').replace('Z', ''),
      http_response_status_code: row.status,
      outcome: row.outcome,
      consumer_name: row.consumer,
      http_request_method: row.method,
      client_address: row.address,
      signals: row.signals,
      duration_ms: row.durationMs,
      upstream_duration_ms: row.upstreamMs,
      http_request_size: row.requestBytes,
      http_response_body_size: row.responseBytes,
    }),
  );
  await writeEvents(engine, database.name, stored);
});
beforeEach(() => {
  statements.length = 0;
});
afterAll(async () => {
  api.close();
  await database.close();
  await engine.stop();
});

async function ask(query: string, variables = {}): Promise<Answer> {
  const { data, errors } = await api.ask(query, { variables });
  expect(errors).toBeUndefined();
  return data;
}

/** Without aliases: an operation may have 15. */
const everything = `fragment Everything on MetricValues {
  requests requestsPerSecond clientErrors serverErrors authFailures rateLimited aborted errorRate clientErrorRate
  requestBytes responseBytes consumers clients firstSeenAt lastSeenAt within(ms: 60) distinct(of: SIGNAL)
  latency {...Spread} upstreamLatency {...Spread} gatewayLatency {...Spread}
}
fragment Spread on Quantiles {p50 p90 p95 p99 quantile(level: 0.3) max mean sum samples}`;

const within =
  (ms: number) =>
  ({ durationMs }: Event) =>
    durationMs !== null && durationMs <= ms;

/** `seconds`: how much of the time has passed. */
function oracle(events: readonly Event[], seconds: number) {
  const count = (holds: (event: Event) => boolean) => events.filter(holds).length;
  const sum = (values: readonly (number | null)[]) => values.reduce<number>((total, value) => total + (value ?? 0), 0);
  const distinct = (values: readonly unknown[]) => new Set(values).size;
  const times = events.map(({ at }) => at).toSorted((a, b) => a - b);
  const clientErrors = count(({ status }) => status !== null && status >= 400 && status < 500);
  const serverErrors = count(({ status }) => status !== null && status >= 500);
  const share = (part: number) => (events.length === 0 ? null : part / events.length);
  const instant = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString());
  return {
    requests: events.length,
    requestsPerSecond: expect.closeTo(events.length / seconds, 9),
    clientErrors,
    serverErrors,
    authFailures: count(({ outcome }) => outcome === 'auth_failure'),
    rateLimited: count(({ outcome }) => outcome === 'rate_limited'),
    aborted: count(({ outcome }) => outcome === 'aborted'),
    errorRate: share(serverErrors),
    clientErrorRate: share(clientErrors),
    requestBytes: sum(events.map(({ requestBytes }) => requestBytes)),
    responseBytes: sum(events.map(({ responseBytes }) => responseBytes)),
    consumers: distinct(events.map(({ consumer }) => consumer).filter((name) => name !== '')),
    clients: distinct(events.map(({ address }) => address)),
    firstSeenAt: instant(times[0]),
    lastSeenAt: instant(times.at(-1)),
    within: count(within(60)),
    distinct: distinct(events.flatMap((event) => event.signals)),
    latency: spread(events.map(({ durationMs }) => durationMs)),
    upstreamLatency: spread(events.map(({ upstreamMs }) => upstreamMs)),
    gatewayLatency: spread([]),
  };
}

function spread(values: readonly (number | null)[]) {
  const sorted = values.filter((value) => value !== null).toSorted((a, b) => a - b);
  const exact = (value: number) => (sorted.length === 0 ? null : expect.closeTo(value, 9));
  const quantile = (level: number) => {
    const at = level * (sorted.length - 1);
    const [below = 0, above = below] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
    return exact(below + (above - below) * (at % 1));
  };
  const sum = sorted.reduce((total, value) => total + value, 0);
  return {
    p50: quantile(0.5),
    p90: quantile(0.9),
    p95: quantile(0.95),
    p99: quantile(0.99),
    quantile: quantile(0.3),
    max: exact(sorted.at(-1) ?? 0),
    mean: exact(sum / sorted.length),
    sum: exact(sum),
    samples: sorted.length,
  };
}

const ofConsumer = (name: string) => rows.filter(({ consumer }) => consumer === name);
const daySeconds = 86_400;

test('each figure is what the rows say: of all, of each group, and of the rest', async () => {
  const { metrics, one } = await ask(`{
    metrics(${thatDay}, groupBy: [CONSUMER], limit: 2) {rows {dimensions {value} values {...Everything}} otherRows other {...Everything} total {...Everything}}
    one: metrics(${thatDay}) {rows {values {requests}} otherRows other {requests} total {...Everything}}
  } ${everything}`);
  expect(metrics.rows).toEqual([
    { dimensions: [{ value: 'mobile' }], values: oracle(ofConsumer('mobile'), daySeconds) },
    { dimensions: [{ value: null }], values: oracle(ofConsumer(''), daySeconds) },
  ]);
  expect(metrics.otherRows).toBe(2);
  expect(metrics.other).toEqual(oracle([...ofConsumer('batch'), ...ofConsumer('partner')], daySeconds));
  expect(metrics.total).toEqual(oracle(rows, daySeconds));
  expect(one).toEqual({ rows: [{ values: { requests: 300 } }], otherRows: 0, other: null, total: oracle(rows, daySeconds) });
});

test('each figure of a series is what the rows of its interval say, and those of its total what all rows say', async () => {
  const { timeSeries } = await ask(`{
    timeSeries(${thatDay}, interval: "PT8H", groupBy: [CONSUMER], limit: 1) {
      series {dimensions {value} total {...Everything} points {at values {...Everything}}}
      other {total {requests} points {at values {...Everything}}}
    }
  } ${everything}`);
  const hours = 3_600_000;
  const pointsOf = (events: readonly Event[]) =>
    [day, day + 8 * hours, day + 16 * hours].map((from) => ({
      at: new Date(from).toISOString(),
      values: oracle(
        events.filter(({ at }) => at >= from && at < from + 8 * hours),
        8 * 3_600,
      ),
    }));
  const mobile = ofConsumer('mobile');
  const rest = rows.filter((event) => !mobile.includes(event));
  expect(timeSeries.series).toEqual([{ dimensions: [{ value: 'mobile' }], total: oracle(mobile, daySeconds), points: pointsOf(mobile) }]);
  expect(timeSeries.other).toEqual({ total: { requests: rest.length }, points: pointsOf(rest) });
});

test('a day has 1,440 minutes, each with its own events', async () => {
  const { timeSeries } = await ask(`{timeSeries(${thatDay}, interval: "PT1M") {series {points {at values {requests}}}}}`);
  const minutes = Array.from({ length: 1_440 }, (_, at) => day + at * 60_000);
  expect(timeSeries.series[0].points).toEqual(
    minutes.map((from) => ({
      at: new Date(from).toISOString(),
      values: { requests: rows.filter(({ at }) => at >= from && at < from + 60_000).length },
    })),
  );
});

test('days of a zone hold the events between its midnights', async () => {
  const range = 'range: {absolute: {from: "2026-11-21T12:00:00Z", to: "2026-11-23T00:00:00Z"}}';
  const { timeSeries } = await ask(
    `{timeSeries(${range}, interval: "P1D", timeZone: "America/New_York") {series {points {at values {requests}}}}}`,
  );
  const midnight = Date.parse('2026-11-22T05:00:00Z');
  const before = rows.filter(({ at }) => at < midnight).length;
  expect(timeSeries.series[0].points).toEqual([
    { at: '2026-11-21T05:00:00.000Z', values: { requests: before } },
    { at: '2026-11-22T05:00:00.000Z', values: { requests: rows.length - before } },
  ]);
});

test('figures with arguments stand side by side by alias', async () => {
  const { metrics } = await ask(`{metrics(${thatDay}) {total {
    requests soon: within(ms: 2.5) late: within(ms: 60) distinct(of: METHOD) signals: distinct(of: SIGNAL) none: distinct(of: LIFECYCLE)
    latency {least: quantile(level: 0) most: quantile(level: 1) max}
  }}}`);
  const durations = rows.map(({ durationMs }) => durationMs).filter((ms) => ms !== null);
  const [least, most] = [Math.min(...durations), Math.max(...durations)];
  const counts = { requests: 300, soon: rows.filter(within(2.5)).length, late: rows.filter(within(60)).length };
  expect(metrics.total).toEqual({ ...counts, distinct: 3, signals: 2, none: 0, latency: { least, most, max: most } });
});

/** Counters alone would come from rows that have them all; no row of counters has the method. */
const overEvents = `${thatDay}, filter: {method: {exists: true}}`;
const costly = /quantile|uniq|countIf|sum\(|avg\(|max\(|min\(/;

test('a figure that is not asked for is not computed', async () => {
  await ask(`{metrics(${overEvents}) {total {requests}}}`);
  await ask(`{timeSeries(${overEvents}, interval: "PT1H") {series {points {at values {requests requestsPerSecond}}}}}`);
  expect(statements).toHaveLength(2);
  for (const sql of statements) expect(sql).not.toMatch(costly);
});

test('quantiles of one latency are one call with the levels that are asked for, wherever they are asked for', async () => {
  await ask(`{timeSeries(${thatDay}, interval: "PT1H") {series {points {values {
    latency {p50 p95 p50again: p50} latency {third: quantile(level: 0.3)} upstreamLatency {max}
  }}}}}`);
  expect(statements).toHaveLength(1);
  expect(statements[0]?.match(/quantiles?\([^)]*\)\(\w+\)/g)).toEqual(['quantiles(0.5, 0.95, 0.3)(duration_ms)']);
});

test('what is asked for at one place is not computed for another', async () => {
  await ask(`{metrics(${thatDay}, groupBy: [METHOD]) {rows {values {requests}} other {latency {p99}} total {clients}}}`);
  const ofPlace = (name: string) => statements.find((sql) => sql.includes(name)) ?? '';
  expect(statements).toHaveLength(3);
  expect(ofPlace('ORDER BY')).not.toMatch(costly);
  expect(ofPlace('quantiles(0.99)(duration_ms)')).not.toContain('client_address');
  expect(ofPlace('uniq(client_address)')).not.toContain('quantile');
});

test('a part that is not asked for has no statement', async () => {
  await ask(`{metrics(${thatDay}, groupBy: [METHOD]) {rows {dimensions {value}}}}`);
  expect(statements).toHaveLength(1);
  await ask(`{timeSeries(${thatDay}, interval: "PT1H") {series {points {at} total {__typename}}}}`);
  expect(statements).toHaveLength(1);
});

test('skipped figures are not computed, those behind aliases and fragments are', async () => {
  const query = `query($yes: Boolean!, $no: Boolean!) {
    first: metrics(${overEvents}) {total {...Errors @include(if: $no) ... on MetricValues @skip(if: $yes) {latency {p99}} clients @include(if: $no) calls: requests}}
    second: metrics(${overEvents}) {all: total {...Errors @skip(if: $no) latency @include(if: $yes) {half: p50 p99 @skip(if: $yes)}}}
  }
  fragment Errors on MetricValues {failed: serverErrors ...Rate}
  fragment Rate on MetricValues {errorRate}`;
  const { first, second } = await ask(query, { yes: true, no: false });
  expect(first).toEqual({ total: { calls: 300 } });
  expect(second.all).toEqual({ failed: 74, errorRate: 74 / 300, latency: { half: oracle(rows, 1).latency.p50 } });
  expect(statements).toHaveLength(2);
  expect(statements.filter((sql) => costly.test(sql))).toHaveLength(1);
  expect(statements.find((sql) => costly.test(sql))).toContain('quantiles(0.5)(duration_ms)');
});

/** The figure behind each field of an order, as the oracle names it. */
const orders: Record<string, (events: readonly Event[]) => unknown> = {
  CLIENT_ERROR_RATE: (events) => oracle(events, 1).clientErrorRate,
  ERROR_RATE: (events) => oracle(events, 1).errorRate,
  P90: (events) => oracle(events, 1).latency.p90?.sample,
  MEAN: (events) => oracle(events, 1).latency.mean?.sample,
  UPSTREAM_P95: (events) => oracle(events, 1).upstreamLatency.p95?.sample,
  UPSTREAM_SUM: (events) => oracle(events, 1).upstreamLatency.sum?.sample,
  RESPONSE_BYTES: (events) => oracle(events, 1).responseBytes,
  FIRST_SEEN: (events) => Date.parse(String(oracle(events, 1).firstSeenAt)),
};

test.each(Object.entries(orders))('groups stand in the order of %s without asking for it', async (by, figure) => {
  const { up, down } = await ask(`{
    up: metrics(${thatDay}, groupBy: [CLIENT_ADDRESS], orderBy: {by: ${by}, direction: ASC}) {rows {dimensions {value}}}
    down: metrics(${thatDay}, groupBy: [CLIENT_ADDRESS], orderBy: {by: ${by}}) {rows {dimensions {value}}}
  }`);
  const figures = ({ rows: groups }: Answer) =>
    groups.map(({ dimensions }: Answer) => figure(rows.filter(({ address }) => address === dimensions[0].value)));
  const sorted = figures(up).toSorted((a: number, b: number) => a - b);
  expect(new Set(sorted).size).toBeGreaterThan(4);
  expect(figures(up)).toEqual(sorted);
  expect(figures(down)).toEqual(sorted.toReversed());
});

test('a level beyond 0 and 1 is refused by its value', async () => {
  const { errors } = await api.ask(`{metrics(${thatDay}) {total {latency {quantile(level: 1.5)}}}}`);
  expect(errors[0]).toMatchObject({ message: 'level is between 0 and 1, got 1.5', extensions: { code: 'BAD_USER_INPUT' } });
});
