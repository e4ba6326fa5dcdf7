/** Whoever sees one tenant must get, for every question, what they would get if no other tenant existed. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nextMorning, startApi, thatDay, type TestApi } from '../../support/api.ts';
import { campaign } from '../../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { claimRow, eventRow, writeClaims, writeEvents } from '../../support/events.ts';

/** Questions that find something. */
const { seed, sizes, report } = campaign('tenants', { questions: 60 }, { questions: 1000 });
let engine: TestEngine;
const databases: TestDatabase[] = [];
const apis: { api: TestApi; key: string }[] = [];

const methods = ['GET', 'POST', 'DELETE'];
const consumers = ['', 'mobile', 'batch', 'partner'];
const statuses = [200, 201, 401, 404, 429, 500];

function traffic() {
  return Array.from({ length: 120 }, (_, at) => {
    const tenant = at % 3 === 0 ? 'globex' : 'acme';
    return eventRow({
      tenant,
      kafka_offset: at,
      batch_events: 120,
      timestamp: `2026-11-22 ${String(8 + (at % 5)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}:00.000`,
      http_request_method: methods[at % 3],
      // Some values are common to both, some stand in one alone.
      url_path: `/${['orders', 'users', tenant][at % 3]}/${at % 7}`,
      consumer_name: consumers[(at * 5) % 4],
      http_response_status_code: statuses[(at * 7) % 6],
      client_address: `10.0.${at % 4}.${at % 9}`,
      duration_ms: (at * 37) % 400,
      request_id: `${tenant}-${at}`,
    });
  });
}

beforeAll(async () => {
  engine = await startEngine();
  const all = traffic();
  const batches = [all, all.filter(({ tenant }) => tenant === 'acme')];
  for (const rows of batches) {
    const database = await freshDatabase(engine);
    await writeEvents(engine, database.name, rows);
    await writeClaims(engine, database.name, [
      claimRow({ first_offset: 0, last_offset: 119 }),
      claimRow({ first_offset: 120, last_offset: 120, records: 1, events: 0, skipped: 1 }),
    ]);
    // Entries of the access log are another test's: here they would only cost time.
    const api = await startApi(database.clickhouse, { clock: nextMorning, accessLog: { write: async () => {} } });
    databases.push(database);
    apis.push({ api, key: await api.makeKey(['acme']) });
  }
});
afterAll(async () => {
  for (const { api } of apis) api.close();
  for (const database of databases) await database.close();
  await engine.stop();
});

const text = (values: readonly string[]) =>
  fc.oneof(
    fc.record({ eq: fc.constantFrom(...values) }),
    fc.record({ ne: fc.constantFrom(...values) }),
    fc.record({ in: fc.subarray([...values]) }),
    fc.record({ notIn: fc.subarray([...values]) }),
    fc.record({ contains: fc.constantFrom('o', 'E', '1', '') }),
    fc.record({ exists: fc.boolean() }),
  );
const leaf = fc.oneof(
  fc.record({ tenant: text(['acme', 'globex']) }),
  fc.record({ method: text(methods) }),
  fc.record({ consumer: text(consumers.filter((name) => name !== '')) }),
  fc.record({ path: text(['/orders/0', '/users/1', '/globex/2', '/acme/2']) }),
  fc.record({ requestId: text(['globex-0', 'acme-1', 'globex-3']) }),
  fc.record({ status: fc.record({ gte: fc.constantFrom(...statuses) }) }),
  fc.record({ durationMs: fc.record({ lt: fc.constantFrom(50, 200, 399) }) }),
  fc.record({ clientAddress: fc.record({ in: fc.constantFrom(['10.0.1.0/24'], ['10.0.0.0/8'], ['192.0.2.1']) }) }),
  fc.record({ search: fc.constantFrom('tenant:globex', '-tenant:acme', 'status:>=400 path:/*', 'globex', 'orders') }),
);
const { filter } = fc.letrec<{ filter: object }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.record({ not: tie('filter') }),
    fc.record({ and: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ or: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
  ),
}));
const dimension = fc.constantFrom('TENANT', 'METHOD', 'PATH', 'CONSUMER', 'STATUS', 'STATUS_CLASS', 'CLIENT_ADDRESS', 'TOPIC', 'OUTCOME');
const question = fc.record({
  filter,
  order: fc.constantFrom('NEWEST_FIRST', 'OLDEST_FIRST'),
  size: fc.integer({ min: 1, max: 40 }),
  dimension,
  by: fc.constantFrom('REQUESTS', 'P95', 'CLIENT_ERROR_RATE', 'LAST_SEEN', 'CLIENTS'),
  limit: fc.integer({ min: 1, max: 5 }),
  kind: fc.constantFrom('facets', 'metrics', 'series'),
});

const document = `query($filter: AuditEventFilter, $order: SortOrder, $size: Int, $dimension: Dimension!, $by: MetricField!, $limit: Int, $facets: Boolean!, $metrics: Boolean!, $series: Boolean!) {
  auditEvents(${thatDay}, filter: $filter, order: $order, first: $size) {nodes {id tenant request {path} principal {consumerName}} totalCount {value} pageInfo {hasNextPage hasPreviousPage}}
  facets(${thatDay}, filter: $filter, dimensions: [$dimension], limit: $limit) @include(if: $facets) {values {value count} otherCount}
  metrics(${thatDay}, filter: $filter, groupBy: [$dimension], orderBy: {by: $by}, limit: $limit) @include(if: $metrics) {
    rows {dimensions {value} values {requests clientErrors latency {p50 p95 max} clients firstSeenAt}} otherRows other {requests} total {requests distinct(of: $dimension)}}
  timeSeries(${thatDay}, filter: $filter, interval: "PT6H", groupBy: [$dimension], limit: $limit) @include(if: $series) {series {dimensions {value} points {at values {requests}}} other {total {requests}}}
}`;

test('questions of one tenant have the answers that its data alone gives', async () => {
  await fc.assert(
    fc.asyncProperty(question, async ({ kind, ...asked }) => {
      const variables = { ...asked, facets: kind === 'facets', metrics: kind === 'metrics', series: kind === 'series' };
      const [shared, alone] = await Promise.all(apis.map(({ api, key }) => api.ask(document, { key, variables })));
      expect(shared.errors).toBeUndefined();
      expect(shared).toEqual(alone);
      expect(shared.data.auditEvents.nodes.every(({ tenant }: { tenant: string }) => tenant === 'acme')).toBe(true);
      fc.pre(shared.data.auditEvents.totalCount.value > 0); // a question that finds nothing shows nothing, and is not counted
    }),
    { numRuns: sizes.questions, seed },
  );
  report({ differences: 0 });
}, 1_800_000); // a busy machine takes minutes

test('a cursor of another tenant is refused', async () => {
  const { api } = apis[0]!; // made above
  const page = `{auditEvents(${thatDay}, first: 1) {pageInfo {endCursor}}}`;
  const cursor = (await api.ask(page, { key: await api.makeKey(['globex']) })).data.auditEvents.pageInfo.endCursor;
  const { errors } = await api.ask(page.replace('first: 1', `first: 1, after: "${cursor}"`), { key: apis[0]?.key ?? '' });
  expect(errors[0].extensions.code).toBe('CURSOR_INVALID');
});
