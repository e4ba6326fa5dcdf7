/** Every migration has a form on a cluster, the engine takes each of its statements, and the twins of the tables in shards can be read. */
import { beforeAll, describe, expect, test } from 'vitest';
import { compileRule } from '../../alerts/compile/rule.ts';
import { loadRules } from '../../alerts/alerts.ts';
import { firstPartyRules } from '../../alerts/pack.ts';
import { clusterForm } from '../../storage/cluster.ts';
import { leasesTable } from '../../storage/lease.ts';
import { readMigrations, registryTable } from '../../storage/migrate.ts';
import { eventStatement } from '../../storage/scope.ts';
import { type Outcome, runOnCluster } from '../support/cluster-engine.ts';

const statements = [leasesTable, registryTable, ...(await readMigrations()).flatMap((migration) => migration.statements)];
const forms = statements.flatMap((statement) => clusterForm(statement, 'one'));
const withoutComments = (sql: string) => sql.replaceAll(/^\s*--.*$/gm, '').trim();
const creates = forms.map(withoutComments).filter((sql) => sql.startsWith('CREATE TABLE'));
const nameOf = (sql: string) => /TABLE (?:IF NOT EXISTS )?(\w+)/.exec(sql)?.[1] ?? '';
const tables = creates.map((sql): [string, string] => [nameOf(sql), sql]);

test('no statement of a migration is without a form on a cluster', () => {
  expect(statements.length).toBeGreaterThan(10);
  for (const statement of statements) expect(clusterForm(statement, 'one').length).toBeGreaterThan(0);
});

describe.each(tables)('the table %s', (name, sql) => {
  test('is made on every node, and is replicated', () => {
    expect(sql).toContain(`CREATE TABLE IF NOT EXISTS ${name} ON CLUSTER 'one' (`);
    expect(sql).toMatch(/^ENGINE = Replicated(?:Replacing)?MergeTree\('\/clickhouse\/tables\/\{database\}\/[^']+', '[^']+'(?:, \w+)?\)$/m);
  });

  test('remembers tokens for 100,000 blocks and a week where it takes tokens, and else takes every row as on one server', () => {
    const plain = statements.find((statement) => nameOf(withoutComments(statement)) === name.replace(/_local$/, '')) ?? '';
    const window = /\breplicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 604800\b/;
    expect(sql).toMatch(plain.includes('non_replicated_deduplication_window') ? window : /\breplicated_deduplication_window = 0\b/);
    expect(sql).not.toContain('non_replicated');
  });

  test('is flushed before an answer, as on one server', () => {
    expect(sql).toMatch(/\bfsync_after_insert = 1, fsync_part_directory = 1\b/);
  });
});

describe('where the rows of a table are', () => {
  const of = (name: string) => tables.find(([each]) => each === name)?.[1] ?? 'no such table';

  test('events are cut into shards: one replica on each node of a shard', () => {
    expect(of('events_local')).toContain("ReplicatedMergeTree('/clickhouse/tables/{database}/{shard}/events', '{replica}')");
    expect(of('events')).toBe('no such table');
  });

  test.each(['batches', 'leases', 'dead_letters', 'retention_floor', 'outbox', 'schema_migrations'])(
    '%s is one table: every node of every shard is a replica of it',
    (name) => {
      expect(of(name)).toContain(`'/clickhouse/tables/{database}/everywhere/${name}', '{shard}-{replica}'`);
    },
  );

  test('no two tables share a path', () => {
    const paths = creates.map((sql) => /MergeTree\('([^']+)'/.exec(sql)?.[1]);
    expect(new Set(paths).size).toBe(paths.length);
  });
});

describe('on the engine', () => {
  const local = creates.map((sql) => sql.replace(/ ON CLUSTER '\w+'/, ''));
  const [first = ''] = local;
  const wrong = [first.replace('ORDER BY (', 'ORDER BY (nothing, '), first.replace('fsync_after_insert', 'fsync_after_lunch')];
  let parsed: Outcome[];
  let made: Outcome[];
  let mistaken: Outcome[];
  beforeAll(() => {
    const explained = forms.map((sql) => `EXPLAIN AST ${withoutComments(sql)}`);
    const outcomes = runOnCluster(['CREATE DATABASE gatetrail', 'USE gatetrail', ...explained, ...local, ...wrong]).slice(2);
    parsed = outcomes.splice(0, forms.length);
    made = outcomes.splice(0, local.length);
    mistaken = outcomes;
  });

  test('each statement is read by its own parser, ON CLUSTER and all', () => {
    expect(parsed.flatMap(({ error }, at) => (error === undefined ? [] : [`${forms[at]?.slice(0, 80)}: ${error}`]))).toEqual([]);
  });

  test('each table is refused for the one reason that there is no Keeper: columns, keys, settings and macros are right', () => {
    expect(made.map(({ error }) => /^Code: (\d+)/.exec(error ?? '')?.[1])).toEqual(creates.map(() => '225')); // NO_ZOOKEEPER
  });

  test('a wrong column or setting is not taken for that', () => {
    expect(mistaken.map(({ error }) => /^Code: (\d+)/.exec(error ?? '')?.[1])).toEqual(['47', '115']); // UNKNOWN_IDENTIFIER, UNKNOWN_SETTING
  });
});

