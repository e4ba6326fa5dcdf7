/**
 * Three hundred secrets at every position of every format, sent to the product as a user starts it, then looked for: in the bytes of
 * the data folder (journal, logs, mails, temporary files), in what the processes print, in the answers of the API, and by SQL in
 * every text, list and map of every table. Each search first finds a marker that may be stored. What is promised where, says
 * test/support/planting.ts: a dictionary word in a path is no secret, and no shape tells a password in a user agent.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { engineOf, graphql, startGatetrail, until, type Running } from '../support/gatetrail.ts';
import { searchFor } from '../support/needles.ts';
import { plant } from '../support/planting.ts';
import { drawSecrets, formsOf } from '../support/secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-planted-'));
const dataDir = join(folder, 'data');
const marker = 'marker-that-may-be-stored';
const secrets = drawSecrets(11);
const planted = plant(secrets);
const needles = searchFor([marker, ...secrets.flatMap(({ cores }) => cores.flatMap(formsOf))]);
let service: Running;
let token: string;

beforeAll(async () => {
  mkdirSync(join(folder, 'tmp'));
  writeFileSync(join(folder, 'gatetrail.yaml'), 'redaction:\n  allowQueryKeys: [page]\n');
  service = await startGatetrail(['start', '--config', join(folder, 'gatetrail.yaml')], {
    dataDir,
    env: { TMPDIR: join(folder, 'tmp'), GATETRAIL_LOG_LEVEL: 'debug', GATETRAIL_ALERTS_LATENESS: '2s', GATETRAIL_ALERTS_GROUP_WAIT: '1s' },
  });
  token = service.ready.token ?? '';
  await post(planted.map(({ body }) => body));
  await post(burst());
}, 240_000);
afterAll(async () => {
  await service?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** In parts of a few megabytes; a document is one line. */
async function post(bodies: readonly string[]): Promise<void> {
  for (let from = 0; from < bodies.length; from += 1_500) {
    const last = from + 1_500 >= bodies.length;
    const response = await fetch(`${service.ready.url}/v1/records${last ? '?wait=stored' : ''}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'text/plain' },
      body: bodies.slice(from, from + 1_500).join('\n'),
    });
    expect(response.status, await response.clone().text()).toBe(202);
  }
}

/** Refused calls of one consumer with secrets in them, and calm behind them up to now: an alert that mails five of the calls. */
function burst(): string[] {
  const start = Date.now() - 40 * 60_000;
  const call = (at: number, status: number, secret: string) =>
    JSON.stringify({
      timestamp: new Date(at).toISOString(),
      gateway_kind: 'mesh',
      url_path: `/${marker}/${encodeURIComponent(secret)}`,
      url_query: `token=${encodeURIComponent(secret)}`,
      http_response_status_code: status,
      user_agent_original: `${marker} ${secret}`,
      client_address: status === 401 ? '203.0.113.66' : '198.51.100.7',
      attributes: { password: secret, note: `password=${encodeURIComponent(secret)}` },
    });
  const known = secrets.filter(({ knownIn }) => knownIn === 'any text').map(({ text }) => text);
  return [
    ...known.slice(0, 60).map((secret, at) => call(start + at * 500, 401, secret)),
    ...Array.from({ length: 240 }, (_, at) => call(start + 60_000 + at * 10_000, 200, known[at % known.length] ?? '')),
  ];
}

/** @throws what was found beside the marker, and where the marker was not. */
function onlyTheMarker(found: Iterable<readonly [place: string, texts: readonly string[]]>): void {
  const all = [...found].filter(([, texts]) => texts.length > 0);
  expect(all.some(([, texts]) => texts.includes(marker))).toBe(true);
  expect(
    all.map(([place, texts]) => [place, texts.filter((text) => text !== marker).slice(0, 3)]).filter(([, texts]) => texts?.length),
  ).toEqual([]);
}

/** What the engine merges away while it is looked at is nothing. */
function ifThere<Value>(look: () => Value, nothing: Value): Value {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return nothing;
    throw error;
  }
}

const filesOf = (root: string): string[] =>
  ifThere(() => readdirSync(root, { withFileTypes: true }), []).flatMap((entry) => {
    const path = join(root, entry.name);
    return entry.isDirectory() ? filesOf(path) : entry.isFile() ? [path] : [];
  });

/** Mails as well without the line breaks that their encoding puts in. */
function bytesIn(file: string): Buffer {
  const bytes = ifThere(() => readFileSync(file), Buffer.alloc(0));
  if (!file.endsWith('.eml')) return bytes;
  const opened = bytes
    .toString()
    .replaceAll(/=\r?\n/g, '')
    .replaceAll(/=([\dA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.concat([bytes, Buffer.from(opened)]);
}

test('at 30 positions or more, nine thousand times', () => {
  expect(new Set(planted.map(({ position }) => position)).size).toBeGreaterThanOrEqual(30);
  expect(planted.length).toBeGreaterThanOrEqual(9_000);
});

describe('no planted secret is found', () => {
  test('in the bytes of the data folder and of temporary files, mails among them', async () => {
    const mails = await until(
      async () => filesOf(dataDir).filter((file) => file.endsWith('.eml')),
      ({ length }) => length > 0,
      60_000,
    );
    const files = filesOf(folder);
    expect(files).toEqual(expect.arrayContaining(mails));
    expect(files.some((file) => file.includes('journal'))).toBe(true);
    onlyTheMarker(files.map((file) => [file.slice(folder.length), needles(bytesIn(file))] as const));
    expect(mails.flatMap((file) => needles(bytesIn(file)))).toContain(marker);
  });

  test('in what the processes print, down to the debug level', () => {
    const printed = service.log() + JSON.stringify(service.lines());
    expect(searchFor([token])(Buffer.from(printed))).toEqual([token]);
    expect(service.log().length).toBeGreaterThan(100);
    expect(needles(Buffer.from(printed))).toEqual([]);
  });

  test('by SQL in any text, list or map of any table', async () => {
    const columns = await columnsWithTexts();
    expect(columns.length).toBeGreaterThan(60);
    const found: (readonly [string, readonly string[]])[] = [];
    for (const { table, name } of columns)
      found.push([`${table}.${name}`, needles(await sql(`SELECT DISTINCT \`${name}\` FROM ${table} FORMAT RowBinary`))]);
    onlyTheMarker(found);
    expect(new Map(found).get('gatetrail.events.user_agent_original')).toEqual([marker]);
    expect(Number((await sql('SELECT count() FROM gatetrail.events FORMAT TSV')).toString())).toBeGreaterThan(7_000);
    expect(Number((await sql('SELECT count() FROM gatetrail.dead_letters FORMAT TSV')).toString())).toBeGreaterThan(600);
  });

  test('in the answers of the API', async () => {
    const answers: [string, string][] = [];
    for (let after: string | null = null, more = true; more;) {
      const page: Answer = await graphql({ url: service.ready.url, token }, events, { after });
      expect(page.errors).toBeUndefined();
      answers.push(['auditEvents', JSON.stringify(page.data)]);
      ({ hasNextPage: more, endCursor: after } = page.data.auditEvents.pageInfo);
    }
    for (const [name, query] of Object.entries(others))
      answers.push([name, JSON.stringify(await graphql({ url: service.ready.url, token }, query))]);
    expect(answers.filter(([, text]) => text.includes('"errors"'))).toEqual([]);
    onlyTheMarker(answers.map(([name, text]) => [name, needles(Buffer.from(text))] as const));
  });
});

