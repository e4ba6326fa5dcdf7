import { afterAll, beforeAll, expect, test } from 'vitest';
import { nextMorning, startApi, thatDay as range, type Answer, type TestApi } from '../../support/api.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { claimRow, eventRow, writeClaims, writeEvents } from '../../support/events.ts';
import { sqlRows } from '../../support/sql.ts';

let engine: TestEngine;
let database: TestDatabase;
let api: TestApi;

beforeAll(async () => {
  engine = await startEngine();
  database = await freshDatabase(engine);
  api = await startApi(database.clickhouse, { clock: nextMorning });
  const rows = Array.from({ length: 25 }, (_, index) =>
    eventRow({
      timestamp: `2026-11-22 10:00:${String(Math.floor(index / 5)).padStart(2, '0')}.000`,
      tenant: index % 5 === 4 ? 'globex' : 'acme',
      http_response_status_code: index % 2 ? 200 : 401,
      client_address: '10.1.2.3',
      kafka_offset: index,
      batch_events: 25,
    }),
  );
  await writeEvents(engine, database.name, rows);
  await writeClaims(engine, database.name, [claimRow({ first_offset: 0, last_offset: 24 })]);
});
afterAll(async () => {
  api.close();
  await database.close();
  await engine.stop();
});

const ask = (query: string, key = 'root', variables = {}) => api.ask(query, { key, variables });

test('pages go through every event once, forwards and back, with exact flags', async () => {
  const walk = async (size: string, cursor: string, flag: string, edge: string) => {
    const ids: string[] = [];
    let after = '';
    for (;;) {
      const { data, errors } = await ask(
        `{auditEvents(${range}, ${size}: 7${after}) {nodes {id} pageInfo {hasNextPage hasPreviousPage startCursor endCursor}}}`,
      );
      expect(errors).toBeUndefined();
      const { nodes, pageInfo } = data.auditEvents;
      const page = nodes.map((node: { id: string }) => node.id);
      ids.push(...(size === 'last' ? page.toReversed() : page));
      expect(pageInfo[flag === 'hasNextPage' ? 'hasPreviousPage' : 'hasNextPage']).toBe(after !== '');
      if (!pageInfo[flag]) return ids;
      after = `, ${cursor}: "${pageInfo[edge]}"`;
    }
  };
  const forwards = await walk('first', 'after', 'hasNextPage', 'endCursor');
  expect(new Set(forwards).size).toBe(25);
  expect(forwards.length).toBe(25);
  expect((await walk('last', 'before', 'hasPreviousPage', 'startCursor')).toReversed()).toEqual(forwards);
});

test('one question cannot start statements without end', async () => {
  const facets = `query($all: [Dimension!]!) {facets(${range}, dimensions: $all) {otherCount}}`;
  const all = Array.from({ length: 33 }, () => 'STATUS');
  expect((await ask(facets, 'root', { all: all.slice(1) })).data.facets).toHaveLength(32);
  const groups = `query($all: [Dimension!]!) {metrics(${range}, groupBy: $all) {total {requests}}}`;
  for (const query of [facets, groups])
    expect((await ask(query, 'root', { all })).errors?.[0]).toMatchObject({
      message: 'At most 32 dimensions, got 33',
      extensions: { code: 'BAD_USER_INPUT' },
    });
});

test('a key of one tenant sees nothing of another, by page, id, facet or figure', async () => {
  const made = await ask('mutation {createApiKey(input: {name: "a", roles: [ADMIN], tenants: ["acme"]}) {secret userErrors {message}}}');
  const token = made.data.createApiKey.secret;
  const foreign = (await ask(`{auditEvents(${range}, filter: {tenant: {eq: "globex"}}, first: 1) {nodes {id}}}`)).data.auditEvents.nodes[0]
    .id;
  const { data } = await ask(
    `{auditEvents(${range}) {nodes {tenant} totalCount {value}} auditEvent(id: "${foreign}") {id} facets(${range}, dimensions: [TENANT]) {values {value count}} metrics(${range}) {total {requests}}}`,
    token,
  );
  expect(data.auditEvents.nodes.every((node: { tenant: string }) => node.tenant === 'acme')).toBe(true);
  expect(data).toMatchObject({
    auditEvents: { totalCount: { value: 20 } },
    auditEvent: null,
    facets: [{ values: [{ value: 'acme', count: 20 }] }],
    metrics: { total: { requests: 20 } },
  });
});

