/** Whatever rows an answer is made from, it is the answer of the events. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nextMorning, startApi, testClosedReader, type Answer, type TestApi } from '../../support/api.ts';
import { writeBatch } from '../../support/batches.ts';
import { campaign, seeded } from '../../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { sqlText } from '../../support/sql.ts';
import { noteStatements } from '../../support/statements.ts';
import { rollUp } from '../../../storage/rollups.ts';

const { sizes, seed, report } = campaign('rollup-answers', { events: 3_000, questions: 40 }, { events: 200_000, questions: 1_500 });
const random = seeded(seed);
const below = (bound: number) => Math.floor(random() * bound);
const one = <Value>(values: readonly Value[]): Value => values[below(values.length)] as Value; // never empty

const first = Date.parse('2026-11-19T00:00:00Z');
const hour = 3_600_000;
const span = 4 * 24 * hour;

interface Event {
  readonly at: number;
  readonly tenant: string;
  readonly route: string;
  readonly routeName: string;
  readonly api: string;
  readonly consumer: string;
  readonly status: number | null;
  readonly outcome: string;
  readonly bytes: number | null;
  readonly ms: number | null;
}

const eventAt = (at: number): Event => ({
  at,
  tenant: one(['acme', 'globex', 'initech']),
  route: one(['', '/orders', '/users', '/users/{id}']),
  routeName: one(['', 'orders', 'x']),
  api: one(['', 'shop', 'billing']),
  consumer: one(['', 'mobile', 'batch', 'partner']),
  status: one([200, 204, 302, 401, 404, 429, 500, 503, 99, null]),
  outcome: one(['success', 'auth_failure', 'rate_limited', 'aborted']),
  bytes: one([null, 10, 2_000]),
  ms: one([null, 1, 40.5, 900]),
});

let engine: TestEngine;
let database: TestDatabase;
let api: TestApi;
let statements: string[];
let events: Event[] = [];

beforeAll(async () => {
  engine = await startEngine();
  database = await freshDatabase(engine);
  const noted = noteStatements(database.clickhouse);
  statements = noted.statements;
  api = await startApi(noted.clickhouse, { clock: nextMorning });
  const batch = (count: number, from: number, length: number) => Array.from({ length: count }, () => eventAt(from + below(length)));
  const write = async (some: Event[], offset: number, only?: 'claim' | 'events') => {
    await writeBatch(engine, database.name, { first: offset, events: some.map(rowOf) }, { ...(only && { only }) });
    events = [...events, ...some];
  };
  await write(batch(sizes.events, first, span), 0);
  await rollUp({ clickhouse: database.clickhouse, closed: testClosedReader(database.clickhouse, nextMorning) });
  // Late ones that the job has not come to.
  await write(batch(40, first + 30 * hour, 3 * hour), sizes.events);
});
afterAll(async () => {
  api?.close();
  await database?.close();
  await engine?.stop();
});

const rowOf = (event: Event) => ({
  timestamp: new Date(event.at).toISOString().replace('T', ' ').replace('Z', ''),
  tenant: event.tenant,
  http_route: event.route,
  gateway_route_name: event.routeName,
  api_name: event.api,
  consumer_name: event.consumer,
  http_response_status_code: event.status,
  outcome: event.outcome,
  http_request_size: event.bytes,
  duration_ms: event.ms,
});

const statusClass = ({ status }: Event) => (status === null ? null : `${Math.floor(status / 100)}xx`);
const dimensions: Readonly<Record<string, (event: Event) => string | null>> = {
  TENANT: ({ tenant }) => tenant,
  ROUTE: ({ route, routeName }) => route || routeName || null,
  API: ({ api: name }) => name || null,
  CONSUMER: ({ consumer }) => consumer || null,
  STATUS_CLASS: statusClass,
  STATUS: ({ status }) => (status === null ? null : String(status)),
  METHOD: () => 'GET',
};

const filters: readonly (readonly [object, (event: Event) => boolean])[] = [
  [{}, () => true],
  [{ tenant: { in: ['acme', 'globex'] } }, ({ tenant }) => tenant !== 'initech'],
  [{ route: { eq: '/orders' } }, ({ route, routeName }) => [route, routeName].includes('/orders')],
  [{ route: { exists: false } }, ({ route, routeName }) => route === '' && routeName === ''],
  [{ not: { route: { startsWith: '/users' } } }, ({ route }) => !route.startsWith('/users')],
  [{ status: { gte: 500 } }, ({ status }) => status !== null && status >= 500],
  [{ status: { gte: 400, lt: 500 } }, ({ status }) => status !== null && status >= 400 && status < 500],
  [{ status: { gte: 402 } }, ({ status }) => status !== null && status >= 402],
  [{ status: { exists: false } }, ({ status }) => status === null],
  [{ consumer: { eq: 'mobile' } }, ({ consumer }) => consumer === 'mobile'],
  [
    { or: [{ api: { eq: 'shop' } }, { status: { lt: 300 } }] },
    ({ api: name, status }) => name === 'shop' || (status !== null && status < 300),
  ],
  [{ search: 'api:shop' }, ({ api: name }) => name === 'shop'],
  [{ durationMs: { gte: 40 } }, ({ ms }) => ms !== null && ms >= 40],
];

const counters = 'requests clientErrors serverErrors authFailures rateLimited aborted requestBytes responseBytes';
const withLatency = `${counters} firstSeenAt lastSeenAt latency {max samples sum}`;

function oracle(some: readonly Event[], isWhole: boolean) {
  const count = (holds: (event: Event) => boolean) => some.filter(holds).length;
  const times = some.map(({ at }) => at).toSorted((a, b) => a - b);
  const spent = some.flatMap(({ ms }) => (ms === null ? [] : [ms]));
  const iso = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString());
  return {
    requests: some.length,
    clientErrors: count((event) => statusClass(event) === '4xx'),
    serverErrors: count((event) => statusClass(event) === '5xx'),
    authFailures: count(({ outcome }) => outcome === 'auth_failure'),
    rateLimited: count(({ outcome }) => outcome === 'rate_limited'),
    aborted: count(({ outcome }) => outcome === 'aborted'),
    requestBytes: some.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0),
    responseBytes: 0,
    ...(isWhole && {
      firstSeenAt: iso(times[0]),
      lastSeenAt: iso(times.at(-1)),
      latency: {
        max: spent.length === 0 ? null : spent.reduce((most, ms) => Math.max(most, ms)),
        samples: spent.length,
        sum:
          spent.length === 0
            ? null
            : expect.closeTo(
                spent.reduce((sum, ms) => sum + ms, 0),
                6,
              ),
      },
    }),
  };
}

interface Question {
  readonly range: { readonly from: number; readonly to: number };
  readonly filter: (typeof filters)[number];
  readonly groupBy: readonly string[];
  readonly interval: number | null;
  readonly figures: string;
}

function question(): Question {
  const unit = one([1, 1_000, 60_000, hour]);
  const from = Math.floor((first + below(span * 0.7)) / unit) * unit;
  const to = Math.floor((from + 60_000 + below(one([hour, 10 * hour, span]))) / unit) * unit + unit;
  const groupBy = one([[], [], ['TENANT'], ['ROUTE'], ['API', 'STATUS_CLASS'], ['TENANT', 'ROUTE'], ['CONSUMER'], ['STATUS'], ['METHOD']]);
  return {
    range: { from, to },
    filter: one([...filters, ...filters.slice(0, 1), ...filters.slice(0, 5), ...filters.slice(0, 1)]),
    groupBy,
    interval: one([null, null, 60_000, 900_000, hour, 6 * hour]),
    figures: one([counters, withLatency]),
  };
}

const keyOf = (groupBy: readonly string[]) => (event: Event) => JSON.stringify(groupBy.map((name) => dimensions[name]?.(event) ?? null));
const keyIn = (row: Answer) => JSON.stringify(row.dimensions.map(({ value }: { value: string | null }) => value));

function groupedBy<Key>(some: readonly Event[], keyOfEvent: (event: Event) => Key): Map<Key, Event[]> {
  const groups = new Map<Key, Event[]>();
  for (const event of some) {
    const key = keyOfEvent(event);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [event]);
    else group.push(event);
  }
  return groups;
}

async function ask(query: string, variables: object, key = 'root'): Promise<Answer> {
  const { data, errors } = await api.ask(query, { variables, key });
  expect(errors, JSON.stringify(api.faults)).toBeUndefined();
  return data;
}
const rangeOf = ({ from, to }: Question['range']) => ({ absolute: { from: new Date(from).toISOString(), to: new Date(to).toISOString() } });

const declared = '$range: TimeRange!, $filter: AuditEventFilter, $groupBy: [Dimension!]';
const passed = 'range: $range, filter: $filter, groupBy: $groupBy';

/** Compares one answer with the oracle's; gives which rows it was made from. */
async function check({ range, filter: [filter, holds], groupBy, interval, figures }: Question): Promise<string> {
  const isWhole = figures !== counters;
  const within = events.filter((event) => event.at >= range.from && event.at < range.to && holds(event));
  const groups = groupedBy(within, keyOf(groupBy));
  const variables = { range: rangeOf(range), filter, groupBy };
  if (interval === null) {
    const query = `query(${declared}) {metrics(${passed}, limit: 100) {source total {${figures}} rows {dimensions {value} values {${figures}}}}}`;
    const { metrics } = await ask(query, variables);
    expect(metrics.total).toEqual(oracle(within, isWhole));
    if (groupBy.length > 0) {
      expect(new Set(metrics.rows.map(keyIn))).toEqual(new Set(groups.keys()));
      for (const row of metrics.rows) expect(row.values).toEqual(oracle(groups.get(keyIn(row)) ?? [], isWhole));
    }
    return metrics.source;
  }
  const step = Math.ceil((range.to - range.from) / interval) > 300 ? 6 * hour : interval;
  const query = `query(${declared}, $interval: Duration) {
    timeSeries(${passed}, limit: 100, interval: $interval) {source series {dimensions {value} total {requests} points {at values {${figures}}}}}
  }`;
  const { timeSeries } = await ask(query, { ...variables, interval: `PT${step / 1000}S` });
  for (const series of timeSeries.series) {
    const ofGroup = groupBy.length === 0 ? within : (groups.get(keyIn(series)) ?? []);
    expect(series.total.requests).toBe(ofGroup.length);
    const byPoint = groupedBy(ofGroup, ({ at }) => Math.floor(at / step) * step);
    for (const point of series.points) expect(point.values).toEqual(oracle(byPoint.get(Date.parse(point.at)) ?? [], isWhole));
  }
  return timeSeries.source;
}

