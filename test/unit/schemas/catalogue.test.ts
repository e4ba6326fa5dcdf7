import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { limitsFor, readCatalogue } from '../../../schemas/catalogue.ts';

function written(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'gatetrail-catalogue-')), 'catalogue.yaml');
  writeFileSync(file, text);
  return file;
}
const read = (text: string) => readCatalogue(written(text));
const seconds = (date: string) => Date.parse(date) / 1000;
const fixture = (name: string) => join(import.meta.dirname, '../../fixtures/openapi', name);

describe('an API', () => {
  test('has what is said of it, and nothing where nothing is said', async () => {
    const { apis } = await read(`
apis:
  - name: orders
    id: a7
    version: v1
    lifecycle: deprecated
    sunset: 2026-12-31T22:00:00Z
    collection: shop
    owner: team-orders
    dataClasses: [pii, chd]
    knownAs: [orders-service]
    servers: [https://API.example.com:8443/v1/, /v1, https://example.com]
    routes:
      - get /orders/{id}
      - /health
      - { route: 'POST /orders', operation: addOrder, secured: true, deprecated: true, sunset: 2027-01-01, tags: [admin] }
  - name: bare
`);
    const servers = [
      { host: 'api.example.com', base: '/v1' },
      { host: '', base: '/v1' },
      { host: 'example.com', base: '' },
    ];
    const plain = { operation: '', deprecated: false, sunsetAt: null, secured: false, tags: [], servers };
    expect(apis).toEqual([
      {
        name: 'orders',
        id: 'a7',
        version: 'v1',
        lifecycle: 'deprecated',
        sunsetAt: seconds('2026-12-31T22:00:00Z'),
        collection: 'shop',
        owner: 'team-orders',
        dataClasses: ['pii', 'chd'],
        knownAs: ['orders-service'],
        servers,
        routes: [
          { method: 'GET', template: '/orders/{id}', ...plain },
          { method: '', template: '/health', ...plain },
          {
            method: 'POST',
            template: '/orders',
            operation: 'addOrder',
            deprecated: true,
            sunsetAt: seconds('2027-01-01'),
            secured: true,
            tags: ['admin'],
            servers,
          },
        ],
      },
      {
        name: 'bare',
        id: '',
        version: '',
        lifecycle: 'active',
        sunsetAt: null,
        collection: '',
        owner: '',
        dataClasses: [],
        knownAs: [],
        servers: [],
        routes: [],
      },
    ]);
  });

  test.each([
    ['sunset: 2026-12-31', 'deprecated'],
    ['{ lifecycle: sunset, sunset: 2026-12-31 }', 'deprecated'],
    ['{ lifecycle: active, sunset: 2026-12-31 }', 'active'],
  ])('with %s is %s until then', async (said, lifecycle) => {
    const { apis } = await read(`apis: [{ name: a, ${said.replaceAll(/[{}]/g, '')} }]`);
    expect(apis).toMatchObject([{ lifecycle, sunsetAt: seconds('2026-12-31') }]);
  });

  test('takes from an OpenAPI document what it does not say itself, and says more of its routes', async () => {
    const { apis } = await read(`
apis:
  - openapi: ${fixture('petstore-3.0.json')}
    routes:
      - { route: 'DELETE /pets/{petId}', tags: [admin] }
      - { route: 'GET /pets', secured: true, tags: [sensitive] }
      - GET /pets/random
  - { name: zoo, version: v7, openapi: '${fixture('petstore-3.0.json')}', servers: [/zoo] }
`);
    expect(apis).toMatchObject([
      {
        name: 'Pets',
        version: '2.0.1',
        servers: [
          { host: 'eu.pets.example', base: '/api/v2' },
          { host: '', base: '/api/v2' },
        ],
        routes: [
          { method: 'GET', template: '/pets', operation: 'listPets', secured: true, tags: ['pets', 'sensitive'] },
          { method: 'POST', template: '/pets', secured: true },
          { method: 'GET', template: '/pets/{petId}', secured: false },
          {
            method: 'DELETE',
            template: '/pets/{petId}',
            operation: 'removePet',
            deprecated: true,
            secured: true,
            sunsetAt: seconds('2027-01-31'),
            tags: ['admin'],
          },
          { method: 'GET', template: '/pets/random', operation: '', secured: false },
        ],
      },
      { name: 'zoo', version: 'v7', servers: [{ host: '', base: '/zoo' }] },
    ]);
  });
});

test('a route has the servers that its document gives it alone, unless the catalogue names those of the API', async () => {
  const file = written(`openapi: 3.1.0
info: { title: Files, version: '1' }
servers: [{ url: /v1 }]
paths:
  /up: { servers: [{ url: 'https://up.example' }], put: { operationId: put, responses: { "200": { description: Done } } } }
  /list: { get: { operationId: list, responses: { "200": { description: Done } } } }
`);
  const { apis } = await read(
    `apis: [{ openapi: '${file}', routes: ['PUT /up', /down] }, { name: other, openapi: '${file}', servers: [/files] }]`,
  );
  const basesOf = (at: number) =>
    apis[at]?.routes.map(({ template, servers }) => [template, ...servers.map(({ host, base }) => host + base)]);
  expect(basesOf(0)).toEqual([['/up', 'up.example'], ['/list', '/v1'], ['/down', '/v1']]); // prettier-ignore
  expect(basesOf(1)).toEqual([['/up', '/files'], ['/list', '/files']]); // prettier-ignore
});

