/**
 * What the engine does to who is not careful, and what the host makes of it: one promise or more for each hazard H1 to H16
 * that was found in chdb. For H13 (a kill between token and rows) test/faults/engine.test.ts shows that an answer is kept;
 * what no answer means is the write protocol's, as is H14 (a token counts for one day's partition): test/faults/write.test.ts.
 */
import { Readable } from 'node:stream';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seeded } from '../support/campaign.ts';
import { send } from '../support/engine-request.ts';
import { startEmbeddedEngine, type TestEngine } from '../support/engine.ts';
import { sqlRows, sqlText } from '../support/sql.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEmbeddedEngine();
});
afterAll(() => engine?.stop());

const count = async (table: string) => Number(await sqlText(engine, `SELECT count() FROM ${table}`));
const table = async (name: string, columns: string, more = '') => {
  await sqlText(engine, `CREATE TABLE ${name} (${columns}) ENGINE = MergeTree ORDER BY tuple() ${more}`);
  return name;
};

test('H1: the settings of one statement never show in another: 1,000 interleaved over all users', { timeout: 240_000 }, async () => {
  const clients = ['ingest', 'reader', 'export', 'jobs', 'default'].map((user) => engine.client({ user }));
  const random = seeded(1);
  const seen = await Promise.all(
    Array.from({ length: 1000 }, async (_, at) => {
      const own = random() < 0.5;
      // at % 5 is a place in the list
      const result = await clients[at % clients.length]!.query({
        query: "SELECT toUInt64(getSetting('max_rows_to_read')) AS rows, getSetting('insert_deduplication_token') AS token",
        format: 'JSONEachRow',
        clickhouse_settings: own ? { max_rows_to_read: String(1000 + at), insert_deduplication_token: `token-${at}` } : {},
      });
      const [row] = await result.json<{ rows: string | number; token: string }>();
      const expected = own ? `${1000 + at} token-${at}` : '0 ';
      return `${row?.rows} ${row?.token}` === expected;
    }),
  );
  expect(seen.filter((right) => !right)).toHaveLength(0);
});

test('H1: an insert without a token is stored after one with a token, and a write after a read-only statement', async () => {
  const name = await table('h1', 'a UInt8', 'SETTINGS non_replicated_deduplication_window = 100');
  const insert = (a: number, token?: string) =>
    engine.client().insert({
      table: name,
      values: [{ a }],
      format: 'JSONEachRow',
      clickhouse_settings: token === undefined ? {} : { insert_deduplication_token: token },
    });
  await insert(1, 'one');
  await insert(2);
  await send(engine, { url: { query: 'SELECT 1', readonly: '1' } });
  await insert(3);
  expect(await count(name)).toBe(3);
});

test('H1: temporary tables and USE end with their statement', async () => {
  const client = engine.client();
  await client.command({ query: 'CREATE TEMPORARY TABLE h1_mine (a UInt8)' });
  await client.command({ query: 'USE system' });
  expect(await send(engine, { body: 'SELECT * FROM h1_mine' })).toMatchObject({ status: 404, code: 60 });
  expect(await sqlText(engine, 'SELECT currentDatabase()')).toBe('default\n');
});

test('H2: a hostile value of a setting is refused and runs no SQL', async () => {
  const hostile = [
    "\\'; CREATE TABLE pwned (a UInt8) ENGINE = Memory; --",
    "'; CREATE TABLE pwned (a UInt8) ENGINE = Memory; --",
    "1, log_comment = 'x'; CREATE TABLE pwned (a UInt8) ENGINE = Memory",
    '1\n\nCREATE TABLE pwned (a UInt8) ENGINE = Memory',
    '1 /* */ ; DROP DATABASE default',
  ];
  for (const value of hostile) {
    const answer = await send(engine, { url: { query: 'SELECT 1', max_threads: value } });
    expect(answer.code, value).not.toBeNull();
    // A setting that takes any text keeps it as text.
    const kept = await send(engine, {
      url: { query: "SELECT getSetting('insert_deduplication_token')", insert_deduplication_token: value, default_format: 'RawBLOB' },
    });
    expect(kept.text).toBe(value);
  }
  expect(await sqlText(engine, "SELECT count() FROM system.tables WHERE name = 'pwned'")).toBe('0\n');
});

test('H2: a name that is no setting of the engine is refused with code 115, whatever it holds', async () => {
  for (const name of [
    'nosuch',
    'max_threads = 1, readonly',
    'max_threads = 1; CREATE TABLE pwned (a UInt8) ENGINE = Memory; SET x',
    '`',
    "'",
  ]) {
    expect(await send(engine, { url: { query: 'SELECT 1', [name]: '1' } })).toMatchObject({ status: 404, code: 115 });
  }
  expect(await send(engine, { url: { query: 'SELECT 1', "param_x = '1'; DROP TABLE y; SET param_z": '1' } })).toMatchObject({ code: 455 });
});