test('counters of any range, filter, group and interval are those of the events, from hours, minutes and events alike', async () => {
  const sources: Record<string, number> = {};
  for (let asked = 0; asked < sizes.questions; asked += 1) {
    const each = question();
    const source = await check(each).catch((error: unknown) => {
      throw new Error(`${JSON.stringify({ ...each, filter: each.filter[0] })}: ${String(error)}`, { cause: error });
    });
    sources[source] = (sources[source] ?? 0) + 1;
  }
  report({ sources });
  expect(Object.keys(sources).toSorted()).toEqual(['EVENTS', 'HOURS', 'MINUTES']);
});

const wholeDays = { from: first, to: first + span };
const sourceOf = async (figures: string, groupBy: string[] = [], range = wholeDays) =>
  (await ask(`query(${declared}) {metrics(${passed}) {source total {${figures}}}}`, { range: rangeOf(range), groupBy })).metrics.source;

test('the answer says which rows it was made from', async () => {
  expect(await sourceOf('requests')).toBe('HOURS');
  expect(await sourceOf('requests', ['CONSUMER'])).toBe('HOURS');
  expect(await sourceOf('requests', ['CONSUMER', 'ROUTE'])).toBe('EVENTS');
  expect(await sourceOf('requests consumers')).toBe('EVENTS');
  expect(await sourceOf('requests', [], { from: first + 1, to: first + hour })).toBe('MINUTES');
  expect(await sourceOf('requests', [], { from: first + 1, to: first + 60_000 })).toBe('EVENTS');
  // Of few events quantiles are exact.
  expect(await sourceOf('latency {p95}')).toBe('EVENTS');
});

