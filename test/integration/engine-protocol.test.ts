/** The embedded engine as ClickHouse's HTTP protocol describes a server: what the client does, and what only others would send. */
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { request as ask, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRequest, send } from '../support/engine-request.ts';
import { startEmbeddedEngine, type TestEngine } from '../support/engine.ts';
import { sqlRows, sqlText } from '../support/sql.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEmbeddedEngine();
});
afterAll(() => engine?.stop());

const count = async (table: string) => Number(await sqlText(engine, `SELECT count() FROM ${table}`));
const table = async (name: string, columns: string) => {
  await sqlText(engine, `CREATE TABLE ${name} (${columns}) ENGINE = MergeTree ORDER BY tuple()`);
  return name;
};
const spool = () => readdirSync(join(engine.dataDir, 'engine-tmp'));
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
/** Polls until `holds`, and fails with how long it waited. */
async function within(ms: number, holds: () => Promise<boolean> | boolean): Promise<void> {
  const startedAt = performance.now();
  while (!(await holds())) {
    if (performance.now() - startedAt > ms) throw new Error(`does not hold after ${ms} ms`);
    await pause(20);
  }
}

describe('the client', () => {
  test('pings, commands, inserts, executes and queries, with gzip in both directions', async () => {
    const client = createClient({
      url: engine.url,
      username: 'ingest',
      password: engine.password,
      compression: { request: true, response: true },
    });
    expect(await client.ping()).toEqual({ success: true });
    expect(await client.ping({ select: true })).toEqual({ success: true });
    await client.command({ query: 'CREATE TABLE everything (a Int32, b String) ENGINE = MergeTree ORDER BY a' });
    const inserted = await client.insert({ table: 'everything', values: [{ a: 1, b: 'x\n\ny' }], format: 'JSONEachRow' });
    expect(inserted.summary).toMatchObject({ written_rows: '1' });
    const executed = await client.exec({ query: "INSERT INTO everything VALUES (2, '\\'')" });
    executed.stream.resume();
    const result = await client.query({ query: 'SELECT * FROM everything ORDER BY a', format: 'JSONEachRow', query_id: 'mine' });
    expect(result.query_id).toBe('mine');
    expect(await result.json()).toEqual([
      { a: 1, b: 'x\n\ny' },
      { a: 2, b: "'" },
    ]);
    await client.close();
  });

  test('gets formats with a head and a foot as documents', async () => {
    const client = engine.client();
    const result = await client.query({ query: 'SELECT number AS n FROM numbers(3)', format: 'JSON' });
    expect(await result.json()).toMatchObject({
      rows: 3,
      data: [{ n: expect.anything() }, { n: expect.anything() }, { n: expect.anything() }],
    });
    const names = await client.query({ query: 'SELECT number AS n FROM numbers(200000)', format: 'CSVWithNames' });
    const lines = (await names.text()).split('\n');
    expect([lines.length, lines.filter((line) => line === '"n"').length]).toEqual([200_002, 1]);
  });

  test('binds long parameters through a form', async () => {
    const long = "multi\n'part\\".repeat(10_000);
    const result = await engine.client().query({
      query: 'SELECT {x:String} AS x',
      format: 'JSONEachRow',
      query_params: { x: long },
      use_multipart_params: true,
    });
    expect(await result.json()).toEqual([{ x: long }]);
  });

  test('works in the database it names', async () => {
    const database = await engine.createDatabase();
    const client = engine.client({ database });
    await client.command({ query: 'CREATE TABLE here (a UInt8) ENGINE = Memory' });
    expect(await sqlRows(engine, `SELECT database FROM system.tables WHERE name = 'here'`)).toEqual([{ database }]);
  });

  test('gets an error with its code, its name and its text', async () => {
    const client = createClient({ url: engine.url, password: engine.password, log: { level: 127 } });
    await expect(client.query({ query: 'SELECT * FROM nosuch' })).rejects.toMatchObject({ code: '60', type: 'UNKNOWN_TABLE' });
    await expect(client.query({ query: 'selct' })).rejects.toMatchObject({ code: '62', type: 'SYNTAX_ERROR' });
    await client.close();
  });

  test('gets an error in the middle of a stream, after the rows before it', async () => {
    const client = createClient({ url: engine.url, password: engine.password, log: { level: 127 } });
    const result = await client.query({
      query: 'SELECT number, throwIf(number = 1500000) AS x FROM numbers(2000000)',
      format: 'JSONEachRow',
    });
    let rows = 0;
    const reading = (async () => {
      for await (const chunk of result.stream()) rows += chunk.length;
    })();
    await expect(reading).rejects.toMatchObject({ code: '395' });
    expect(rows).toBeGreaterThan(0);
    await client.close();
  });
});

