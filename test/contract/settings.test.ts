/**
 * What the product sends is kept to what ClickHouse documents: every setting, URL parameter and header exists there, so that
 * nothing works on the embedded host alone. And the migrations hold what the write protocol stands on.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../core/logger.ts';
import { connect } from '../../storage/clickhouse.ts';
import { leasesTable } from '../../storage/lease.ts';
import { migrate, readMigrations } from '../../storage/migrate.ts';
import { probeTokens } from '../../storage/probe.ts';
import { raiseFloor } from '../../storage/retention-floor.ts';
import { freshDatabase } from '../support/database.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { sqlRows, sqlText } from '../support/sql.ts';
import { assignmentOf, keyOf, rangeOf, writerOn } from '../support/writer.ts';

const root = join(import.meta.dirname, '../..');
let engine: TestEngine;
let settings: ReadonlySet<string>;
let tableSettings: ReadonlySet<string>;

beforeAll(async () => {
  engine = await startEngine();
  const names = async (table: string) =>
    new Set((await sqlRows<{ name: string }>(engine, `SELECT name FROM system.${table}`)).map(({ name }) => name));
  settings = await names('settings');
  tableSettings = await names('merge_tree_settings');
});
afterAll(() => engine?.stop());

const sources = ['storage', 'ingest', 'query', 'alerts', 'schemas', 'app'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(ts|sql)$/.test(file))
    .map((file) => ({ file: `${folder}/${file}`, text: readFileSync(join(root, folder, file), 'utf8') })),
);

/** Keys with an underscore of the innermost object that follows the word `settings`, however it is passed; `clickhouse_settings` is the client's word. */
function settingsIn(text: string): string[] {
  return [...text.matchAll(/settings\b[^{};\n]*\{([^{}]*)\}/gi)].flatMap(([, body = '']) =>
    [...body.matchAll(/\b(?!clickhouse_settings)([a-z]+(?:_[a-z0-9]+)+)\s*:/g)].map(([, name = '']) => name),
  );
}