test('a range may begin with time itself, whatever its answer is made from', async () => {
  const range = rangeOf({ from: 0, to: first + span });
  const query = `query(${declared}) {
    metrics(${passed}) {source total {requests}}
    timeSeries(${passed}, interval: "P1M", timeZone: "Asia/Kolkata") {source series {total {requests}}}
  }`;
  const total = { requests: events.length };
  expect(await ask(query, { range })).toEqual({
    metrics: { source: 'HOURS', total },
    timeSeries: { source: 'MINUTES', series: [{ total }] },
  });
});

test('a key sees the hours and minutes of its tenants alone', async () => {
  const key = await api.makeKey(['acme']);
  for (const range of [wholeDays, { from: first + 1, to: first + 2 * hour }]) {
    const query = `query(${declared}) {metrics(${passed}) {source total {requests} rows {dimensions {value}}} facets(range: $range, dimensions: [TENANT]) {values {value count}}}`;
    const { metrics, facets } = await ask(query, { range: rangeOf(range), groupBy: ['TENANT'] }, key);
    const own = events.filter(({ tenant, at }) => tenant === 'acme' && at >= range.from && at < range.to);
    expect(metrics.source).not.toBe('EVENTS');
    expect(metrics.total.requests).toBe(own.length);
    expect(metrics.rows.map(keyIn)).toEqual(['["acme"]']);
    expect(facets[0].values).toEqual([{ value: 'acme', count: own.length }]);
  }
});

test('minutes are read from the projection, the rest of the range from events', async () => {
  statements.length = 0;
  expect(await sourceOf('requests', ['ROUTE'], { from: first + 1, to: first + hour })).toBe('MINUTES');
  const [statement = ''] = statements;
  const plan = await sqlText(engine, `EXPLAIN ${statement.replaceAll(/\{\w+:[^}]*\}/g, "['acme']")}`, database.name);
  expect(plan).toMatch(/ReadFromMergeTree \(by_minute\)[\s\S]*ReadFromMergeTree \(\S+\.events\)/);
});