test('H2: 1,500 random hostile strings come back from a bound parameter as they went in', { timeout: 240_000 }, async () => {
  const random = seeded(2);
  const client = engine.client({ user: 'reader' });
  const wrong: string[] = [];
  for (let batch = 0; batch < 30; batch += 1) {
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const value = hostileText(random);
        const result = await client.query({ query: 'SELECT {x:String} AS x', format: 'JSONEachRow', query_params: { x: value } });
        const [row] = await result.json<{ x: string }>();
        if (row?.x !== value) wrong.push(value);
      }),
    );
  }
  expect(wrong).toEqual([]);
});

const signs = [
  "'",
  '\\',
  '"',
  '`',
  '\n',
  '\r',
  '\t',
  '\0',
  '\b',
  ';',
  '--',
  '/*',
  '*/',
  '{',
  '}',
  '%',
  '$$',
  '\n\n',
  "\\'",
  '#!',
  'é',
  '漢',
  '😀',
];

function hostileText(random: () => number): string {
  return Array.from({ length: Math.floor(random() * 24) }, () =>
    // the index lies below the length of the list
    random() < 0.7 ? signs[Math.floor(random() * signs.length)]! : String.fromCodePoint(1 + Math.floor(random() * 0xd7fe)),
  ).join('');
}

test('H3: a blank line in a body is data or an error, and never SQL', async () => {
  const name = await table('h3', 'a String');
  const bodies = [
    `{"a":"1"}\n\nCREATE TABLE pwned3 (a UInt8) ENGINE = Memory`,
    `{"a":"1"}\r\n\r\nCREATE TABLE pwned3 (a UInt8) ENGINE = Memory`,
    `{"a":"1"}\n\n;\n\nCREATE TABLE pwned3 (a UInt8) ENGINE = Memory`,
  ];
  for (const body of bodies) {
    const inUrl = await send(engine, { url: { query: `INSERT INTO ${name} FORMAT JSONEachRow` }, body });
    const inBody = await send(engine, { body: `INSERT INTO ${name} FORMAT JSONEachRow\n${body}` });
    expect([inUrl.status, inBody.status]).toEqual([400, 400]);
  }
  await engine.client().insert({ table: name, values: [{ a: 'x\n\nSELECT 1\n\n' }], format: 'JSONEachRow' });
  expect(await sqlRows(engine, `SELECT a FROM ${name}`)).toEqual([{ a: 'x\n\nSELECT 1\n\n' }]);
  expect(await sqlText(engine, "SELECT count() FROM system.tables WHERE name = 'pwned3'")).toBe('0\n');
});

test.each(['RowBinary', 'Native', 'MsgPack', 'Parquet', 'ArrowStream', 'BSONEachRow'])(
  'H4: a %s body that is full of line breaks is stored whole',
  async (format) => {
    const name = await table(`h4_${format}`, 'n UInt64, s String');
    // 0x0a0a in each number and each text: the bytes at which an inline body would be cut.
    const rows = "SELECT number * 0x0a0a0a0a AS n, concat('\\n\\n', toString(number), '\\n\\n') AS s FROM numbers(10000)";
    const source = await fetch(`${engine.url}/`, {
      method: 'POST',
      headers: { 'X-ClickHouse-User': engine.user, 'X-ClickHouse-Key': engine.password },
      body: `${rows} FORMAT ${format}`,
    });
    const body = new Uint8Array(await source.arrayBuffer());
    expect(Buffer.from(body).indexOf('\n\n')).toBeGreaterThanOrEqual(0);
    expect(await send(engine, { url: { query: `INSERT INTO ${name} FORMAT ${format}` }, body })).toMatchObject({ status: 200 });
    const sum = (from: string) => sqlText(engine, `SELECT count(), sum(n), sum(cityHash64(s)) FROM ${from}`);
    expect(await sum(name)).toBe(await sum(`(${rows})`));
  },
);

test('H5: binary values given to exec are stored byte for byte', async () => {
  const name = await table('h5', 's String');
  const text = Buffer.from(Array.from({ length: 200 }, (_, at) => at + 56));
  const row = Buffer.concat([Buffer.from([200, 1]), text]);
  const { stream } = await engine.client().exec({ query: `INSERT INTO ${name} FORMAT RowBinary`, values: Readable.from([row]) });
  stream.resume();
  expect(await sqlRows(engine, `SELECT hex(s) AS s FROM ${name}`)).toEqual([{ s: text.toString('hex').toUpperCase() }]);
});

