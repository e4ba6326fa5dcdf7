import { afterAll, beforeAll, expect, test } from 'vitest';
import { groupColumn } from '../../../alerts/compile/rule.ts';
import { nextMorning, startApi, thatDay, type TestApi } from '../../support/api.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { claimRow, eventRow, writeClaims, writeEvents } from '../../support/events.ts';

let engine: TestEngine;
let database: TestDatabase;
let api: TestApi;

/** Named by path. /bare has nothing that can be absent. */
const rows = [
  { url_path: '/bare', http_response_status_code: null, http_request_method: '', outcome: 'aborted' },
  {
    url_path: '/Orders/8812',
    http_route: '/orders/{id}',
    gateway_route_name: 'orders',
    http_response_status_code: 404,
    outcome: 'client_error',
    consumer_id: 'c-1',
    consumer_name: 'Mobile',
    client_address: '10.1.2.3',
    duration_ms: 2.5,
    http_request_body_size: 10,
    signals: ['sql-injection'],
  },
  {
    url_path: '/orders/8813',
    gateway_route_id: 'r-9',
    http_response_status_code: 200,
    consumer_id: 'c-2',
    client_address: '2001:db8::1',
    duration_ms: 0,
    http_request_size: 0,
    http_request_body_size: 99,
    credential_hash: 'ab12',
    user_agent_original: 'curl/8.0 100%_sure',
  },
];

beforeAll(async () => {
  engine = await startEngine();
  database = await freshDatabase(engine);
  api = await startApi(database.clickhouse, { clock: nextMorning });
  await writeEvents(
    engine,
    database.name,
    rows.map((row, kafka_offset) => eventRow({ ...row, kafka_offset, batch_events: rows.length })),
  );
  await writeClaims(engine, database.name, [claimRow({ first_offset: 0, last_offset: rows.length - 1 })]);
});
afterAll(async () => {
  api.close();
  await database.close();
  await engine.stop();
});

const [bare, first, second] = ['/bare', '/Orders/8812', '/orders/8813'];
const everything = [bare, first, second];

async function paths(filter: object): Promise<string[]> {
  const query = `query($filter: AuditEventFilter) {auditEvents(${thatDay}, filter: $filter, order: OLDEST_FIRST) {nodes {request {path}}}}`;
  const { data, errors } = await api.ask(query, { variables: { filter } });
  expect(errors, JSON.stringify(filter)).toBeUndefined();
  return data.auditEvents.nodes.map(({ request }: { request: { path: string } }) => request.path);
}

test('text operators compare exactly, contains alone ignores case, and wildcards of SQL are only characters', async () => {
  expect(await paths({ path: { eq: '/orders/8812' } })).toEqual([]);
  expect(await paths({ path: { eq: first } })).toEqual([first]);
  expect(await paths({ path: { ne: first } })).toEqual([bare, second]);
  expect(await paths({ path: { in: [first, '/none'] } })).toEqual([first]);
  expect(await paths({ path: { in: [] } })).toEqual([]);
  expect(await paths({ path: { notIn: [first] } })).toEqual([bare, second]);
  expect(await paths({ path: { notIn: [] } })).toEqual(everything);
  expect(await paths({ path: { startsWith: '/orders' } })).toEqual([second]);
  expect(await paths({ path: { endsWith: '12' } })).toEqual([first]);
  expect(await paths({ path: { contains: 'ORDERS' } })).toEqual([first, second]);
  expect(await paths({ path: { matches: '(?i)^/orders/[0-9]{4}$' } })).toEqual([first, second]);
  expect(await paths({ userAgent: { contains: '100%_' } })).toEqual([second]);
  expect(await paths({ userAgent: { contains: '1%e' } })).toEqual([]);
});

test('a pattern that RE2 does not take is the fault of who sent it, and says why', async () => {
  const { errors } = await api.ask(`{auditEvents(${thatDay}, filter: {path: {matches: "/orders/("}}) {nodes {id}}}`);
  expect(errors?.[0]).toMatchObject({ message: 'Expected an RE2 pattern: missing ): /orders/(', extensions: { code: 'BAD_USER_INPUT' } });
});

test('a comparison with an absent value is false, its negation true, exists tells', async () => {
  for (const match of [{ eq: '' }, { startsWith: '' }, { contains: '' }, { matches: '.*' }, { in: [''] }]) {
    expect(await paths({ consumer: match }), JSON.stringify(match)).not.toContain(bare);
  }
  expect(await paths({ consumer: { ne: 'Mobile' } })).toEqual([bare, second]);
  expect(await paths({ consumer: { notIn: ['Mobile'] } })).toEqual([bare, second]);
  expect(await paths({ consumer: { exists: true } })).toEqual([first, second]);
  expect(await paths({ consumer: { exists: false } })).toEqual([bare]);
  expect(await paths({ status: { gte: 0 } })).toEqual([first, second]);
  expect(await paths({ status: { ne: 404 } })).toEqual([bare, second]);
  expect(await paths({ not: { status: { eq: 404 } } })).toEqual([bare, second]);
  expect(await paths({ status: { exists: false } })).toEqual([bare]);
  expect(await paths({ clientAddress: { notIn: ['0.0.0.0/0'] } })).toEqual([bare, second]);
  expect(await paths({ clientAddress: { exists: false } })).toEqual([bare]);
  expect(await paths({ country: { exists: true } })).toEqual([]);
  expect(await paths({ country: { ne: 'AT' } })).toEqual(everything);
  expect(await paths({ lifecycle: ['ACTIVE'] })).toEqual([]);
});

