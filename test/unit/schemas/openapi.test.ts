import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type OpenApi, readOpenApi } from '../../../schemas/openapi.ts';

const fixture = (name: string) => readOpenApi(join(import.meta.dirname, '../../fixtures/openapi', name));
const briefly = ({ operations }: OpenApi) =>
  operations.map(({ method, template, operation, deprecated, sunset, secured }) =>
    [method, template, operation, secured && 'secured', deprecated && 'deprecated', sunset].filter(Boolean).join(' '),
  );

function written(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'gatetrail-openapi-')), 'api.yaml');
  writeFileSync(file, text);
  return file;
}

describe('a document', () => {
  test('of 3.0 in JSON gives its name, servers with their variables, and operations with their security', async () => {
    const document = await fixture('petstore-3.0.json');
    expect(document).toMatchObject({ title: 'Pets', version: '2.0.1', servers: ['https://eu.pets.example/api/v2', '/api/v2'] });
    expect(briefly(document)).toEqual([
      'GET /pets listPets', // security: [] takes back what the document asks for
      'POST /pets addPet secured',
      'GET /pets/{petId} getPet', // an empty requirement makes it optional
      'DELETE /pets/{petId} removePet secured deprecated 2027-01-31',
    ]);
    expect(document.operations[0]?.tags).toEqual(['pets']);
  });

  test('of 3.1 in YAML follows references to local files, and names the root where it names no server', async () => {
    const document = await fixture('split-3.1.yaml');
    expect(document.servers).toEqual(['/']);
    expect(briefly(document)).toEqual(['GET /carts/{id} getCart deprecated 2026-05-01', 'POST /carts/{id}:checkout checkout']);
  });
});

const withPaths = (paths: string) => `openapi: 3.1.0\ninfo: { title: T, version: '1' }\npaths:\n${paths}`;

test('an operation has the servers of its own, else those of its path, else none but those of the document', async () => {
  const answer = 'responses: { "200": { description: Done } }';
  const { servers, operations } = await readOpenApi(
    written(
      withPaths(`  /a:
    servers: [{ url: 'https://{zone}.example/a', variables: { zone: { default: eu } } }]
    get: { ${answer} }
    post: { servers: [{ url: /writes }, { url: https://w.example }], ${answer} }
  /b: { servers: [], get: { ${answer} } }
`),
    ),
  );
  expect(servers).toEqual(['/']);
  expect(operations.map((each) => [each.method, each.template, each.servers])).toEqual([
    ['GET', '/a', ['https://eu.example/a']],
    ['POST', '/a', ['/writes', 'https://w.example']],
    ['GET', '/b', null],
  ]);
});

describe('is refused with what to mend', () => {
  test.each([
    [
      'another version',
      "swagger: '2.0'\ninfo: { title: T, version: '1' }\npaths: {}\n",
      /expected an OpenAPI document of version 3\.0 or 3\.1/,
    ],
    ['something else', 'a: 1\n', /expected an OpenAPI document/],
    ['no YAML', 'openapi: [3.1.0\n', /api\.yaml/],
    [
      'what its schema does not have',
      withPaths('  /a: { get: { operationId: 7, responses: { "200": { description: A } } } }\n'),
      /operationId/,
    ],
    ['a reference to a file that is not there', withPaths('  /a: { $ref: gone.yaml }\n'), /gone\.yaml/],
    ['a reference to nothing', withPaths("  /a: { $ref: '#/components/pathItems/a' }\n"), /components/],
  ])('%s', async (_, text, message) => expect(readOpenApi(written(text))).rejects.toThrow(message));

  test('a reference to the network, which is not asked', async () => {
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      response.end('{}');
    });
    await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    try {
      for (const url of [`http://127.0.0.1:${port}/part.yaml`, 'https://specs.example.com/part.yaml#/a'])
        await expect(readOpenApi(written(withPaths(`  /a: { $ref: '${url}' }\n`)))).rejects.toThrow(
          `expected references to local files alone, nothing is fetched; got ${url.split('#')[0]}`,
        );
      expect(asked).toBe(0);
    } finally {
      server.close();
    }
  });

  test('but not for what is poor style alone', async () => {
    const twice = '{ get: { operationId: same, responses: { "200": { description: A } } } }';
    expect(briefly(await readOpenApi(written(withPaths(`  /a: ${twice}\n  /b/{id}: ${twice}\n`))))).toEqual([
      'GET /a same',
      'GET /b/{id} same',
    ]);
  });
});
