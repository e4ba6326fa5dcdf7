import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { deriveKey, type PurposeKey } from '../../../core/keys.ts';
import { signLink, type EvidenceLink } from '../../../core/link-token.ts';
import { evidencePage } from '../../../query/evidence-page.ts';
import { newToken, openAccess, type Access } from '../../../storage/access.ts';
import { openAccessLog } from '../../../storage/access-log.ts';
import { createAttempts } from '../../../storage/attempts.ts';
import type { ClickHouse } from '../../../storage/clickhouse.ts';
import { nextMorning, startApi, thatDay, type TestApi } from '../../support/api.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { claimRow, eventRow, writeClaims, writeEvents } from '../../support/events.ts';
import { until } from '../../support/gatetrail.ts';
import { sqlRows, sqlText } from '../../support/sql.ts';

let engine: TestEngine;
let database: TestDatabase;
let api: TestApi;
const links = [deriveKey('now', 'links'), deriveKey('before', 'links')] as const;

beforeAll(async () => {
  engine = await startEngine();
  database = await freshDatabase(engine);
  api = await startApi(database.clickhouse, { clock: nextMorning });
  const paths = ['/a', '/<script>alert(1)</script>', '/b'];
  const rows = paths.map((url_path, kafka_offset) =>
    eventRow({ url_path, kafka_offset, batch_events: 4, consumer_name: 'mobile', http_response_status_code: 401 }),
  );
  const foreign = eventRow({ tenant: 'globex', url_path: '/secret-of-globex', kafka_offset: 3, batch_events: 4, consumer_name: 'mobile' });
  await writeEvents(engine, database.name, [...rows, foreign]);
  await writeClaims(engine, database.name, [claimRow({ first_offset: 0, last_offset: 3 })]);
});
afterAll(async () => {
  api.close();
  await database.close();
  await engine.stop();
});

const entries = (condition: string) =>
  sqlRows<Record<string, unknown>>(
    engine,
    `SELECT action, target, toString(rows) AS rows, allowed, actor, operation FROM access_log WHERE ${condition} ORDER BY at, action`,
    database.name,
  );

const link: EvidenceLink = {
  alertId: 'a1',
  title: 'Auth <b>failures</b>',
  tenant: 'acme',
  filter: { consumer: { in: ['mobile'] } },
  from: Date.parse('2026-11-22T00:00:00Z'),
  to: Date.parse('2026-11-23T00:00:00Z'),
  expiresAt: nextMorning.now() + 60_000,
};
const attempts = createAttempts(systemClock);
const open = (token: string) =>
  evidencePage(token, '192.0.2.1', {
    clickhouse: database.clickhouse,
    accessLog: openAccessLog(database.clickhouse, systemClock),
    keys: links,
    attempts,
    clock: nextMorning,
  });

test('a link shows exactly its events, of its tenant, with markup as text, and is written down', async () => {
  const { status, html, headers } = await open(signLink(links[0], link));
  expect(status).toBe(200);
  expect(html).toContain('3 events');
  expect(html).toContain('/a</td>');
  expect(html).not.toContain('secret-of-globex');
  expect(html).not.toContain('<script');
  expect(html).not.toContain('<b>');
  expect(headers['content-security-policy']).toContain("default-src 'none'");
  expect(await entries("action = 'evidencePage' AND allowed = 1")).toMatchObject([{ target: 'a1', rows: '3' }]);
});

test('a link of the secret before the rotation opens; a changed, ended or foreign one does not, and the try is written down', async () => {
  expect((await open(signLink(links[1], link))).status).toBe(200);
  const [body = '', signature = ''] = signLink(links[0], link).split('.');
  const other = Buffer.from(JSON.stringify({ ...link, tenant: 'globex' })).toString('base64url');
  const refused = [
    `${other}.${signature}`,
    `${body}.${signature.slice(0, -2)}AA`,
    body,
    '',
    'x'.repeat(20_000),
    signLink(links[0], { ...link, expiresAt: nextMorning.now() }),
    signLink(deriveKey('stranger', 'links'), link),
    // The same secret drawn for another purpose signs nothing here.
    signLink(deriveKey('now', 'cursors'), link),
  ];
  for (const token of refused) {
    const { status, html } = await open(token);
    expect(status).toBe(403);
    expect(html).not.toContain('<td>');
  }
  expect(await entries("action = 'evidencePage' AND allowed = 0")).toHaveLength(refused.length);
});