/** Names of `SETTINGS a = 1, b = 2` in SQL. */
function settingsClausesIn(text: string): string[] {
  return [...text.matchAll(/\bSETTINGS\s+((?:\w+\s*=\s*[\w']+(?:,\s*)?)+)/g)].flatMap(([, list = '']) =>
    [...list.matchAll(/(\w+)\s*=/g)].map(([, name = '']) => name),
  );
}

describe('every setting that the sources name', () => {
  test('is one of ClickHouse', () => {
    const named = sources.flatMap(({ file, text }) => settingsIn(text).map((name) => ({ file, name })));
    expect(named.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['async_insert', 'max_insert_block_size', 'max_partitions_per_insert_block']),
    );
    expect(named.filter(({ name }) => !settings.has(name))).toEqual([]);
  });

  test('in SQL is one of ClickHouse, of the statement or of the table', () => {
    const named = sources.flatMap(({ file, text }) => settingsClausesIn(text).map((name) => ({ file, name })));
    expect(named.map(({ name }) => name)).toContain('non_replicated_deduplication_window');
    expect(named.filter(({ name }) => !settings.has(name) && !tableSettings.has(name))).toEqual([]);
  });

  test('is set to what keeps a body whole on every insert under a token', () => {
    const client = sources.find(({ file }) => file === 'storage/clickhouse.ts')?.text ?? '';
    for (const line of [
      'async_insert: 0',
      'insert_deduplicate: 1',
      'use_strict_insert_block_limits: 1',
      'max_insert_threads: 1',
      'input_format_parallel_parsing: 0',
    ])
      expect(client).toContain(line);
    for (const name of ['max_block_size', 'max_insert_block_size'])
      expect(Number(new RegExp(`\\b${name}: ([\\d_]+)`).exec(client)?.[1]?.replaceAll('_', ''))).toBeGreaterThanOrEqual(1_000_000);
  });
});

describe('every request', () => {
  interface Sent {
    readonly method: string;
    readonly parameters: string[];
    readonly headers: string[];
    readonly path: string;
  }
  const sent: Sent[] = [];
  let recorder: Server;

  /** Passes requests on to the engine as they are, and notes what they are made of. */
  beforeAll(async () => {
    recorder = createServer((incoming, outgoing) => {
      const url = new URL(incoming.url ?? '/', engine.url);
      sent.push({
        method: incoming.method ?? '',
        path: url.pathname,
        parameters: [...url.searchParams.keys()],
        headers: Object.keys(incoming.headers),
      });
      const upstream = request(url, { method: incoming.method ?? 'POST', headers: incoming.headers }, (answer: IncomingMessage) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(upstream);
    });
    await new Promise<void>((resolve) => recorder.listen(0, '127.0.0.1', resolve));
    await useEverything(`http://127.0.0.1:${(recorder.address() as AddressInfo).port}`);
  });
  afterAll(() => recorder?.close());

  /** A run through what talks to ClickHouse: all verbs of the client, migrations, leases, the probe, the write protocol. */
  async function useEverything(url: string): Promise<void> {
    const database = await engine.createDatabase();
    const clickhouse = connect({ url, user: engine.user, password: engine.password, database });
    await clickhouse.ping();
    await migrate(clickhouse, { holder: 'test', logger: silentLogger });
    await probeTokens(clickhouse);
    const writer = writerOn(clickhouse);
    const batch = writer.maker.make(keyOf(), rangeOf(0, ['/a', 'bad']), Date.now());
    const outcome = await writer.write(assignmentOf(), batch, 1);
    if (outcome.kind !== 'stored') throw new Error('a batch was to be stored');
    await writer.ledger.insertRevision(keyOf(), { ...outcome.claim, revision: 1, settled: true }, 'v1');
    await raiseFloor(clickhouse, 86_400_000, { reason: 'test', setBy: 'test' });
    for await (const _ of await clickhouse.stream('SELECT 1 FORMAT Native')); // a stream is over when it was read
    await clickhouse.rows('SELECT {a:Array(UInt64)} AS a', { parameters: { a: [1] }, settings: { max_execution_time: 5 } });
    await clickhouse.close();
  }

  // Source: ClickHouse, docs/en/interfaces/http.md
  const documented = new Set([
    'query',
    'database',
    'query_id',
    'session_id',
    'session_timeout',
    'session_check',
    'default_format',
    'compress',
    'decompress',
    'role',
    'quota_key',
  ]);
  const ofClickHouse = new Set(['x-clickhouse-user', 'x-clickhouse-key', 'x-clickhouse-database', 'x-clickhouse-format', 'authorization']);
  const ofHttp = new Set([
    'host',
    'connection',
    'keep-alive',
    'user-agent',
    'content-type',
    'content-length',
    'transfer-encoding',
    'accept',
    'accept-encoding',
    'content-encoding',
  ]);

  test('has parameters alone that the HTTP interface documents, and settings that the engine has', () => {
    const names = new Set(sent.flatMap(({ parameters }) => parameters));
    expect([...names]).toEqual(expect.arrayContaining(['query_id', 'insert_deduplication_token', 'param_logId']));
    expect([...names].filter((name) => !documented.has(name) && !name.startsWith('param_') && !settings.has(name))).toEqual([]);
  });

  test('has headers alone that HTTP or ClickHouse document', () => {
    const names = new Set(sent.flatMap(({ headers }) => headers));
    expect([...names].filter((name) => !ofClickHouse.has(name) && !ofHttp.has(name))).toEqual([]);
  });

  test('goes to a path that every server answers', () => {
    expect([...new Set(sent.map(({ path }) => path))].toSorted()).toEqual(['/', '/ping']);
  });
});

describe('the migrations', () => {
  const tokenTables = ['events', 'batches', 'leases', 'outbox', 'retention_floor'];
  let created: Map<string, string>;

  beforeEach(async () => {
    const statements = [leasesTable, ...(await readMigrations()).flatMap((migration) => migration.statements)];
    created = new Map(
      statements.flatMap((statement) => {
        const name = /CREATE TABLE IF NOT EXISTS (\w+)/.exec(statement)?.[1];
        return name === undefined ? [] : [[name, statement] as const];
      }),
    );
  });

  test.each(tokenTables)('keep 100,000 tokens of %s', (table) => {
    expect(created.get(table)).toMatch(/\bnon_replicated_deduplication_window = 100000\b/);
  });

  test('keep 100,000 tokens of every table that no merge would rid of a copy', () => {
    const plain = [...created].filter(([, statement]) => /ENGINE = MergeTree\b/.test(statement));
    expect(plain.length).toBeGreaterThanOrEqual(4);
    expect(
      plain.filter(([, statement]) => !statement.includes('non_replicated_deduplication_window = 100000')).map(([name]) => name),
    ).toEqual([]);
  });

  test('neither let rows go by themselves nor let a view drift from them', () => {
    for (const [, statement] of created) expect(statement.replaceAll(/^--.*$/gm, '')).not.toMatch(/\bTTL\b|MATERIALIZED VIEW/);
  });

  test('put claims and leases into one partition, because tokens hold within a partition', () => {
    for (const table of ['batches', 'leases', 'outbox', 'retention_floor']) expect(created.get(table)).not.toMatch(/\n\s*PARTITION BY/);
    expect(created.get('events')).toMatch(/PARTITION BY toYYYYMMDD\(received_at\)/);
  });

  test('can be run twice, statement by statement, and change nothing the second time', async () => {
    const { clickhouse, name, close } = await freshDatabase(engine, { migrated: false });
    const schema = () => sqlText(engine, `SELECT name, create_table_query FROM system.tables WHERE database = '${name}' ORDER BY name`);
    const statements = (await readMigrations()).flatMap((migration) => migration.statements);
    for (const statement of statements) await clickhouse.run(statement);
    const once = await schema();
    for (const statement of statements) await clickhouse.run(statement);
    expect(await schema()).toBe(once);
    expect(once.trim().split('\n').length).toBeGreaterThan(5);
    await close();
  });
});