describe('a stream', () => {
  test('of 3,000,000 rows (more than 200 MB) is sent while the engine works, in less than 300 MB of added memory', async () => {
    const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${engine.pid}/status`, 'utf8'))?.[1]) / 1024;
    await sqlText(engine, 'SELECT count() FROM numbers(1000000)');
    const before = rss();
    const startedAt = performance.now();
    const answer = await openRequest(engine, {
      user: 'export',
      url: { query: 'SELECT number, repeat(toString(number), 8) AS s FROM numbers(3000000) FORMAT JSONEachRow' },
    });
    const headersAfter = performance.now() - startedAt;
    let [bytes, rows, chunks, peak] = [0, 0, 0, before];
    // fetch gives a body with each answer
    for await (const chunk of answer.body!) {
      bytes += chunk.length;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) rows += 1;
      if ((chunks += 1) % 20 === 0) peak = Math.max(peak, rss());
    }
    const took = performance.now() - startedAt;
    console.log(
      JSON.stringify({
        rows,
        megabytes: Math.round(bytes / 1e6),
        rssBefore: Math.round(before),
        rssPeak: Math.round(peak),
        took: Math.round(took),
      }),
    );
    expect(rows).toBe(3_000_000);
    expect(bytes).toBeGreaterThan(200e6);
    expect(peak - before).toBeLessThan(300);
    expect(headersAfter).toBeLessThan(took / 2);
  });

  test('waits for a reader that is slow, and holds no more for it', async () => {
    const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${engine.pid}/status`, 'utf8'))?.[1]) / 1024;
    const stopped = new AbortController();
    const before = rss();
    const answer = await openRequest(engine, {
      url: { query: "SELECT repeat('x', 1000) FROM numbers(5000000) FORMAT TSV" },
      signal: stopped.signal,
    });
    const reader = answer.body!.getReader(); // fetch gives a body with each answer
    await reader.read();
    await pause(3000);
    expect(rss() - before).toBeLessThan(300);
    stopped.abort();
  });
});

describe('a client that goes away', () => {
  const running = async (mark: string) =>
    Number(
      await sqlText(engine, `SELECT count() FROM system.processes WHERE query LIKE '%${mark}%' AND query NOT LIKE '%system.processes%'`),
    );

  test.each([
    ['an aggregate', 'SELECT sum(sin(number)) FROM numbers(1000000000001) FORMAT JSONEachRow', '1000000000001'],
    ['a stream', 'SELECT sin(number) FROM numbers(1000000000002) FORMAT JSONEachRow', '1000000000002'],
    ['a document', 'SELECT max(sin(number)) FROM numbers(1000000000003) FORMAT JSON', '1000000000003'],
  ])('stops %s that would go on for hours', async (_, query, mark) => {
    const gone = new AbortController();
    const asked = openRequest(engine, { user: 'reader', url: { query }, signal: gone.signal }).catch(() => null);
    await within(10_000, async () => (await running(mark)) === 1);
    gone.abort();
    await within(10_000, async () => (await running(mark)) === 0);
    await asked;
    expect(spool()).toEqual([]);
  });

  test('in the middle of an insert stores nothing and leaves no file, with gzip and without', async () => {
    const name = await table('broken_off', 'a UInt64');
    const whole = Buffer.alloc(800_000, 1);
    for (const [body, headers] of [
      [whole, {}],
      [gzipSync(whole), { 'Content-Encoding': 'gzip' }],
    ] as const) {
      const gone = new AbortController();
      const open = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(body)) });
      const request = { url: { query: `INSERT INTO ${name} FORMAT RowBinary` }, headers, body: open, signal: gone.signal };
      const asked = openRequest(engine, request).catch(() => 'gone');
      await within(5000, () => spool().length === 1);
      gone.abort();
      expect(await asked).toBe('gone');
      await within(5000, () => spool().length === 0);
    }
    expect(await count(name)).toBe(0);
  });
});

