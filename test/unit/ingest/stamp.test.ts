/** Stamps as the decoder puts them, with the catalogue of the documentation and with small ones. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { deriveKey } from '../../../core/keys.ts';
import { createDecoder, loadGateways } from '../../../ingest/pipeline.ts';
import type { CanonicalEvent } from '../../../schemas/event.ts';
import { type Catalogue, emptyCatalogue, readCatalogue } from '../../../schemas/catalogue.ts';

const receivedAt = Date.parse('2026-11-22T10:00:00Z');
let gateways: Awaited<ReturnType<typeof loadGateways>>;
beforeAll(async () => {
  gateways = await loadGateways();
});

const decoderOf = (catalogue: Catalogue) =>
  createDecoder({
    gateways,
    sources: [],
    defaultTenant: 'default',
    intakeTopic: 'in',
    allowedQueryKeys: new Set(),
    pseudonyms: deriveKey('a secret of the tests', 'pseudonyms'),
    credentials: deriveKey('a secret of the tests', 'credentials'),
    catalogue,
    version: 'test',
  });

function stamped(record: object, catalogue: Catalogue): CanonicalEvent {
  const seen: CanonicalEvent[] = [];
  const value = Buffer.from(
    JSON.stringify({ timestamp: '2026-11-22T09:59:58Z', gateway_kind: 'mesh', http_request_method: 'GET', ...record }),
  );
  decoderOf(catalogue).decode({ offset: 0, timestamp: -1, value, headers: {} }, 'gw', receivedAt, {
    event: (event) => seen.push(structuredClone(event)),
    rejected: () => expect.unreachable(),
    skipped: () => expect.unreachable(),
  });
  return seen[0] as CanonicalEvent;
}

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatetrail-stamp-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}
const read = (text: string) => readCatalogue(join(folderWith({ 'catalogue.yaml': text }), 'catalogue.yaml'));

const page = readFileSync(join(import.meta.dirname, '../../../docs/catalogue.md'), 'utf8');
const files = Object.fromEntries([...page.matchAll(/```yaml\n# (\S+)\n(.*?)```/gs)].map(([, name = '', text = '']) => [name, text]));
/** Cells of the table of the page, without the quotes of code. */
const rows = [...page.matchAll(/^\| `(\w+) ([^/`]+)(\/\S*?)`(.*)\|$/gm)].map(([, method = '', host = '', path = '', rest = '']) => {
  const [api = '', route = '', operation = '', lifecycle = ''] = rest
    .replaceAll('`', '')
    .split('|')
    .slice(1)
    .map((cell) => cell.trim());
  return { method, host, path, api, route, operation, lifecycle };
});
let documented: Catalogue;
beforeAll(async () => {
  documented = await readCatalogue(join(folderWith(files), 'catalogue.yaml'));
});

describe('the example of the documentation', () => {
  test('is whole: a catalogue, a document, and a table of requests', () => {
    expect(Object.keys(files)).toEqual(['catalogue.yaml', 'openapi/orders-v1.yaml']);
    expect(rows.length).toBeGreaterThan(5);
    expect(documented.apis.map(({ routes }) => routes.length)).toEqual([4, 2, 0]);
    expect(documented.consumers.get('partner-acme')?.limits).toEqual([{ requests: 600, perMs: 60_000 }]);
  });

  test.each(rows)('$method $host$path is $lifecycle, as it says', ({ method, host, path, api, route, operation, lifecycle }) => {
    const event = stamped(
      { http_request_method: method, server_address: host, url_path: path, http_response_status_code: 200 },
      documented,
    );
    const { api_name, api_version, http_route, operation_id } = event;
    expect({ api: `${api_name} ${api_version}`.trim(), route: http_route, operation: operation_id, lifecycle: event.lifecycle }).toEqual({
      api,
      route,
      operation,
      lifecycle,
    });
  });

  test('an event has the collection, the data classes and the sunset of its API, and of its route where that goes sooner', () => {
    const [order, invoice] = ['/v1/orders/8812', '/v1/orders/8812/invoice'].map((url_path) =>
      stamped({ server_address: 'api.example.com', url_path }, documented),
    );
    expect(order).toMatchObject({ collection: 'shop', data_classes: ['pii'], sunset_at: Date.parse('2026-12-31') / 1000 });
    expect(invoice).toMatchObject({ collection: 'shop', sunset_at: Date.parse('2026-10-01') / 1000 });
  });
});

