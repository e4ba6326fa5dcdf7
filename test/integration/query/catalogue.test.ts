/** The catalogue as the API shows it, with what the events of the caller say of it. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readCatalogue } from '../../../schemas/catalogue.ts';
import { nextMorning, startApi, type TestApi } from '../../support/api.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { claimRow, eventRow, writeClaims, writeEvents } from '../../support/events.ts';

let engine: TestEngine;
let database: TestDatabase;
let api: TestApi;

const file = join(mkdtempSync(join(tmpdir(), 'gatetrail-catalogue-')), 'catalogue.yaml');
writeFileSync(
  file,
  `
apis:
  - name: orders
    version: v1
    sunset: 2026-11-23
    collection: shop
    owner: team
    dataClasses: [pii]
    servers: [/v1]
    routes:
      - { route: 'GET /orders/{id}', operation: getOrder, secured: true, tags: [sensitive] }
      - { route: 'DELETE /orders/{id}', deprecated: true }
      - /ping
  - { name: pay, sunset: 2027-01-01, collection: money }
consumers:
  - { name: mobile, kind: machine, plan: small, owner: apps }
  - { name: c-7, limits: [{ requests: 3, per: PT1M }] }
  - { name: nobody }
  - { name: globex-app }
plans: { small: { limits: [{ requests: 2, per: PT1M }, { requests: 100, per: P1D }] } }
`,
);
const now = Date.parse('2026-11-24T00:00:30Z');
const at = (time: string) => `2026-11-${time}.000`;
const rows = [
  { timestamp: at('22 10:00:00'), http_route: '/v1/orders/{id}', consumer_name: 'mobile' },
  { timestamp: at('22 10:00:59'), http_route: '/v1/orders/{id}', consumer_name: 'mobile' },
  { timestamp: at('23 10:00:00'), http_route: '/v1/orders/{id}', consumer_name: 'mobile' },
  { timestamp: at('23 10:00:01'), http_route: '/v1/orders/{id}', consumer_name: 'mobile' },
  { timestamp: at('23 10:00:59'), http_route: '/v1/orders/{id}', consumer_name: 'mobile' },
  { timestamp: at('23 10:01:00'), http_route: '/v1/ping', consumer_name: 'mobile', http_request_method: 'POST' },
  // A template of the gateway's own, told by its operation; and the consumer by its id.
  { timestamp: at('23 11:00:00'), http_route: '/orders/:order', operation_id: 'getOrder', consumer_id: 'c-7' },
  { timestamp: at('24 00:00:10'), http_route: '/other', consumer_id: 'c-7' },
  { timestamp: at('23 12:00:00'), http_route: '/v1/ping', consumer_name: 'globex-app', tenant: 'globex' },
];

beforeAll(async () => {
  engine = await startEngine();
  database = await freshDatabase(engine);
  const catalogue = { ...(await readCatalogue(file)), loadedAt: Date.parse('2026-11-20T00:00:00Z') };
  api = await startApi(database.clickhouse, { clock: { ...nextMorning, now: () => now }, catalogue });
  const batch = { received_at: '2026-11-24 00:00:20.000', batch_events: rows.length };
  await writeEvents(
    engine,
    database.name,
    rows.map((row, kafka_offset) => eventRow({ ...batch, ...row, kafka_offset })),
  );
  await writeClaims(engine, database.name, [claimRow({ first_offset: 0, last_offset: rows.length - 1, received_at: batch.received_at })]);
});
afterAll(async () => {
  api.close();
  await database.close();
  await engine.stop();
});

const ask = async (fields: string, key?: string) => {
  const { data, errors } = await api.ask(`{catalogue {${fields}}}`, key === undefined ? {} : { key });
  expect(errors).toBeUndefined();
  return data.catalogue;
};

test('shows APIs with their lives at this hour, and their routes with when each was last called', async () => {
  const fields =
    'name version lifecycle sunsetAt collection owner dataClasses routes {method template operation deprecated secured tags lastSeenAt}';
  expect(await ask(`loadedAt collections apis {${fields}}`)).toEqual({
    loadedAt: '2026-11-20T00:00:00.000Z',
    collections: ['money', 'shop'],
    apis: [
      {
        name: 'orders',
        version: 'v1',
        lifecycle: 'SUNSET',
        sunsetAt: '2026-11-23T00:00:00.000Z',
        collection: 'shop',
        owner: 'team',
        dataClasses: ['pii'],
        routes: [
          {
            method: 'GET',
            template: '/v1/orders/{id}',
            operation: 'getOrder',
            deprecated: false,
            secured: true,
            tags: ['sensitive'],
            lastSeenAt: '2026-11-23T11:00:00.000Z',
          },
          { method: 'DELETE', template: '/v1/orders/{id}', operation: null, deprecated: true, secured: false, tags: [], lastSeenAt: null },
          {
            method: '*',
            template: '/v1/ping',
            operation: null,
            deprecated: false,
            secured: false,
            tags: [],
            lastSeenAt: '2026-11-23T12:00:00.000Z',
          },
        ],
      },
      {
        name: 'pay',
        version: '',
        lifecycle: 'DEPRECATED',
        sunsetAt: '2027-01-01T00:00:00.000Z',
        collection: 'money',
        owner: null,
        dataClasses: [],
        routes: [],
      },
    ],
  });
});

test('shows consumers by name with the use of their limits, in the window that runs and in the range', async () => {
  const limits = '{requests per used peak breaches}';
  const { consumers } = await ask(
    `consumers {nodes {name kind plan owner lastSeenAt day: limits ${limits} all: limits(range: {relative: "P3D"}) ${limits}}}`,
  );
  const minute = { requests: 2, per: 'PT1M', used: 0 };
  expect(consumers.nodes).toEqual([
    {
      name: 'c-7',
      kind: null,
      plan: null,
      owner: null,
      lastSeenAt: '2026-11-24T00:00:10.000Z',
      day: [{ requests: 3, per: 'PT1M', used: 1, peak: 1, breaches: 0 }],
      all: [{ requests: 3, per: 'PT1M', used: 1, peak: 1, breaches: 0 }],
    },
    { name: 'globex-app', kind: null, plan: null, owner: null, lastSeenAt: '2026-11-23T12:00:00.000Z', day: [], all: [] },
    {
      name: 'mobile',
      kind: 'machine',
      plan: 'small',
      owner: 'apps',
      lastSeenAt: '2026-11-23T10:01:00.000Z',
      day: [
        { ...minute, peak: 3, breaches: 1 },
        { requests: 100, per: 'P1D', used: 0, peak: 4, breaches: 0 },
      ],
      all: [
        { ...minute, peak: 3, breaches: 1 },
        { requests: 100, per: 'P1D', used: 0, peak: 4, breaches: 0 },
      ],
    },
    { name: 'nobody', kind: null, plan: null, owner: null, lastSeenAt: null, day: [], all: [] },
  ]);
});

test('consumers come in pages, and are found by a part of their name', async () => {
  const page = async (args: string) =>
    (await ask(`consumers(${args}) {edges {cursor node {name}} pageInfo {hasNextPage hasPreviousPage endCursor}}`)).consumers;
  const names = ({ edges }: { edges: { node: { name: string } }[] }) => edges.map(({ node }) => node.name);
  const first = await page('first: 2');
  expect([names(first), first.pageInfo.hasNextPage, first.pageInfo.hasPreviousPage]).toEqual([['c-7', 'globex-app'], true, false]);
  const second = await page(`first: 2, after: "${first.pageInfo.endCursor}"`);
  expect([names(second), second.pageInfo.hasNextPage, second.pageInfo.hasPreviousPage]).toEqual([['mobile', 'nobody'], false, true]);
  expect(names(await page('search: "OB"'))).toEqual(['globex-app', 'mobile', 'nobody']);
  const { errors } = await api.ask(`{catalogue {consumers(search: "x", after: "${first.pageInfo.endCursor}") {nodes {name}}}}`);
  expect(errors[0].extensions.code).toBe('CURSOR_INVALID');
});

test('however many routes and consumers there are, each has when it was seen last', async () => {
  const many = mkdtempSync(join(tmpdir(), 'gatetrail-catalogue-'));
  const names = Array.from({ length: 8_000 }, (_, at) => `{ name: c-${at}-${'x'.repeat(20)} }`);
  const routes = Array.from({ length: 3_000 }, (_, at) => `/orders/${'x'.repeat(40)}/${at}`);
  writeFileSync(
    join(many, 'catalogue.yaml'),
    `apis: [{ name: orders, servers: [/v1], routes: [${routes.join(', ')}, '/orders/{id}'] }]\nconsumers: [${names.join(', ')}, { name: mobile }]`,
  );
  const catalogue = { ...(await readCatalogue(join(many, 'catalogue.yaml'))), loadedAt: 0 };
  const large = await startApi(database.clickhouse, { clock: { ...nextMorning, now: () => now }, catalogue });
  const query = '{catalogue {apis {routes {lastSeenAt}} consumers(search: "m", first: 1) {nodes {name lastSeenAt}}}}';
  const { data } = await large.ask(query);
  const { errors } = await large.ask(
    '{catalogue {a: consumers(first: 1000) {nodes {limits {used}}} b: consumers(first: 1) {nodes {limits {used}}}}}',
  );
  expect(errors?.[0]?.extensions.code).toBe('QUERY_TOO_EXPENSIVE');
  const acme = (await large.ask(query, { key: await large.makeKey(['acme']) })).data;
  large.close();
  for (const { apis, consumers } of [data.catalogue, acme.catalogue]) {
    expect(apis[0].routes.filter(({ lastSeenAt }: { lastSeenAt: string | null }) => lastSeenAt !== null)).toHaveLength(1);
    expect(consumers.nodes).toEqual([{ name: 'mobile', lastSeenAt: '2026-11-23T10:01:00.000Z' }]);
  }
});

test('a key of one tenant sees what its own events say, and no consumer of another', async () => {
  const key = await api.makeKey(['acme']);
  const { apis, consumers } = await ask('apis {routes {lastSeenAt}} consumers {nodes {name lastSeenAt}}', key);
  expect(apis[0].routes.map(({ lastSeenAt }: { lastSeenAt: string | null }) => lastSeenAt)).toEqual([
    '2026-11-23T11:00:00.000Z',
    null,
    '2026-11-23T10:01:00.000Z',
  ]);
  expect(consumers.nodes).toEqual([
    { name: 'c-7', lastSeenAt: '2026-11-24T00:00:10.000Z' },
    { name: 'mobile', lastSeenAt: '2026-11-23T10:01:00.000Z' },
  ]);
});

test('is null without one, and the other fields stay', async () => {
  const bare = await startApi(database.clickhouse, { clock: nextMorning });
  try {
    expect(await bare.ask('{catalogue {loadedAt} version}')).toEqual({ data: { catalogue: null, version: '0.0.0' } });
  } finally {
    bare.close();
  }
});