test('a flood of links that are none is cut off, and does not fill the log; a link that is good opens all the same', async () => {
  const since = new Date().toISOString().replace('T', ' ').replace('Z', '');
  const of = (token: string) =>
    evidencePage(token, '192.0.2.9', {
      clickhouse: database.clickhouse,
      accessLog: openAccessLog(database.clickhouse, systemClock),
      keys: links,
      attempts,
      clock: nextMorning,
    });
  const codes: unknown[] = [];
  for (let at = 0; at < 12; at += 1) codes.push(await of('x').then(({ status }) => status, (error: { code: string }) => error.code)); // prettier-ignore
  expect(codes).toEqual([...Array.from({ length: 10 }, () => 403), 'RATE_LIMITED', 'RATE_LIMITED']);
  expect(await entries(`at >= '${since}' AND action = 'evidencePage'`)).toHaveLength(10);
  expect((await of(signLink(links[0], link))).status).toBe(200);
});

test('every read of events and dead letters is written down before its answer', async () => {
  const since = `at >= '${new Date().toISOString().replace('T', ' ').replace('Z', '')}'`;
  const { data } =
    await api.ask(`query Look {auditEvents(${thatDay}) {nodes {id}} facets(${thatDay}, dimensions: [METHOD]) {values {value}} deadLetters(${thatDay}) {nodes {id}}
    metrics(${thatDay}) {total {requests}} timeSeries(${thatDay}, interval: "PT6H") {interval}}`);
  const [{ id }] = data.auditEvents.nodes;
  await api.ask(`{auditEvent(id: "${id}") {id}}`);
  const found = await entries(since);
  expect(found.map(({ action, rows }) => [action, rows])).toEqual(
    expect.arrayContaining([
      ['auditEvents', '4'],
      ['facets', '1'],
      ['deadLetters', '0'],
      ['metrics', '1'],
      ['timeSeries', '1'],
      ['auditEvent', '1'],
    ]),
  );
  expect(found.find(({ action }) => action === 'auditEvent')).toMatchObject({ target: id, actor: 'admin', allowed: 1 });
  expect(found.find(({ action }) => action === 'auditEvents')).toMatchObject({ operation: 'Look' });
});

test.each([
  ['in UTF-8, which is how headers are sent mostly', Buffer.from('Prüfung – 5 €').toString('latin1'), 'Prüfung – 5 €'],
  ['in Latin-1, which HTTP says', 'Prüfung', 'Prüfung'],
])('the reason of a look is written down as it was given, %s', async (_, reason, written) => {
  const { data } = await api.ask(`query Why {auditEvents(${thatDay}) {nodes {id}}}`, { reason });
  expect(data.auditEvents.nodes).toHaveLength(4);
  const statement = "SELECT reason FROM access_log WHERE operation = 'Why' ORDER BY at DESC LIMIT 1";
  expect(await sqlRows(engine, statement, database.name)).toEqual([{ reason: written }]);
});

test('what cannot be written down is not answered', async () => {
  const accessLog = { write: () => Promise.reject(new Error('the log is away')) };
  const mute = await startApi(database.clickhouse, { clock: nextMorning, accessLog });
  const { data, errors } = await mute.ask(`{auditEvents(${thatDay}) {nodes {id}}}`);
  expect(data.auditEvents).toBeNull();
  expect(errors[0].extensions.code).toBe('INTERNAL');
  mute.close();
});

test('a request that is given up stops its statement', async () => {
  const { name, clickhouse, close } = await freshDatabase(engine);
  const slow = await startApi(clickhouse, { clock: nextMorning });
  await writeEvents(engine, name, [eventRow({ kafka_offset: 0 })]);
  await sqlText(engine, 'RENAME TABLE events TO stored_events', name);
  await sqlText(
    engine,
    'CREATE VIEW events AS SELECT e.* FROM numbers(50000000000) AS n CROSS JOIN stored_events AS e WHERE sipHash64(n.number) != 0',
    name,
  );
  const running = () =>
    sqlRows<{ query_id: string }>(
      engine,
      `SELECT query_id FROM system.processes WHERE current_database = '${name}' AND query LIKE '%m_requests%'`,
    );
  const control = new AbortController();
  const asked = slow.ask(`{metrics(${thatDay}) {total {requests}}}`, { signal: control.signal }).catch((error: unknown) => error);
  await until(running, ({ length }) => length > 0, 10_000);
  control.abort();
  await asked;
  const from = performance.now();
  await until(running, ({ length }) => length === 0, 10_000);
  expect(performance.now() - from).toBeLessThan(5_000);
  slow.close();
  await close();
});