test('a name or an id is enough, and ne wants neither', async () => {
  expect(await paths({ consumer: { eq: 'c-1' } })).toEqual([first]);
  expect(await paths({ consumer: { ne: 'c-1' } })).toEqual([bare, second]);
  expect(await paths({ route: { in: ['orders', 'r-9'] } })).toEqual([first, second]);
  expect(await paths({ route: { eq: '/orders/{id}' } })).toEqual([first]);
  expect(await paths({ credential: { eq: 'ab12' } })).toEqual([second]);
});

test('numbers, addresses, outcomes and signals', async () => {
  expect(await paths({ status: { gt: 200, lt: 404 } })).toEqual([]);
  expect(await paths({ status: { gte: 200, lte: 404 } })).toEqual([first, second]);
  expect(await paths({ status: { in: [404, 500] } })).toEqual([first]);
  expect(await paths({ status: { notIn: [404] } })).toEqual([bare, second]);
  expect(await paths({ durationMs: { lte: 0 } })).toEqual([second]);
  expect(await paths({ durationMs: { gt: 2.49 } })).toEqual([first]);
  // On the wire where known, else of the body: 0 bytes on the wire is known.
  expect(await paths({ requestBytes: { eq: 0 } })).toEqual([second]);
  expect(await paths({ requestBytes: { eq: 10 } })).toEqual([first]);
  expect(await paths({ clientAddress: { in: ['10.1.2.0/24'] } })).toEqual([first]);
  expect(await paths({ clientAddress: { in: ['2001:db8::/32', '10.1.2.4'] } })).toEqual([second]);
  expect(await paths({ outcome: ['ABORTED', 'CLIENT_ERROR'] })).toEqual([bare, first]);
  expect(await paths({ signal: ['sql-injection', 'other'] })).toEqual([first]);
});

test('an address that only looks like a mapped one stays what it is, in filters, facets and groups of alerts', async () => {
  const other = await freshDatabase(engine);
  const addresses = ['::ffff:0:102:304', '2001:db8::ffff:1:2', '192.0.2.1'];
  await writeEvents(
    engine,
    other.name,
    addresses.map((client_address, kafka_offset) => eventRow({ client_address, kafka_offset, batch_events: 3 })),
  );
  await writeClaims(engine, other.name, [claimRow({ first_offset: 0, last_offset: 2 })]);
  const asked = await startApi(other.clickhouse, { clock: nextMorning });
  for (const address of addresses) {
    const filter = { clientAddress: { in: [address] } };
    const query = `query($filter: AuditEventFilter) {auditEvents(${thatDay}, filter: $filter) {nodes {client {address}}}}`;
    const { data, errors } = await asked.ask(query, { variables: { filter } });
    expect([data?.auditEvents.nodes, errors]).toEqual([[{ client: { address } }], undefined]);
  }
  const { data } = await asked.ask(`{facets(${thatDay}, dimensions: [CLIENT_ADDRESS]) {values {value}}}`);
  const sorted = addresses.toSorted();
  expect(data.facets[0].values.map(({ value }: { value: string }) => value)).toEqual(sorted);
  const groups = `SELECT ${groupColumn({ groupBy: 'client_address' })} AS name FROM events ORDER BY name`;
  expect((await other.clickhouse.rows<{ name: string }>(groups)).map(({ name }) => name)).toEqual(sorted);
  asked.close();
  await other.close();
});

test('and, or and not join as they read, five deep', async () => {
  expect(await paths({ or: [{ status: { eq: 404 } }, { consumer: { eq: 'c-2' } }] })).toEqual([first, second]);
  expect(await paths({ status: { eq: 404 }, consumer: { eq: 'c-2' } })).toEqual([]);
  expect(await paths({ and: [{ path: { contains: 'orders' } }, { not: { or: [{ and: [{ not: { status: { eq: 200 } } }] }] } }] })).toEqual([
    second,
  ]);
  expect(await paths({ search: 'path:/orders/* -status:404' })).toEqual([second]);
  expect(await paths({ search: 'mobile' })).toEqual([first]);
  expect(await paths({ not: { search: 'status:>=200' } })).toEqual([bare]);
});

test('a facet counts the value that its filter finds', async () => {
  const dimensions = {
    METHOD: 'method',
    HOST: 'host',
    PATH: 'path',
    ROUTE: 'route',
    CONSUMER: 'consumer',
    CREDENTIAL: 'credential',
    USER_AGENT: 'userAgent',
    STATUS: 'status',
    CLIENT_ADDRESS: 'clientAddress',
    GATEWAY_KIND: 'gatewayKind',
    TOPIC: 'topic',
    TENANT: 'tenant',
  };
  const { data } = await api.ask(
    `{facets(${thatDay}, dimensions: [${Object.keys(dimensions).join(', ')}]) {dimension otherCount values {value count}}}`,
  );
  for (const { dimension, values, otherCount } of data.facets) {
    expect(values.reduce((sum: number, { count }: { count: number }) => sum + count, otherCount)).toBe(3);
    for (const { value, count } of values) {
      const name = dimensions[dimension as keyof typeof dimensions]; // asked for above
      const match =
        value === null
          ? { exists: false }
          : name === 'status'
            ? { eq: Number(value) }
            : name === 'clientAddress'
              ? { in: [value] }
              : { eq: value };
      expect((await paths({ [name]: match })).length, `${dimension} ${value}`).toBe(count);
    }
  }
});
