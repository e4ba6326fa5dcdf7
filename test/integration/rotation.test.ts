/** A rotation of the secret: raw keys of consumers are found before and after it, by the key and by a hash that was noted before. Embedded. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { graphql, startGatetrail, type Running } from '../support/gatetrail.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-rotation-'));
const rawKey = 'a raw key of some consumer';
let service: Running | undefined;
afterAll(async () => {
  await service?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Event {
  readonly request: { readonly path: string };
  readonly principal: { readonly credentialHash: string };
}

/** Starts anew with this secret and posts one request. */
async function withSecrets(secret: string, path: string): Promise<void> {
  await service?.stop();
  writeFileSync(join(folder, 'gatetrail.yaml'), `secret: ${secret}\n`);
  service = await startGatetrail(['start', '--config', join(folder, 'gatetrail.yaml')], { dataDir: join(folder, 'data') });
  const record = { timestamp: new Date().toISOString(), gateway_kind: 'mesh', url_path: path, credential_hash: rawKey };
  const response = await fetch(`${service.ready.url}/v1/records?wait=stored`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.ready.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(record),
  });
  expect(response.status).toBe(202);
}

async function ask(filter: object): Promise<readonly Event[]> {
  const query = `query ($filter: AuditEventFilter) { auditEvents(range: {relative: "PT1H"}, order: OLDEST_FIRST, filter: $filter) {
    nodes { request { path } principal { credentialHash } } } }`;
  const place = { url: service?.ready.url ?? '', token: service?.ready.token ?? '' };
  const { data, errors } = await graphql<{ auditEvents: { nodes: readonly Event[] } }>(place, query, { filter });
  expect(errors).toBeUndefined();
  return data.auditEvents.nodes;
}

const paths = async (filter: object) => (await ask(filter)).map(({ request }) => request.path);

test('a consumer is one before and after it', async () => {
  const [before, after] = ['the first secret of these tests, long enough', 'the second secret of these tests, long enough'];
  await withSecrets(before, '/before');
  const noted = (await ask({}))[0]?.principal.credentialHash ?? '';
  expect(noted).toMatch(/^[0-9a-f]{4}-[0-9a-f]{16}$/);
  await withSecrets(`{current: "${after}", previous: ["${before}"]}`, '/after');
  const now = (await ask({ path: { eq: '/after' } }))[0]?.principal.credentialHash ?? '';
  expect(now.slice(0, 4)).not.toBe(noted.slice(0, 4));
  for (const credential of [rawKey, noted]) {
    expect(await paths({ credential: { eq: credential } }), credential).toEqual(['/before', '/after']);
    expect(await paths({ credential: { in: ['another', credential] } }), credential).toEqual(['/before', '/after']);
    expect(await paths({ credential: { ne: credential } }), credential).toEqual([]);
  }
  expect(await paths({ credential: { eq: now } })).toEqual(['/after']);
  expect(await paths({ search: `credential:${noted}` })).toEqual(['/before', '/after']);
  expect(await paths({ credential: { eq: 'another raw key' } })).toEqual([]);
});