describe('encodings', () => {
  test('gzip is read and written, and only when it is asked for', async () => {
    const name = await table('zipped', 'a UInt8');
    const body = new Uint8Array(gzipSync('{"a":1}\n{"a":2}\n'));
    await send(engine, { url: { query: `INSERT INTO ${name} FORMAT JSONEachRow` }, headers: { 'Content-Encoding': 'gzip' }, body });
    expect(await count(name)).toBe(2);
    const read = async (url: string, accept: string) => {
      // fetch would open the answer by itself.
      const asked = ask(`${engine.url}/?query=SELECT+7&${url}`, {
        method: 'POST',
        headers: { 'X-ClickHouse-User': 'reader', 'X-ClickHouse-Key': engine.password, 'Accept-Encoding': accept },
      }).end();
      const [response] = (await once(asked, 'response')) as [IncomingMessage];
      const bytes = Buffer.concat((await response.toArray()) as Buffer[]);
      return { encoding: response.headers['content-encoding'], bytes };
    };
    const zipped = await read('enable_http_compression=1', 'gzip');
    expect(zipped.encoding).toBe('gzip');
    expect(gunzipSync(zipped.bytes).toString()).toBe('7\n');
    expect(await read('', 'gzip')).toEqual({ encoding: undefined, bytes: Buffer.from('7\n') });
    expect(await read('enable_http_compression=1', 'zstd')).toEqual({ encoding: undefined, bytes: Buffer.from('7\n') });
  });

  test.each(['zstd', 'lz4', 'br', 'deflate', 'snappy', 'gzip, gzip'])('a body in %s is refused by name', async (encoding) => {
    const answer = await send(engine, { url: { query: 'SELECT 1' }, headers: { 'Content-Encoding': encoding }, body: 'x' });
    expect(answer).toMatchObject({ status: 415, code: 48, text: expect.stringContaining(encoding) });
  });

  test('damaged gzip is refused and stores nothing', async () => {
    const name = await table('damaged', 'a UInt8');
    const whole = gzipSync('{"a":1}\n'.repeat(1000));
    const bad = Buffer.from(whole);
    bad.fill(0xff, 20, 30);
    for (const body of [Buffer.from('no gzip'), whole.subarray(0, -12), bad]) {
      const answer = await send(engine, {
        url: { query: `INSERT INTO ${name} FORMAT JSONEachRow` },
        headers: { 'Content-Encoding': 'gzip' },
        body: new Uint8Array(body),
      });
      expect(answer).toMatchObject({ status: 400, code: 354 });
    }
    expect([await count(name), spool()]).toEqual([0, []]);
  });

  test("ClickHouse's own block compression, sessions and roles are refused in words", async () => {
    expect(await send(engine, { url: { query: 'SELECT 1', compress: '1' } })).toMatchObject({ status: 415, code: 48 });
    expect(await send(engine, { url: { query: 'SELECT 1', session_id: 'a' } })).toMatchObject({
      code: 48,
      text: expect.stringContaining('session_id'),
    });
    expect(await send(engine, { url: { query: 'SELECT 1', role: 'a' } })).toMatchObject({ status: 404, code: 511 });
  });
});

describe('a statement', () => {
  test('may stand in the URL, in the body, or begin in one and end in the other', async () => {
    for (const [url, body] of [
      [{ query: 'SELECT 42' }, undefined],
      [{}, 'SELECT 42'],
      [{ query: 'SELECT' }, '42'],
    ] as const) {
      const answer = await send(engine, { url, ...(body === undefined ? {} : { body }) });
      expect(answer.text).toBe('42\n');
    }
  });

  test('is one statement: a second one is refused, and so is none', async () => {
    expect(await send(engine, { body: 'SELECT 1; CREATE TABLE second (a UInt8) ENGINE = Memory' })).toMatchObject({
      status: 400,
      code: 62,
    });
    expect(await send(engine, { body: '' })).toMatchObject({ status: 400, code: 62 });
    expect(await sqlText(engine, 'EXISTS second')).toBe('0\n');
  });

  test('of a GET only reads', async () => {
    const url = `${engine.url}/?${new URLSearchParams({ query: 'CREATE TABLE linked (a UInt8) ENGINE = Memory' }).toString()}`;
    const answer = await fetch(url, { headers: { 'X-ClickHouse-User': 'default', 'X-ClickHouse-Key': engine.password } });
    expect(answer.headers.get('x-clickhouse-exception-code')).toBe('164');
  });
});