describe('the API of a request', () => {
  const named = `
apis:
  - { name: orders, id: a7, version: v1, knownAs: [orders-service, svc-7], servers: [https://api.example.com/v1], routes: [/orders] }
  - { name: orders, version: v2, knownAs: [orders-service], servers: [https://api.example.com/v2], routes: [/orders] }
  - { name: carts, servers: [/carts], collection: shop }
  - { name: loose, routes: ['/loose/{x}'] }
  - { name: rooted, servers: [/], routes: [/rooted] }
`;
  test.each([
    ['named by the service of the gateway', { gateway_service_name: 'svc-7', url_path: '/v1/orders' }, 'orders v1 active'],
    ['named, and logged behind the path of the server', { gateway_service_id: 'svc-7', url_path: '/orders' }, 'orders v1 active'],
    ['named in a version', { api_name: 'orders', api_version: 'v2', url_path: '/orders' }, 'orders v2 active'],
    ['named in a version that nobody listed', { api_name: 'orders', api_version: 'v3', url_path: '/v1/orders' }, 'orders v3 undocumented'],
    ['named by id', { api_id: 'a7', url_path: '/orders' }, 'orders v1 active'],
    ['named, the version told by the path', { gateway_service_name: 'orders-service', url_path: '/v2/orders' }, 'orders v2 active'],
    ['named, whatever the host', { api_name: 'orders', server_address: 'x.example', url_path: '/v2/orders/1' }, 'orders v2 undocumented'],
    ['of its host', { server_address: 'api.example.com', url_path: '/v2/orders' }, 'orders v2 active'],
    ['of its host in capitals', { server_address: 'API.Example.com', url_path: '/v2/orders' }, 'orders v2 active'],
    ['of another host', { server_address: 'x.example', url_path: '/v2/orders' }, ' undocumented'],
    ['of any host, by its path', { server_address: 'api.example.com', url_path: '/carts/17' }, 'carts active'],
    ['of a path that only begins like it', { url_path: '/cartsfoo' }, ' undocumented'],
    ['without a server, by a route', { server_address: 'x.example', url_path: '/loose/1' }, 'loose active'],
    ['without a server and no route of it', { url_path: '/loose' }, ' undocumented'],
    ['of the root of any host, by a route', { server_address: 'x.example', url_path: '/rooted' }, 'rooted active'],
    ['without a path', { url_path: '' }, ' undocumented'],
  ])('%s', async (_, record, expected) => {
    const { api_name, api_version, lifecycle } = stamped(record, await read(named));
    expect(`${api_name} ${api_version} ${lifecycle}`.replace('  ', ' ')).toBe(expected);
  });

  test('is known below a base that two of its servers share', async () => {
    const shared = await read(
      'apis: [{ name: a, servers: [https://one.example/v1, https://two.example/v1, /v1], routes: [/x] }, { name: b }]',
    );
    for (const record of [{ server_address: 'one.example' }, { server_address: 'three.example' }, { api_name: 'a' }])
      expect(stamped({ ...record, url_path: '/v1/y' }, shared)).toMatchObject({ api_name: 'a', lifecycle: 'undocumented' });
  });

  test.each([
    ['files.example', '/up/a.png', 'a upload active'],
    ['api.example', '/v1/up/a.png', 'a  undocumented'],
    ['api.example', '/v1/orders', 'a orders active'],
    ['files.example', '/orders', '  undocumented'],
  ])('of %s%s, where a route has a server of its own, is %s', async (server_address, url_path, expected) => {
    const folder = mkdtempSync(join(tmpdir(), 'gatetrail-stamp-'));
    const answer = 'responses: { "200": { description: Done } }';
    writeFileSync(
      join(folder, 'api.yaml'),
      `openapi: 3.1.0
info: { title: a, version: '1' }
servers: [{ url: 'https://api.example/v1' }]
paths:
  /orders: { get: { operationId: orders, ${answer} } }
  /up/{name}:
    servers: [{ url: 'https://files.example' }]
    get: { operationId: upload, ${answer} }
`,
    );
    writeFileSync(join(folder, 'catalogue.yaml'), 'apis: [{ openapi: api.yaml }]');
    const event = stamped({ server_address, url_path, http_request_method: 'GET' }, await readCatalogue(join(folder, 'catalogue.yaml')));
    expect(`${event.api_name} ${event.operation_id} ${event.lifecycle}`).toBe(expected);
  });

  test('keeps the name, version, id and operation that the gateway gave', async () => {
    const given = { api_id: 'gw-1', api_name: 'orders-service', api_version: 'v1', operation_id: 'op', url_path: '/v1/orders' };
    expect(stamped(given, await read(named))).toMatchObject({ ...given, http_route: '/v1/orders', lifecycle: 'active' });
  });
});