test('H6: INSERT … SELECT FROM input() is refused in words, where the engine would store nothing and say yes', async () => {
  const name = await table('h6', 'a UInt8');
  const query = `INSERT INTO ${name} SELECT a FROM input('a UInt8') FORMAT JSONEachRow`;
  expect(await send(engine, { url: { query }, body: '{"a":1}' })).toMatchObject({
    status: 501,
    code: 48,
    text: expect.stringContaining('input()'),
  });
  expect(await count(name)).toBe(0);
});

test('H7, H8, H9: statements of all users run side by side, bound ones too', async () => {
  const users = ['ingest', 'ingest', 'reader', 'reader', 'export', 'export', 'jobs', 'jobs'];
  const startedAt = performance.now();
  await Promise.all(users.map((user) => engine.client({ user }).command({ query: 'SELECT sleep({s:Float64})', query_params: { s: 1 } })));
  expect(performance.now() - startedAt).toBeLessThan(4000);
});

test('H7: a user whose places are all taken makes no other user wait', async () => {
  const busy = new AbortController();
  const slow = Array.from({ length: 6 }, () =>
    send(engine, {
      user: 'export',
      url: { query: 'SELECT sum(sleepEachRow(1)) FROM numbers(30) SETTINGS max_block_size = 1' },
      signal: busy.signal,
    }).catch(() => null),
  );
  await new Promise((resolve) => setTimeout(resolve, 300));
  const startedAt = performance.now();
  for (const user of ['reader', 'ingest', 'jobs'])
    expect(await send(engine, { user, url: { query: 'SELECT 1' } })).toMatchObject({ status: 200 });
  expect(performance.now() - startedAt).toBeLessThan(2000);
  busy.abort();
  await Promise.all(slow);
});

test('H9: a process with too few threads is refused in words', () => {
  const program = join(import.meta.dirname, '../../dist/local/engine/process.js');
  const run = spawnSync(process.execPath, [program, engine.dataDir], { env: { PATH: process.env['PATH'] }, encoding: 'utf8' });
  expect(run.status).toBe(1);
  expect(JSON.parse(run.stdout)).toMatchObject({
    event: 'failed',
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('UV_THREADPOOL_SIZE'),
  });
});

test('H10: users and row policies are refused with a code, so nobody can rely on them', async () => {
  await table('h10', 'a UInt8');
  for (const query of ['CREATE USER somebody', 'CREATE ROW POLICY p ON h10 USING a = 1 TO ALL']) {
    expect((await send(engine, { body: query })).code, query).not.toBeNull();
  }
});

test('H11: one bad row fails the whole insert, and nothing of it is stored', async () => {
  const name = await table('h11', 'a UInt8');
  const body = '{"a":1}\n{"a":"no number"}\n{"a":3}\n';
  expect(await send(engine, { url: { query: `INSERT INTO ${name} FORMAT JSONEachRow` }, body })).toMatchObject({ status: 400 });
  expect(await count(name)).toBe(0);
});

test('H12: a repeated token is stored once, though the summary counts its rows again', async () => {
  const name = await table('h12', 'a UInt8', 'SETTINGS non_replicated_deduplication_window = 100');
  const insert = () =>
    engine.client().insert({
      table: name,
      values: [{ a: 1 }, { a: 2 }],
      format: 'JSONEachRow',
      clickhouse_settings: { insert_deduplication_token: 'same' },
    });
  expect((await insert()).summary?.written_rows).toBe('2');
  await insert();
  expect(await count(name)).toBe(2);
});

test('H15: lightweight DELETE works, and lightweight UPDATE where the table has block numbers', async () => {
  const settings = 'SETTINGS enable_block_number_column = 1, enable_block_offset_column = 1';
  const name = await table('h15', 'a UInt8, b UInt8', settings);
  await sqlText(engine, `INSERT INTO ${name} VALUES (1, 1), (2, 2)`);
  await sqlText(engine, `UPDATE ${name} SET b = 9 WHERE a = 2`);
  await sqlText(engine, `DELETE FROM ${name} WHERE a = 1`);
  expect(await sqlRows(engine, `SELECT a, b FROM ${name}`)).toEqual([{ a: 2, b: 9 }]);
});

test('H16: a second engine on the same folder is refused and names the holder; the first goes on', async () => {
  const second = await startEmbeddedEngine({ dataDir: engine.dataDir }).catch((error: unknown) => error);
  expect(second).toMatchObject({ code: 'DATA_DIR_LOCKED', message: expect.stringContaining(engine.dataDir) });
  expect(second).toMatchObject({ message: expect.stringMatching(/^(?:Process \d+|Another process) runs the engine/) });
  expect(await sqlText(engine, 'SELECT 1')).toBe('1\n');
});