test('consumers have limits of their own, or those of their plan', async () => {
  const catalogue = await read(`
plans:
  small: { limits: [{ requests: 60, per: PT1M }, { requests: 1000, per: PT1H }] }
consumers:
  - { name: a, plan: small, kind: machine, owner: apps }
  - { name: b, plan: small, limits: [{ requests: 5, per: PT1M }] }
  - { name: c }
`);
  expect(limitsFor(catalogue, 60_000)).toEqual(new Map([['a', 60], ['b', 5]])); // prettier-ignore
  expect(limitsFor(catalogue, 3_600_000)).toEqual(new Map([['a', 1000]]));
  expect(catalogue.consumers.get('a')).toMatchObject({ kind: 'machine', plan: 'small', owner: 'apps' });
});

describe('faults', () => {
  test('are all told at once, each with its line and its place', async () => {
    const file = written(`apis:
  - name: orders
    lifecycle: retired
    dataclasses: [pii]
    sunset: soon
  - name: orders
    version: 1
    dataClasses: [PII]
    servers: [api.example.com]
    routes:
      - GET orders
      - { route: GET /a, secured: maybe }
  - { name: orders, version: 1, lifecycle: sunset }
  - {}
  - 7
consumers:
  - { name: a, plan: large, kind: robot, limits: [{ requests: 0, per: PT1M }] }
plan: {}
`);
    const message = await readCatalogue(file).then(
      () => '',
      (error: { code: string; message: string }) => {
        expect(error.code).toBe('CONFIG_INVALID');
        return error.message;
      },
    );
    const lines = message.split('\n').map((line) => line.trim());
    expect(lines.shift()).toBe(`The catalogue ${file} has 15 faults:`);
    expect(lines.toSorted()).toEqual(
      [
        'catalogue.yaml:18: plan: expected one of apis, plans, consumers',
        'catalogue.yaml:15: apis[4]: expected values by name, got 7',
        'catalogue.yaml:4: apis[0].dataclasses: expected one of name, id, version, lifecycle, sunset, collection, owner, dataClasses, knownAs, servers, openapi, routes',
        'catalogue.yaml:3: apis[0].lifecycle: expected active or deprecated or sunset, got retired',
        'catalogue.yaml:5: apis[0].sunset: expected a date or an instant, as 2026-12-31 or 2026-12-31T22:00:00Z, got soon',
        'catalogue.yaml:8: apis[1].dataClasses[0]: expected a word in lower case, as pii, phi or chd, got PII',
        'catalogue.yaml:9: apis[1].servers[0]: expected a URL or a path, as https://api.example.com/v1 or /v1, got the server api.example.com',
        'catalogue.yaml:11: apis[1].routes[0].route: expected a method and a path, or a path alone, as GET /orders/{id}',
        'catalogue.yaml:12: apis[1].routes[1].secured: expected true or false, got "maybe"',
        'catalogue.yaml:13: apis[2].lifecycle: expected a date beside it: sunset: 2026-12-31',
        'catalogue.yaml:13: apis[2]: expected a name and version that no API before has, got orders 1',
        'catalogue.yaml:14: apis[3]: expected a name',
        'catalogue.yaml:17: consumers[0].plan: no plan is named large',
        'catalogue.yaml:17: consumers[0].kind: expected human or machine, got robot',
        'catalogue.yaml:17: consumers[0].limits[0]: expected requests above 0 and per as a span, for instance {requests: 600, per: PT1M}',
      ].toSorted(),
    );
  });

  test.each([
    ['an OpenAPI document that is not there', 'apis: [{ name: a, openapi: gone.yaml }]', /apis\[0\]\.openapi: gone\.yaml cannot be read/],
    ['what is no YAML', 'apis: [', /catalogue\.yaml: /],
    ['a list', '- a', /expected apis, plans and consumers by name/],
    ['an alias of nothing', 'apis: *nope', /catalogue\.yaml: Unresolved alias/],
    ['plans that are a list', 'plans: [a]', /catalogue\.yaml:1: plans: expected values by name, got \["a"\]/],
    ['a plan that is none', 'plans: { small: 7 }', /catalogue\.yaml:1: plans\.small: expected values by name, got 7/],
    ['a mistyped name in a plan', 'plans: { small: { limit: [] } }', /catalogue\.yaml:1: plans\.small\.limit: expected one of limits/],
    [
      'a mistyped name in a limit',
      'plans: { small: { limits: [{ requests: 1, per: PT1M, burst: 2 }] } }',
      /plans\.small\.limits\[0\]\.burst: expected one of requests, per/,
    ],
    [
      'a consumer that stands twice',
      'consumers: [{ name: a }, { name: a }]',
      /consumers\[1\]\.name: expected a name that no consumer before/,
    ],
    ['a date of no calendar', 'apis: [{ name: a, sunset: 2026-02-30 }]', /sunset: expected a date/],
  ])('%s', async (_, text, message) => expect(read(text)).rejects.toThrow(message));

  test('each is told once', async () =>
    expect(read('apis: [{ name: a, servers: [{ a: 1 }] }]')).rejects.toThrow(
      / has 1 fault:\n.*servers\[0\]: expected a text, got \{"a":1\}$/,
    ));

  test('a file that is not there', async () =>
    expect(readCatalogue('/nowhere/catalogue.yaml')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('The catalogue /nowhere/catalogue.yaml cannot be read'),
    }));
});