interface Answer {
  readonly data: { readonly auditEvents: { readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null } } };
  readonly errors?: unknown;
}

const range = 'range: {absolute: {from: "2026-01-01T00:00:00Z", to: "2100-01-01T00:00:00Z"}}';
const events = `query ($after: String) { auditEvents(${range}, first: 1000, after: $after) { pageInfo { hasNextPage endCursor } nodes {
  id tenant gateway { kind name format routeId routeName serviceId serviceName }
  request { method methodOriginal scheme host path query route userAgent protocol tlsVersion tlsCipher }
  errorType client { address peerAddress forwardedFor } principal { consumerId consumerName consumerGroup credentialId credentialHash authType }
  api { id name version operation } signals requestId traceId spanId attributes } } }`;
const others = {
  facets: `{ facets(${range}, dimensions: [CONSUMER, CREDENTIAL, METHOD, HOST, ROUTE, USER_AGENT, ERROR_TYPE], limit: 1000) { values { value } } }`,
  metrics: `{ metrics(${range}, groupBy: [PATH], limit: 1000) { rows { dimensions { value } values { requests } } } }`,
  deadLetters: `{ deadLetters(${range}, first: 1000) { nodes { code path message excerpt detectedFormat } } }`,
  alerts: `{ alerts { nodes { title summary subject { value } evidence(first: 5) { request { path userAgent } } } } }`,
};

interface Column {
  readonly table: string;
  readonly name: string;
}

async function columnsWithTexts(): Promise<Column[]> {
  const statement = `SELECT concat(database, '.', table) AS table, name FROM system.columns
WHERE match(type, 'String|Map|Array|JSON') AND database NOT IN ('information_schema', 'INFORMATION_SCHEMA')
  AND (database != 'system' OR table LIKE '%\\_log') ORDER BY table, name FORMAT JSONEachRow`;
  const text = (await sql(statement)).toString().trim();
  return text.split('\n').map((line) => JSON.parse(line) as Column);
}

/** Through the embedded engine's own door, nothing of the product in between. */
async function sql(statement: string): Promise<Buffer> {
  const { url, user, password } = engineOf(dataDir, 'reader');
  const response = await fetch(`${url}/?database=gatetrail`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` },
    body: statement,
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (!response.ok) throw new Error(`${statement.slice(0, 200)}: ${bytes.toString().slice(0, 300)}`);
  return bytes;
}
