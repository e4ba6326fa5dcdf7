/** The ways in without Kafka, as a user goes them: posting, importing, following, recognising. Everything embedded, no service beside it. */
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanEnvironment, engineOf, graphql, runGatetrail, startGatetrail, until, type Running } from '../support/gatetrail.ts';
import { sqlText } from '../support/sql.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-ways-'));
const dataDir = join(folder, 'data');
let service: Running;
let token: string;

const config = join(folder, 'gatetrail.yaml');
beforeAll(async () => {
  writeFileSync(
    config,
    `formats:
  - name: shop
    gateway: nginx
    pattern: '(?P<ended>\\S+) (?P<http_request_method>[A-Z]+) (?P<url_path>\\S+) (?P<took>[\\d.]+)'
    fields: { timestamp: { path: ended, is: end }, duration_ms: { path: took, unit: s } }
    sample: 2026-11-24T11:00:05Z GET /a?b=c 0.5
    expect: { timestamp: 2026-11-24T11:00:04.5Z, url_path: /a, duration_ms: 500 }
sources:
  - { topic: shop-logs, format: shop, gateway: shop-1 }
`,
  );
  service = await startGatetrail(['start', '--config', config], { dataDir, env: { GATETRAIL_KAFKA_TOPICS: 'edge' } });
  token = service.ready.token ?? '';
}, 120_000);
afterAll(async () => {
  await service?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const line = (path: string, second = 1) => `203.0.113.9 - - [${logTime(second)}] "GET ${path} HTTP/1.1" 200 12 "-" "curl/8.5.0"`;
function logTime(second: number): string {
  const [, day, month, year, clock] = new Date(Date.now() - 60_000 + second).toUTCString().split(/[ ,]+/);
  return `${day}/${month}/${year}:${clock} +0000`;
}

async function post(body: string | Buffer, headers: Record<string, string> = {}, query = '?wait=stored') {
  const response = await fetch(`${service.ready.url}/v1/records${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'text/plain', ...headers },
    body: body as BodyInit,
  });
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> & { error?: { code: string } } };
}

async function paths(prefix: string): Promise<string[]> {
  const query = `{ auditEvents(range: {relative: "PT1H"}, first: 1000, filter: {path: {startsWith: "${prefix}"}}) { nodes { request { path } } } }`;
  const { data } = await graphql<{ auditEvents: { nodes: { request: { path: string } }[] } }>({ url: service.ready.url, token }, query);
  return data.auditEvents.nodes.map(({ request }) => request.path).toSorted();
}

describe('posting', () => {
  test('is answered with 202 once the log has the records, and says what became of them when asked', async () => {
    expect(await post(`${line('/post/a')}\nno log line\n${line('/post/b')}`)).toEqual({
      status: 202,
      answer: { messages: 3, events: 2, rejected: 1, skipped: 0, reasons: { UNKNOWN_FORMAT: 1 } },
    });
    expect(await post(line('/post/c'), {}, '')).toEqual({ status: 202, answer: { messages: 1 } });
    await until(
      () => paths('/post/'),
      (all) => all.length === 3,
      20_000,
    );
  });

  test('takes gzip, JSON arrays and a format by name', async () => {
    expect((await post(gzipSync(line('/gzip/a')), { 'content-encoding': 'gzip' })).answer).toMatchObject({ events: 1 });
    const record = { timestamp: new Date().toISOString(), gateway_kind: 'mesh', url_path: '/json/a' };
    expect((await post(JSON.stringify([record, record]), { 'content-type': 'application/json' })).answer).toMatchObject({
      messages: 1,
      events: 2,
    });
    expect((await post(line('/format/a'), {}, '?wait=stored&format=kong')).answer).toMatchObject({ rejected: 1 });
  });

  test('takes a format of the configuration by name, and by the source that is pinned to it', async () => {
    const shop = (path: string) => `${new Date().toISOString()} GET ${path} 0.25`;
    expect((await post(shop('/shop/posted'), {}, '?wait=stored&format=shop')).answer).toMatchObject({ events: 1 });
    expect((await post(shop('/shop/pinned'), {}, '?wait=stored&topic=shop-logs')).answer).toMatchObject({ events: 1 });
    expect((await post(shop('/shop/unnamed'))).answer).toMatchObject({ events: 0, reasons: { UNKNOWN_FORMAT: 1 } });
    const file = join(folder, 'shop.log');
    writeFileSync(file, `${shop('/shop/imported')}\nnone of the shop\n`);
    const ran = await runGatetrail(['import', file, '--format', 'shop', '--json', '--config', config], { dataDir });
    expect(JSON.parse(ran.out)).toMatchObject({ events: 1, rejected: 1, reasons: { BAD_FIELD: 1 } });
    expect(await paths('/shop/')).toEqual(['/shop/imported', '/shop/pinned', '/shop/posted']);
  });

  test.each([
    ['no key', { authorization: '' }, 'x', 401, 'UNAUTHENTICATED'],
    ['a format that there is not', {}, 'x', 400, 'BAD_USER_INPUT', '?format=kongg'],
    ['another content type', { 'content-type': 'application/xml' }, 'x', 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['an empty body', {}, '', 400, 'BAD_USER_INPUT'],
    ['damaged gzip', { 'content-encoding': 'gzip' }, 'x', 400, 'BAD_USER_INPUT'],
  ])('with %s is refused with its reason', async (_, headers, body, status, code, query = '') => {
    const refused = await post(body, headers, query);
    expect({ status: refused.status, code: refused.answer.error?.code }).toEqual({ status, code });
  });

  test('with a key of the role ingest posts, and reads nothing', async () => {
    const made = await runGatetrail(['keys', 'create', '--name', 'gateway', '--role', 'ingest', '--tenant', 'acme', '--json'], { dataDir });
    expect(made).toMatchObject({ code: 0 });
    const { secret, id } = JSON.parse(made.out) as { secret: string; id: string };
    expect((await post(line('/keyed/a'), { authorization: `Bearer ${secret}` })).answer).toMatchObject({ events: 1 });
    const read = await graphql({ url: service.ready.url, token: secret }, '{ auditEvents(range: {relative: "PT1H"}) { nodes { id } } }');
    expect(read.errors?.[0]?.extensions?.['code']).toBe('FORBIDDEN');
    expect((await post(line('/keyed/b'), { authorization: `Bearer ${secret}` }, '?tenant=globex')).status).toBe(403);
    expect((await runGatetrail(['keys', 'revoke', id], { dataDir })).code).toBe(0);
    const refused = await runGatetrail(['keys', 'create', '--name', 'x', '--role', 'postman'], { dataDir });
    expect(refused).toMatchObject({ code: 2, log: expect.stringContaining('--role must be one of admin, ingest, not postman') });
  });

  test('who was refused stands in the access log', async () => {
    const sql = "SELECT actor, allowed FROM access_log WHERE action = 'records' ORDER BY actor FORMAT JSONCompactEachRow";
    expect(
      (await sqlText(engineOf(dataDir, 'reader'), sql, 'gatetrail'))
        .trim()
        .split('\n')
        .map((row) => JSON.parse(row) as unknown),
    ).toEqual([
      ['', 0],
      ['gateway', 0],
    ]);
  });
});

describe('importing', () => {
  const file = join(folder, 'access.log');
  const run = (...args: string[]) => runGatetrail(['import', file, '--json', ...args], { dataDir });
  const tally = async (...args: string[]) => JSON.parse((await run(...args)).out) as Record<string, unknown>;

  test('waits until the records are stored, and a repeated command doubles nothing', async () => {
    writeFileSync(file, `${line('/import/a')}\n${line('/import/b')}\n`);
    expect(await tally()).toMatchObject({ files: 1, messages: 2, events: 2, rejected: 0 });
    expect(await paths('/import/')).toEqual(['/import/a', '/import/b']);
    expect(await tally()).toMatchObject({ messages: 0, events: 0 });
    appendFileSync(file, `${line('/import/c')}\n`);
    expect(await tally()).toMatchObject({ messages: 1, events: 1 });
    renameSync(file, `${file}.1`);
    expect(JSON.parse((await runGatetrail(['import', `${file}.1`, '--json'], { dataDir })).out)).toMatchObject({ messages: 0 });
    expect(await paths('/import/')).toEqual(['/import/a', '/import/b', '/import/c']);
  });

  test('says with 3 that something could not be read, and imports anew when told', async () => {
    writeFileSync(file, `${line('/again/a')}\nnonsense\n`);
    expect((await run()).code).toBe(3);
    expect(await tally('--again')).toMatchObject({ messages: 2, events: 1, rejected: 1, reasons: { UNKNOWN_FORMAT: 1 } });
    expect(await paths('/again/')).toHaveLength(2);
  });

  test('reads standard input', async () => {
    const ran = await runGatetrail(['import', '-', '--json'], { dataDir, input: `${line('/stdin/a')}\n` });
    expect(JSON.parse(ran.out)).toMatchObject({ messages: 1, events: 1 });
  });

  test('goes to the topic that is named, and to none that nobody reads', async () => {
    writeFileSync(join(folder, 'edge.log'), `${line('/edge/a')}\n`);
    const [read, unread] = await Promise.all(
      ['edge', 'nobody'].map((topic) =>
        runGatetrail(['import', join(folder, 'edge.log'), '--json', '--again', '--topic', topic], { dataDir }),
      ),
    );
    expect(JSON.parse(read?.out ?? '')).toMatchObject({ messages: 1, events: 1 });
    const query = '{ auditEvents(range: {relative: "PT1H"}, filter: {topic: {eq: "edge"}}) { nodes { request { path } } } }';
    const { data } = await graphql({ url: service.ready.url, token }, query);
    expect(data).toEqual({ auditEvents: { nodes: [{ request: { path: '/edge/a' } }] } });
    expect(unread).toMatchObject({ code: 2, log: expect.stringContaining('topic must be one of edge, shop-logs, gatetrail-records') });
  });

  test('opens gzip on standard input too', async () => {
    const ran = await runGatetrail(['import', '-', '--json'], { dataDir, input: gzipSync(`${line('/stdin/b')}\n${line('/stdin/c')}\n`) });
    expect(JSON.parse(ran.out)).toMatchObject({ messages: 2, events: 2 });
  });

  test('reads a pipe by its name, each time anew', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of ['/pipe/a', '/pipe/b']) {
      const [ran] = await Promise.all([runGatetrail(['import', pipe, '--json'], { dataDir }), writeFile(pipe, `${line(path)}\n`)]);
      expect(JSON.parse(ran.out)).toMatchObject({ messages: 1, events: 1 });
    }
  });

  test('names a file that is not there before anything is started or sent', async () => {
    writeFileSync(file, `${line('/nowhere/a')}\n`);
    const unused = join(folder, 'never-made');
    const ran = await runGatetrail(['import', file, join(folder, 'nowhere.log')], { dataDir: unused });
    expect(ran).toMatchObject({ code: 2, log: expect.stringContaining('nowhere.log') });
    expect(existsSync(unused)).toBe(false);
  });

  test.each([
    ['http://127.0.0.1:65111', 75, 'ECONNREFUSED'],
    ['127.0.0.1:4000', 2, '--url must be the address of a service'],
  ])('into the service %s says why it cannot', async (url, code, why) => {
    const ran = await runGatetrail(['import', '-', '--url', url, '--key', 'k'], { dataDir, input: 'x\n' });
    expect(ran).toMatchObject({ code, log: expect.stringContaining(why) });
  });

  test('into another web server says what came from there', async () => {
    const other = createServer((_, response) => response.end('<html>'));
    await new Promise<void>((done) => void other.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const ran = await runGatetrail(['import', '-', '--url', url, '--key', 'k'], { dataDir, input: 'x\n' });
    other.close();
    expect(ran).toMatchObject({
      code: 75,
      log: expect.stringContaining(`Expected a service of Gatetrail at ${url}; 200 without JSON came`),
    });
  });

  test('follows a file through its rotation', async () => {
    const followed = join(folder, 'followed.log');
    writeFileSync(followed, `${line('/follow/a')}\n`);
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, '../../dist/main.js'), 'import', followed, '--follow', '--json', '--data', dataDir],
      { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let out = '';
    child.stdout.on('data', (text: Buffer) => (out += text.toString()));
    await until(
      () => paths('/follow/'),
      (all) => all.length === 1,
      30_000,
    );
    appendFileSync(followed, `${line('/follow/b')}\n`);
    renameSync(followed, `${followed}.1`);
    writeFileSync(followed, `${line('/follow/c')}\n`);
    expect(
      await until(
        () => paths('/follow/'),
        (all) => all.length === 3,
        30_000,
      ),
    ).toEqual(['/follow/a', '/follow/b', '/follow/c']);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ messages: 3, events: 3 });
  });
});

test('a key that would never end is refused', async () => {
  const args = ['keys', 'create', '--name', 'n', '--role', 'ingest', '--expires', '99999999999999d'];
  expect(await runGatetrail(args, { dataDir })).toMatchObject({
    code: 2,
    log: expect.stringContaining('--expires must be a span like 30d'),
  });
});

test('a reason may be written in any language', async () => {
  const args = [
    'query-api',
    'query Why { me { name } auditEvents(range: {relative: "PT1H"}) { nodes { id } } }',
    '--reason',
    'Prüfung\n– 5 €',
  ];
  expect(await runGatetrail(args, { dataDir })).toMatchObject({ code: 0 });
  const statement = "SELECT DISTINCT reason FROM gatetrail.access_log WHERE operation = 'Why'";
  expect(await sqlText(engineOf(dataDir, 'default'), statement)).toBe('Prüfung – 5 €\n');
});

describe('recognising', () => {
  test('shows how each record would be read, and stores nothing', async () => {
    const file = join(folder, 'kong.json');
    writeFileSync(
      file,
      JSON.stringify({
        request: { method: 'GET', uri: '/a' },
        response: { status: 200 },
        latencies: { request: 3 },
        started_at: 1_795_000_000_000,
      }),
    );
    const ran = await runGatetrail(['recognise', file, '--json'], { dataDir: join(folder, 'unused') });
    expect(JSON.parse(ran.out.split('\n')[0] ?? '')).toMatchObject({
      file,
      message: 0,
      index: 0,
      format: 'kong',
      test: expect.stringMatching(/`started_at`, objects `request` and `response`/),
      event: { gateway_kind: 'kong' },
    });
    expect(ran.out).not.toContain('"also"');
    expect(ran.code).toBe(0);
  });

  test('says what a record was recognised by, which other formats match, and what a given format was not recognised by', async () => {
    const kong = { request: { method: 'GET', uri: '/a' }, response: { status: 200 }, tries: [], started_at: 'soon' };
    const both = { ...kong, started_at: 1_795_000_000_000, start_time: 1, route_id: '7' };
    const input = `${JSON.stringify(both)}\n${JSON.stringify(kong)}\n`;
    const unused = { dataDir: join(folder, 'unused'), input };
    const rows = (await runGatetrail(['recognise', '-', '--json'], unused)).out.split('\n').slice(0, 2);
    const tested = { format: 'kong', test: expect.stringMatching(/^`started_at`/) };
    expect(rows.map((row) => JSON.parse(row) as unknown)).toMatchObject([
      { ...tested, also: ['apisix'] },
      { ...tested, code: 'BAD_TIME' },
    ]);
    const inWords = (await runGatetrail(['recognise', '-'], unused)).out;
    expect(inWords).toMatch(/^-:0 kong \S+ GET \/a 200 \(apisix would match too\)$/m);
    expect(inWords).toMatch(/^-:1 BAD_TIME at \$\.started_at: .*; read as kong, recognised by `started_at`/m);
    const given = (await runGatetrail(['recognise', '-', '--format', 'shop', '--json', '--config', config], { ...unused, input: 'x' })).out;
    expect(JSON.parse(given)).toMatchObject({ format: 'shop', code: 'BAD_FIELD' });
    const refused = await runGatetrail(['recognise', '-', '--format', 'shop'], unused);
    expect(refused.code).toBe(2);
  });

  test('prints events that import takes again', async () => {
    const log = join(folder, 'some.log');
    const events = join(folder, 'events.ndjson');
    writeFileSync(log, `${line('/events/a')}\n${line('/events/b')}\n`);
    writeFileSync(events, (await runGatetrail(['recognise', log, '--events'], { dataDir: join(folder, 'unused') })).out);
    expect(JSON.parse((await runGatetrail(['import', events, '--json'], { dataDir })).out)).toMatchObject({ messages: 2, events: 2 });
    expect(await paths('/events/')).toEqual(['/events/a', '/events/b']);
  });

  test('tells a person where each line stands, in words', async () => {
    const ran = await runGatetrail(['recognise', '-'], { dataDir: join(folder, 'unused'), input: `${line('/words')}\n\n{"hello":1}\n` });
    const [read, refused] = ran.out.split('\n');
    expect(read).toMatch(/^-:0 combined \S+ GET \/words 200$/);
    expect(refused).toMatch(/^-:1 UNKNOWN_FORMAT at \$: expected /);
  });

  test('ends quietly when nobody reads on', async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../dist/main.js'), 'recognise', '-'], { env: cleanEnvironment() });
    let log = '';
    child.stderr.on('data', (text: Buffer) => (log += text.toString()));
    child.stdout.destroy();
    child.stdin.on('error', () => {}).end(`${line('/unread')}\n`.repeat(5_000));
    await new Promise((resolve) => child.once('close', resolve));
    expect(log).toBe('');
  });

  test('says why a record cannot be read, and ends with 3', async () => {
    const file = join(folder, 'bad.json');
    writeFileSync(file, '{"hello":1}');
    const ran = await runGatetrail(['recognise', file, '--json'], { dataDir: join(folder, 'unused') });
    expect(JSON.parse(ran.out)).toMatchObject({ file, code: 'UNKNOWN_FORMAT', path: '$' });
    expect(ran.code).toBe(3);
  });
});