describe('reads on a cluster of two shards, both of which are this engine', () => {
  /** The local table as a plain one, and the twin as the product makes it. */
  const plain = statements
    .map(withoutComments)
    .filter((statement) => /^CREATE TABLE|^ALTER TABLE \w+\s+ADD COLUMN/.test(statement))
    .map((statement) =>
      statement.replace('EXISTS events (', 'EXISTS events_local (').replace('ALTER TABLE events', 'ALTER TABLE events_local'),
    );
  const twins = forms
    .filter((sql) => sql.startsWith('CREATE OR REPLACE TABLE events '))
    .map((sql) => sql.replaceAll("ON CLUSTER 'one'", '').replaceAll("'one'", "'two'"));
  const rows = `INSERT INTO events_local (received_at, timestamp, topic, tenant, http_response_status_code, time_source, outcome, client_address)
SELECT now64(3), now64(6) - 1, 'gw', 'acme', 401, 'start', 'auth_failure', '203.0.113.7' FROM numbers(30)`;

  const literal = (value: unknown): string => (typeof value === 'number' ? String(value) : `\\'${String(value)}\\'`);
  const bind = (parameters: Readonly<Record<string, unknown>>) =>
    Object.entries(parameters).map(
      ([name, value]) => `SET param_${name} = '${Array.isArray(value) ? `[${value.map(literal).join(',')}]` : String(value)}'`,
    );
  const [page, added, rule, denied, insert] = ['page', 'added', 'rule', 'denied', 'insert'] as const;
  let outcome: Record<string, Outcome | undefined>;

  beforeAll(async () => {
    const now = Date.now();
    const scope = eventStatement(['acme'], { select: 'count()', range: { from: now - 3_600_000, to: now + 3_600_000 } });
    const [loaded] = await loadRules([firstPartyRules]);
    if (loaded === undefined) throw new Error('a rule was to be loaded');
    const compiled = compileRule(loaded, new Map());
    const times = { readFrom: now - 600_000, arrivedFrom: now - 900_000, from: now - 600_000, to: now + 60_000 };
    const bound = [...bind(scope.parameters), ...bind({ ...compiled.parameters, ...times })];
    const asked = {
      [page]: scope.sql,
      [added]: 'SELECT count(), any(lifecycle), any(sunset_at), any(data_classes) FROM events',
      [denied]: compiled.sql,
      set: "SET distributed_product_mode = 'global'",
      [rule]: compiled.sql,
      [insert]: "INSERT INTO events (topic) SELECT 'gw' FROM numbers(2)",
    };
    const before = ['CREATE DATABASE gatetrail', 'USE gatetrail', ...plain, ...twins, rows, ...bound];
    const answers = runOnCluster([...before, ...Object.values(asked)]).slice(before.length);
    outcome = Object.fromEntries(Object.keys(asked).map((name, at) => [name, answers[at]]));
  });

  test('a page of the scope sees the rows of both, through the name `events`', () => {
    expect(outcome[page]).toEqual({ text: '60' });
  });

  test('a column that a later migration added is seen through the twin, which is made again after each change', () => {
    expect(outcome[added]).toEqual({ text: String.raw`60		\N	[]` });
  });

  test('a rule that asks for events within events is judged over all shards, which needs the setting that the client brings', () => {
    expect(outcome[rule]?.text).toMatch(/^acme\t/);
    expect(outcome[denied]?.error).toMatch(/Code: 288/); // DISTRIBUTED_IN_JOIN_SUBQUERY_DENIED
  });

  test('nothing is inserted through the twin: it would cut a batch, and answer before it is stored', () => {
    expect(outcome[insert]?.error).toMatch(/sharding key/);
  });
});
