/** GraphQL over HTTP as its specification has it, judged by the specification's own audits, and how an operation is bounded. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { auditServer } from 'graphql-http';
import { getIntrospectionQuery } from 'graphql/index.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { deriveKey } from '../../core/keys.ts';
import { silentLogger } from '../../core/logger.ts';
import { createGraphql, type Graphql } from '../../query/graphql.ts';
import type { Access, Role } from '../../storage/access.ts';
import type { AccessRecord } from '../../storage/access-log.ts';
import type { ClickHouse } from '../../storage/clickhouse.ts';
import { apiLimits } from '../support/api.ts';

const logged: AccessRecord[] = [];
const withoutData = new Proxy({}, { get: () => () => Promise.reject(new Error('no data is asked for')) });
const servers: Server[] = [];
let closed = '';
let open = '';
let graphiql: Graphql;

function make(isOpen: boolean): Graphql {
  return createGraphql({
    clickhouse: withoutData as ClickHouse,
    access: withoutData as Access,
    accessLog: { write: async (record) => void logged.push(record) },
    cursorKeys: [deriveKey('s', 'cursors')],
    closed: { read: () => Promise.reject(new Error('no data is asked for')) },
    limits: apiLimits,
    clock: systemClock,
    version: '1.2.3',
    logger: silentLogger,
    graphiql: isOpen,
  });
}

async function listen(graphql: Graphql): Promise<string> {
  const server = createServer((req, res) => {
    const role = (req.headers['x-role'] ?? 'admin') as Role; // a test names one
    void graphql.handle({ req, res, caller: { name: 'test', keyId: 'k', roles: [role], tenants: ['acme'] }, address: '127.0.0.1' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
}

beforeAll(async () => {
  graphiql = make(true);
  [closed, open] = [await listen(make(false)), await listen(graphiql)];
});
afterAll(() => servers.forEach((server) => server.close()));

async function ask(query: string, { role = 'admin', url = closed } = {}) {
  const headers = { 'content-type': 'application/json', 'x-role': role };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) });
  const { data, errors } = (await response.json()) as {
    data?: Record<string, unknown>;
    errors?: { message: string; extensions: { code: string } }[];
  };
  return { data, errors, code: errors?.[0]?.extensions.code };
}

test('every audit of the specification holds but the three that offer queries by GET', async () => {
  const audits = await auditServer({ url: closed });
  const failed = audits.filter(({ status }) => status !== 'ok');
  expect(audits.length).toBe(61);
  expect(failed.every(({ name }) => name.startsWith('MAY') && name.includes('GET'))).toBe(true);
  expect(failed.map(({ id }) => id).toSorted()).toEqual(['5A70', '6A70', 'D6D5']);
});

test('nothing is answered to GET, whether it asks or changes', async () => {
  for (const query of ['{version}', 'mutation {revokeApiKey(id: "x") {secret}}']) {
    const response = await fetch(`${closed}?query=${encodeURIComponent(query)}`);
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  }
});

test('a body that is no JSON is refused, so that no form of another page can ask', async () => {
  const body = new URLSearchParams({ query: '{version}' });
  expect((await fetch(closed, { method: 'POST', body })).status).toBe(415);
  expect((await fetch(closed, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{"query": "{version}"}' })).status).toBe(
    415,
  );
});

test('the schema is told to an admin, and to everyone where the page for trying queries is offered', async () => {
  const query = getIntrospectionQuery();
  expect((await ask(query)).data).toHaveProperty('__schema');
  expect((await ask(query, { role: 'viewer', url: open })).data).toHaveProperty('__schema');
  const refused = await ask(query, { role: 'viewer' });
  expect(refused.data ?? null).toBeNull();
  expect(refused.errors?.[0]?.message).toContain('introspection');
  // What a client needs to tell types apart stays.
  expect((await ask('{__typename version}', { role: 'viewer' })).data).toEqual({ __typename: 'Query', version: '1.2.3' });
});

test('a body that is too large is refused with the limit, whether it says its length or not', async () => {
  const body = JSON.stringify({ query: '{version}', variables: { filling: 'x'.repeat(5_000_000) } });
  const headers = { 'content-type': 'application/json', 'x-role': 'admin' };
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(body));
      controller.close();
    },
  });
  for (const each of [{ body }, { body: stream, duplex: 'half' }]) {
    const response = await fetch(closed, { method: 'POST', headers, ...each } as RequestInit);
    const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] };
    expect([response.status, errors[0]?.extensions.code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
  }
});

test('the schema says what its scalars are', async () => {
  const { data } = await ask('{__type(name: "DateTime") {description}}');
  expect(data).toEqual({ __type: { description: expect.stringContaining('ISO 8601 instant') } });
});

test('an operation that is too deep, too wide or too long is refused before anything runs', async () => {
  const before = logged.length;
  const alert = (depth: number): string => (depth === 0 ? 'id' : `evidence {alerts {${alert(depth - 1)}}}`);
  expect((await ask(`{alert(id: "a") {${alert(6)}}}`)).code).toBe('QUERY_TOO_EXPENSIVE');
  const hidden = `{alert(id: "a") {...A}} fragment A on Alert {${alert(3)} evidence {alerts {evidence {alerts {...B}}}}} fragment B on Alert {${alert(4)}}`;
  expect((await ask(hidden)).code).toBe('QUERY_TOO_EXPENSIVE');
  // Fragments of fragments, which hold no field: each level doubles what would have to be looked at.
  const level = (at: number) => `fragment F${at} on Query {...F${at + 1} ...F${at + 1}}`;
  const doubling = `{...F0} ${Array.from({ length: 60 }, (_, at) => level(at)).join(' ')} fragment F60 on Query {...F0}`;
  const startedAt = performance.now();
  expect((await ask(doubling)).errors?.map(({ extensions }) => extensions.code)).toContain('QUERY_TOO_EXPENSIVE');
  expect(performance.now() - startedAt).toBeLessThan(5_000); // 2 ** 60 steps would not end
  const aliases = (count: number) => `{${Array.from({ length: count }, (_, at) => `v${at}: version`).join(' ')}}`;
  expect((await ask(aliases(16))).code).toBe('QUERY_TOO_EXPENSIVE');
  const long = await ask(`{${'version '.repeat(1_001)}}`);
  expect(long.errors?.[0]?.message).toContain('tokens');
  expect(logged.length).toBe(before);
  expect((await ask(aliases(15))).errors).toBeUndefined();
});

test('a failure of ours tells an id and nothing else', async () => {
  const { errors, code } = await ask('{facets(range: {relative: "PT1H"}, dimensions: [METHOD]) {otherCount}}');
  expect(code).toBe('INTERNAL');
  expect(JSON.stringify(errors)).not.toContain('no data is asked for');
});

test('a call that fails has its entry, and so has one that is denied', async () => {
  logged.length = 0;
  await ask('query Look {facets(range: {relative: "PT1H"}, dimensions: [METHOD]) {otherCount}}');
  await ask('{auditEvent(id: "x") {id}}', { role: 'ingest' });
  expect(logged).toMatchObject([
    { action: 'facets', operation: 'Look', allowed: true },
    { action: 'auditEvent', target: 'x', allowed: false },
  ]);
  expect(logged[0]).not.toHaveProperty('rows');
});

test('the page for trying queries loads nothing from elsewhere and runs no script that its policy does not name', () => {
  const { html = '', csp = '' } = graphiql.page ?? {};
  const scripts = /script-src ([^;]*)/.exec(csp)?.[1] ?? '';
  expect(scripts).toMatch(/'sha256-/);
  expect(scripts).not.toContain('unsafe');
  expect(csp).toContain("default-src 'self'");
  expect(html).toContain('auditEvents');
  expect(html).not.toMatch(/<(?:script|link|img)[^>]+(?:src|href)=["']?(?:https?:)?\/\//);
  expect(make(false).page).toBeNull();
});

test('a variable of a wrong form is the fault of who sent it, and nothing is logged as ours', async () => {
  const query = 'query ($range: TimeRange!) { auditEvents(range: $range) { nodes { id } } }';
  for (const range of [{ relative: 'soon' }, { absolute: { from: 'yesterday', to: 'now' } }, {}, 7]) {
    const response = await fetch(closed, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: { range } }),
    });
    const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] };
    expect([...new Set(errors.map(({ extensions }) => extensions.code))]).toEqual(['BAD_USER_INPUT']);
  }
});