test('a key opens until it is revoked or has expired; a mistyped, unknown or foreign one never does', async () => {
  const time = { at: Date.parse('2026-11-24T00:00:00Z') };
  const clock = { now: () => time.at };
  const keysOf = (...secrets: [string, ...string[]]) =>
    secrets.map((secret) => deriveKey(secret, 'api-keys')) as [PurposeKey, ...PurposeKey[]]; // one each
  const accessWith = (...secrets: [string, ...string[]]): Access =>
    openAccess({ clickhouse: database.clickhouse, keys: keysOf(...secrets), clock });
  const access = accessWith('old');
  const admin = { name: 'admin', keyId: 'admin', roles: ['admin'], tenants: ['*'] } as const;
  const made = await access.create({ name: 'k', roles: ['admin'], tenants: ['acme'], expiresAt: time.at + 60_000 }, admin);
  const code = (which: Access, token: string, address = Math.random().toString()) =>
    which.authenticate(`Bearer ${token}`, address).then(
      ({ tenants }) => tenants.join(),
      (error: unknown) => (error as { code: string }).code, // an AuditError
    );
  expect(made.secret).toMatch(/^gtk_[0-9A-Za-z]{8}_[0-9A-Za-z]{32}_[0-9a-f]{8}$/);
  expect(await code(access, made.secret)).toBe('acme');
  expect(
    await code(
      access,
      made.secret.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
    ),
  ).toBe('UNAUTHENTICATED');
  expect(await code(access, newToken())).toBe('UNAUTHENTICATED');
  // After a rotation the former secret is good for reading, and for nobody else.
  expect(await code(accessWith('new', 'old'), made.secret)).toBe('acme');
  expect(await code(accessWith('new'), made.secret)).toBe('UNAUTHENTICATED');
  const [row] = await sqlRows<{ hash: string }>(engine, `SELECT hash FROM api_keys WHERE id = '${made.apiKey.keyId}'`, database.name);
  expect(JSON.stringify(row)).not.toContain(made.secret.slice(13, 45));
  time.at += 60_001;
  expect(await code(access, made.secret)).toBe('UNAUTHENTICATED');
  const lasting = await access.create({ name: 'l', roles: ['admin'], tenants: ['acme'], expiresAt: null }, admin);
  expect(await code(access, lasting.secret)).toBe('acme');
  await access.revoke(lasting.apiKey);
  expect(await code(access, lasting.secret)).toBe('UNAUTHENTICATED');
});

test('of a flood from one address no more than ten are tried at once, and a key that is good comes through', async () => {
  let asked = 0;
  const clickhouse: ClickHouse = {
    ...database.clickhouse,
    rows: (sql, options) => {
      asked += 1;
      return database.clickhouse.rows(sql, options);
    },
  };
  const access = openAccess({ clickhouse, keys: [deriveKey('flood', 'api-keys')], clock: systemClock });
  const admin = { name: 'admin', keyId: 'admin', roles: ['admin'], tenants: ['*'] } as const;
  const create = () => access.create({ name: 'k', roles: ['ingest'], tenants: ['acme'], expiresAt: null }, admin);
  const keys = await Promise.all(Array.from({ length: 30 }, create));
  const codeOf = (token: string, address: string) =>
    access.authenticate(`Bearer ${token}`, address).then(
      () => 'in',
      (error: { code: string }) => error.code,
    );
  const good = await Promise.all(keys.map(({ secret }) => codeOf(secret, '192.0.2.81')));
  expect(new Set(good)).toEqual(new Set(['in']));
  asked = 0;
  const flood = await Promise.all(Array.from({ length: 200 }, () => codeOf(newToken(), '192.0.2.82')));
  expect(asked).toBe(10);
  expect(flood.filter((code) => code === 'UNAUTHENTICATED')).toHaveLength(10);
  expect(flood.filter((code) => code === 'RATE_LIMITED')).toHaveLength(190);
});

test('ten failures hold up an address, but not the keys behind it that were good before', async () => {
  const access = openAccess({ clickhouse: database.clickhouse, keys: [deriveKey('held', 'api-keys')], clock: systemClock });
  const admin = { name: 'admin', keyId: 'admin', roles: ['admin'], tenants: ['*'] } as const;
  const makeKey = async () => (await access.create({ name: 'k', roles: ['ingest'], tenants: ['acme'], expiresAt: null }, admin)).secret;
  const [known, unknown] = [await makeKey(), await makeKey()];
  const ask = (token: string) =>
    access.authenticate(`Bearer ${token}`, '192.0.2.77').then(
      () => 'in',
      (error: { code: string }) => error.code,
    );
  expect(await ask(known)).toBe('in');
  for (let failure = 0; failure < 10; failure += 1) expect(await ask(`wrong${failure}`)).toBe('UNAUTHENTICATED');
  expect([await ask('wrong'), await ask(unknown), await ask(known)]).toEqual(['RATE_LIMITED', 'RATE_LIMITED', 'in']);
});