test('a series has every interval, and its points add up to the total', async () => {
  const { data, errors } = await ask(
    `{timeSeries(${range}, interval: "PT1H", groupBy: [TENANT]) {interval series {dimensions {value} total {requests within(ms: 5)} points {at isPartial values {requests errorRate latency {p50 quantile(level: 0.2)}}}}} metrics(${range}, groupBy: [STATUS], orderBy: {by: REQUESTS}, limit: 1) {rows {dimensions {value} values {requests}} otherRows other {requests}}}`,
  );
  expect(errors).toBeUndefined();
  expect(data.timeSeries.series.map((one: Answer) => [one.dimensions[0].value, one.total.requests, one.points.length])).toEqual([
    ['acme', 20, 24],
    ['globex', 5, 24],
  ]); // oxlint-disable-line typescript/no-explicit-any
  expect(data.timeSeries.series[0].points[10]).toMatchObject({
    at: '2026-11-22T10:00:00.000Z',
    isPartial: false,
    values: { requests: 20 },
  });
  expect(data.timeSeries.series[0].points[9].values).toMatchObject({ requests: 0, errorRate: null, latency: { p50: null } });
  expect(data.metrics).toMatchObject({
    rows: [{ dimensions: [{ value: '401' }], values: { requests: 13 } }],
    otherRows: 1,
    other: { requests: 12 },
  });
});

test('days follow the calendar of the zone where the clocks change', async () => {
  const { data } = await ask(
    '{timeSeries(range: {absolute: {from: "2026-10-23T22:00:00Z", to: "2026-10-26T23:00:00Z"}}, interval: "P1D", timeZone: "Europe/Vienna") {series {points {at}}}}',
  );
  expect(data.timeSeries.series[0].points.map((point: { at: string }) => point.at)).toEqual([
    '2026-10-23T22:00:00.000Z',
    '2026-10-24T22:00:00.000Z',
    '2026-10-25T23:00:00.000Z',
  ]);
});

test('filters hold as the contract says, and hostile values are only values', async () => {
  const count = async (filter: object) => {
    const { data, errors } = await ask(
      `query($filter: AuditEventFilter) {auditEvents(${range}, filter: $filter) {totalCount {value}}}`,
      'root',
      { filter },
    );
    return errors ? errors[0].extensions.code : data.auditEvents.totalCount.value;
  };
  expect(await count({ status: { gte: 400 }, clientAddress: { in: ['10.1.0.0/16'] } })).toBe(13);
  expect(await count({ search: 'status:401 -tenant:globex path:/orders/*' })).toBe(10);
  expect(await count({ consumer: { ne: 'x' } })).toBe(25);
  expect(await count({ consumer: { startsWith: '' } })).toBe(0);
  expect(await count({ or: [] })).toBe(0);
  expect(await count({ path: { eq: "'; DROP TABLE events; --\\\n\t" } })).toBe(0);
  expect(await count({ path: { matches: '(?=a)' } })).toBe('BAD_USER_INPUT');
});

test('a cursor of another question, a range too old and a role not offered are refused with their codes', async () => {
  const first = await ask(`{auditEvents(${range}, first: 1) {pageInfo {endCursor}}}`);
  const cursor = first.data.auditEvents.pageInfo.endCursor;
  expect(
    (await ask(`{auditEvents(${range}, order: OLDEST_FIRST, first: 1, after: "${cursor}") {nodes {id}}}`)).errors[0].extensions.code,
  ).toBe('CURSOR_INVALID');
  expect(
    (await ask('{auditEvents(range: {absolute: {from: "2001-01-01T00:00:00Z", to: "2001-01-02T00:00:00Z"}}) {nodes {id}}}')).errors[0]
      .extensions.code,
  ).toBe('OLDER_THAN_RETENTION');
  expect(
    (await ask('mutation {createApiKey(input: {name: "v", roles: [VIEWER]}) {secret userErrors {message}}}')).data.createApiKey,
  ).toMatchObject({ secret: null, userErrors: [{ message: expect.stringContaining('VIEWER') }] });
});

test('a key of role ingest reads nothing, and the denied attempt is in the access log', async () => {
  const { data } = await ask('mutation {createApiKey(input: {name: "poster", roles: [INGEST], tenants: ["acme"]}) {secret}}');
  expect((await ask(`{auditEvents(${range}) {nodes {id}}}`, data.createApiKey.secret)).errors[0].extensions.code).toBe('FORBIDDEN');
  const rows = await sqlRows<{ action: string; allowed: number }>(
    engine,
    "SELECT action, allowed FROM access_log WHERE actor = 'poster'",
    database.name,
  );
  expect(rows).toEqual([{ action: 'auditEvents', allowed: 0 }]);
});

test('completeness, dead letters, pipeline, limits and me answer', async () => {
  const { data, errors } = await ask(
    `{completeness(${range}) {complete statement} deadLetters(${range}) {nodes {id} codes {value}} pipeline {ready} limits {maxPageSize} me {name roles} version}`,
  );
  expect(errors).toBeUndefined();
  expect(data).toMatchObject({
    completeness: { complete: true },
    deadLetters: { nodes: [], codes: [] },
    me: { name: 'admin', roles: ['ADMIN'] },
  });
});