describe('methods', () => {
  const catalogueText = 'apis: [{ name: a, servers: [/a], routes: ["GET /x", "/any", { route: "POST /old", deprecated: true }] }]';
  test.each([
    ['GET', '/a/x', 'active'],
    ['HEAD', '/a/x', 'active'],
    ['OPTIONS', '/a/x', 'active'],
    ['DELETE', '/a/x', 'undocumented'],
    ['PATCH', '/a/any', 'active'],
    ['POST', '/a/old', 'deprecated'],
    ['HEAD', '/a/old', 'undocumented'],
  ])('%s %s is %s', async (http_request_method, url_path, lifecycle) =>
    expect(stamped({ http_request_method, url_path }, await read(catalogueText))).toMatchObject({
      lifecycle,
      api_name: 'a',
      http_route: url_path,
    }),
  );
});

describe('lifecycle', () => {
  test.each([
    ['2026-11-22T09:59:57Z', 'sunset'],
    ['2026-11-22T09:59:58Z', 'sunset'],
    ['2026-11-22T09:59:59Z', 'deprecated'],
  ])('of an API with its end at %s, when called at 09:59:58, is %s', async (sunset, lifecycle) => {
    const catalogue = await read(`apis: [{ name: a, servers: [/a], sunset: '${sunset}' }]`);
    expect(stamped({ url_path: '/a/1' }, catalogue)).toMatchObject({ lifecycle, sunset_at: Date.parse(sunset) / 1000 });
  });

  test('of a route that nobody listed is undocumented, also when its API has gone', async () => {
    const catalogue = await read("apis: [{ name: a, servers: [/a], routes: [/x], sunset: '2026-01-01' }]");
    expect(stamped({ url_path: '/a/y' }, catalogue)).toMatchObject({
      lifecycle: 'undocumented',
      sunset_at: Date.parse('2026-01-01') / 1000,
    });
  });

  test('is none without APIs in the catalogue, and routes are named all the same', async () => {
    for (const catalogue of [emptyCatalogue, await read('consumers: [{ name: a }]')])
      expect(stamped({ url_path: '/orders/1' }, catalogue)).toMatchObject({ lifecycle: '', sunset_at: null, http_route: '/orders/{id}' });
  });
});