describe('who may ask', () => {
  test('only who has the password, under a name that the engine knows', async () => {
    for (const [user, password] of [
      ['default', ''],
      ['default', 'wrong'],
      ['default', `${engine.password}x`],
      ['root', engine.password],
      ['__proto__', engine.password],
    ] as const) {
      expect(await send(engine, { url: { query: 'SELECT 1' }, user, password })).toMatchObject({ status: 403, code: 516 });
    }
    expect((await fetch(`${engine.url}/?query=SELECT+1`)).status).toBe(403);
  });

  test('only from this machine', async () => {
    const port = Number(new URL(engine.url).port);
    const others = Object.values(networkInterfaces())
      .flat()
      .filter((address) => address !== undefined && !address.internal && address.family === 'IPv4')
      .map((address) => address?.address ?? '');
    expect(new URL(engine.url).hostname).toBe('127.0.0.1');
    for (const host of [...others, '::1']) {
      const socket = connect({ host, port });
      const opened = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(
        () => false,
      );
      socket.destroy();
      expect(opened, host).toBe(false);
    }
  });

  test('the password stands in a file that only its owner reads', () => {
    const note = join(engine.dataDir, 'engine.json');
    expect(statSync(note).mode & 0o777).toBe(0o600);
    expect(statSync(join(engine.dataDir, 'engine')).mode & 0o777).toBe(0o700);
    expect(JSON.parse(readFileSync(note, 'utf8'))).toMatchObject({ url: engine.url, password: engine.password, pid: engine.pid });
  });
});

describe('nothing that is sent ends the engine', () => {
  const hello = () => `Authorization: Basic ${Buffer.from(`default:${engine.password}`).toString('base64')}\r\nHost: x\r\n`;
  const chunked = 'Transfer-Encoding: chunked\r\n';

  test.each<[string, () => string]>([
    ['no HTTP', () => '\0\x01\x02 garbage\r\n\r\n'],
    ['a path that is no path', () => `GET // HTTP/1.1\r\n${hello()}\r\n`],
    ['another path', () => `GET /play HTTP/1.1\r\n${hello()}\r\n`],
    ['a broken escape', () => `POST /?query=%E0%A4%A HTTP/1.1\r\n${hello()}Content-Length: 0\r\n\r\n`],
    ['a password that is not base64', () => 'GET /?query=SELECT+1 HTTP/1.1\r\nHost: x\r\nAuthorization: Basic \xff\xfe:::\r\n\r\n'],
    ['a form without a boundary', () => `POST / HTTP/1.1\r\n${hello()}Content-Type: multipart/form-data\r\nContent-Length: 3\r\n\r\nabc`],
    [
      'a form that breaks off',
      () => `POST / HTTP/1.1\r\n${hello()}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9\r\n\r\n--b`,
    ],
    ['a chunk of no length', () => `POST /?query=SELECT+1 HTTP/1.1\r\n${hello()}${chunked}\r\nZZ\r\nabc`],
    ['gzip that breaks off', () => `POST /?query=SELECT+1 HTTP/1.1\r\n${hello()}${chunked}Content-Encoding: gzip\r\n\r\n3\r\n\x1f\x8b\x08`],
    ['gzip that nobody reads', () => `POST /?query=%27 HTTP/1.1\r\n${hello()}Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd`],
    ['an insert that breaks off', () => `POST /?query=INSERT+INTO+t+FORMAT+CSV HTTP/1.1\r\n${hello()}Content-Length: 99\r\n\r\n1`],
    ['an insert into nothing', () => `POST /?query=INSERT HTTP/1.1\r\n${hello()}Content-Length: 1\r\n\r\n1`],
    ['two questions at once', () => `GET /?query=SELECT+1 HTTP/1.1\r\n${hello()}\r\n`.repeat(2)],
  ])('%s', async (_, bytes) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(engine.url).port) });
    socket.on('error', () => {});
    socket.write(Buffer.from(bytes(), 'latin1'));
    await pause(150);
    socket.destroy();
    await pause(50);
    expect(await sqlText(engine, 'SELECT 1')).toBe('1\n');
    expect(spool()).toEqual([]);
  });
});