describe('the route of a request', () => {
  const catalogueText = 'apis: [{ name: a, servers: [/v1], routes: ["/orders/{orderId}"] }]';
  test.each([
    ['the template of the gateway', '/orders/:order', '/v1/orders/7', '/orders/:order', undefined, undefined],
    ['the path of the gateway, if it is the whole', '/v1/orders/7', '/v1/orders/7', '/v1/orders/7', undefined, undefined],
    ['a route that is no path', 'sendOrder', '/v1/orders/7', 'sendOrder', undefined, undefined],
    ['what a framework below a mount calls it', '/orders', '/v1/orders', '/orders', undefined, undefined],
    ['not a prefix of it', '/v1/orders', '/v1/orders/7', '/v1/orders/{orderId}', 'catalogue', '/v1/orders'],
    ['not the root of all', '/', '/v1/orders/7', '/v1/orders/{orderId}', 'catalogue', '/'],
    ['not what takes everything', '/v1/{proxy+}', '/v1/carts/7', '/v1/carts/{id}', 'inferred', '/v1/{proxy+}'],
    ['the catalogue', '', '/v1/orders/7', '/v1/orders/{orderId}', 'catalogue', undefined],
    ['the path', '', '/v1/carts/7', '/v1/carts/{id}', 'inferred', undefined],
    ['a prefix of it, if the path says no more', '/v1/carts', '/v1/carts/', '/v1/carts', undefined, undefined],
  ])('is %s', async (_, http_route, url_path, route, source, path) => {
    const event = stamped({ http_route, url_path }, await read(catalogueText));
    expect([event.http_route, event.attributes['route_source'], event.attributes['gateway_path']]).toEqual([route, source, path]);
  });

  test.each([
    ['/wp-login.php', 404, ''],
    ['/wp-login.php', 200, '/wp-login.php'],
    ['/orders/99', 404, '/orders/{id}'],
  ])('%s, answered %i, is %j: what was not found is no route', (url_path, http_response_status_code, http_route) =>
    expect(stamped({ url_path, http_response_status_code }, emptyCatalogue)).toMatchObject({ http_route }),
  );

  test('is worked out after redaction: no secret comes back by it', () => {
    const { http_route, url_path } = stamped({ url_path: '/users/me@example.com/orders' }, emptyCatalogue);
    expect([url_path, http_route]).toEqual(['/users/REDACTED/orders', '/users/{id}/orders']);
  });
});

test('another catalogue is another normaliser, other consumers are not', async () => {
  const texts = ['{}', 'apis: [{ name: a }]', 'apis: [{ name: a, sunset: 2026-12-31 }]', 'apis: [{ name: a, routes: [/x] }]'];
  const normalisers = await Promise.all(texts.map(async (text) => decoderOf(await read(text)).normaliser));
  expect(new Set(normalisers).size).toBe(texts.length);
  expect(decoderOf(await read('consumers: [{ name: a }]')).normaliser).toBe(normalisers[0]);
});

describe('answers that are remembered are the answers', () => {
  const text = `
apis:
  - { name: a, servers: [https://a.example/x], routes: ['/{x}'] }
  - { name: b, servers: [https://b.example/x], routes: [/other] }
`;
  const asked = [
    [{ server_address: 'a.example', url_path: '/x/1' }, 'a /x/{x} active'],
    [{ server_address: 'b.example', url_path: '/x/1' }, 'b /x/{id} undocumented'],
    [{ server_address: 'c.example', url_path: '/x/1' }, ' /x/{id} undocumented'],
    [{ api_name: 'a', url_path: '/x/1/2' }, 'a /x/{id}/{id} undocumented'],
    [{ server_address: 'a.example', url_path: `/x/${'y'.repeat(300)}` }, 'a /x/{x} active'],
  ] as const;

  test('twice in a row, and of one path at several hosts', async () => {
    const decoder = decoderOf(await read(text));
    for (const [record, expected] of [...asked, ...asked]) {
      const value = Buffer.from(JSON.stringify({ timestamp: '2026-11-22T09:59:58Z', gateway_kind: 'mesh', ...record }));
      const seen: string[] = [];
      decoder.decode({ offset: 0, timestamp: -1, value, headers: {} }, 'gw', receivedAt, {
        event: ({ api_name, http_route, lifecycle }) => seen.push(`${api_name} ${http_route} ${lifecycle}`),
        rejected: () => expect.unreachable(),
        skipped: () => expect.unreachable(),
      });
      expect(seen).toEqual([expected]);
    }
  });
});
