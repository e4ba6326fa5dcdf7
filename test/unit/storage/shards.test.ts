/** The nodes of a cluster: who is asked, whose turn it is when one is away, and what is said where the cluster will not do. */
import { expect, test } from 'vitest';
import { AuditError } from '../../../core/errors.ts';
import { openBatchStore } from '../../../storage/batch-store.ts';
import type { ClickHouse, QueryOptions } from '../../../storage/clickhouse.ts';
import { openLedger } from '../../../storage/ledger.ts';
import { openLease } from '../../../storage/lease.ts';
import { originClaim } from '../../../storage/positions.ts';
import { openCluster } from '../../../storage/shards.ts';

interface Said {
  readonly node: string;
  readonly sql: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

const both = [{ macro: 'shard' }, { macro: 'replica' }];

/** Two shards of two nodes that keep what they are told; `away` do not answer, `macros` by node where it is not both. */
function fakeCluster({ away = new Set<string>(), macros = {} as Record<string, { macro: string }[]>, clusters = ['c'] } = {}) {
  const said: Said[] = [];
  const answer = (node: string, sql: string, { settings = {}, parameters }: QueryOptions = {}): unknown[] => {
    said.push({ node, sql, settings });
    if (away.has(node)) throw new AuditError('BACKEND_UNAVAILABLE', `${node} does not answer`);
    if (sql.includes('FROM system.macros')) return macros[node] ?? both;
    if (sql.includes('DISTINCT cluster')) return clusters.map((cluster) => ({ cluster }));
    if (!sql.includes('FROM system.clusters')) return [];
    if (!clusters.includes(String(parameters?.['name']))) return [];
    return ['a1', 'a2', 'b1', 'b2'].map((host_name, at) => ({ host_name, shard_num: at < 2 ? 1 : 2 }));
  };
  const nodeOf = (node: string): ClickHouse => ({
    database: 'd',
    rows: async <Row>(sql: string, options?: QueryOptions) => answer(node, sql, options) as Row[],
    run: async (sql, options) => void answer(node, sql, options),
    insertBlock: async (table, _block, options) => void answer(node, `INSERT INTO ${table}`, options),
    insertRows: async (table, _rows, options) => void answer(node, `INSERT INTO ${table}`, options),
    stream: async () => Promise.reject(new Error('nothing streams here')),
    ping: async () => true,
    close: async () => void said.push({ node, sql: 'close', settings: {} }),
  });
  const open = (name = 'c') =>
    openCluster({
      name,
      url: 'https://balancer:8443',
      clickhouse: nodeOf('balancer'),
      connectTo: (url) => nodeOf(new URL(url).port === '8443' ? new URL(url).hostname : url),
    });
  return { said, away, open, client: (): ClickHouse => ({ ...nodeOf('balancer'), cluster: open() }) };
}

const told = (said: readonly Said[]) =>
  said.filter(({ sql }) => !sql.includes('system.clusters')).map(({ node, sql }) => `${node}: ${sql.split('\n')[0]}`);
const key = { logId: 'log', sourceEpoch: 1, topic: 'gw', partition: 0 };
const claim = { ...originClaim(5, { receivedAt: 7, writer: 'w', note: '' }), firstOffset: 3, lastOffset: 9, shard: 2 };

test('shards and nodes are those that ClickHouse lists, asked once, with the scheme and port of the server that was named', async () => {
  const { open, said } = fakeCluster();
  const cluster = open();
  expect([await cluster.shards(), await cluster.shards()]).toEqual([2, 2]);
  await cluster.onShard(2, (node) => node.run('x'));
  expect(said.map(({ node }) => node)).toEqual(['balancer', 'b1']);
});

test('after a node that does not answer it is the turn of the next replica of the shard, and of the first again', async () => {
  const { open, said, away } = fakeCluster({ away: new Set(['a1']) });
  const cluster = open();
  await expect(cluster.onShard(1, (node) => node.run('x'))).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
  await cluster.onShard(1, (node) => node.run('x'));
  away.add('a2').delete('a1');
  await expect(cluster.onShard(1, (node) => node.run('x'))).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
  await cluster.onShard(1, (node) => node.run('x'));
  expect(told(said)).toEqual(['a1: x', 'a2: x', 'a2: x', 'a1: x']);
});

test('a statement that is refused is no reason to ask another node', async () => {
  const { open, said } = fakeCluster();
  const cluster = open();
  const refused = cluster.onShard(1, () => Promise.reject(new AuditError('BACKEND_REFUSED', 'no')));
  await expect(refused).rejects.toMatchObject({ code: 'BACKEND_REFUSED' });
  await cluster.onShard(1, (node) => node.run('x'));
  expect(told(said)).toEqual(['a1: x']);
});

test('a cluster that ClickHouse does not know is refused, with those that it knows and what to do', async () => {
  const refused = fakeCluster({ clusters: ['c', 'test'] })
    .open('prod')
    .shards();
  await expect(refused).rejects.toMatchObject({
    code: 'CLUSTER_UNUSABLE',
    message: expect.stringMatching(/knows no cluster prod; it knows c, test\..*remote_servers/) as string,
  });
});

test('a node without the macros is refused by name', async () => {
  const { open } = fakeCluster({ macros: { b1: [{ macro: 'shard' }] } });
  await expect(open().assertUsable()).rejects.toMatchObject({
    code: 'CLUSTER_UNUSABLE',
    message: expect.stringMatching(/node b1 .* no macro replica\..*macros/) as string,
  });
  await expect(fakeCluster().open().assertUsable()).resolves.toBeUndefined();
});

test('a claim on a shard that is no more is refused by number', async () => {
  await expect(
    fakeCluster()
      .open()
      .onShard(3, async () => {}),
  ).rejects.toMatchObject({ code: 'CLUSTER_UNUSABLE' });
});

test('events go into the local table of the shard that their claim names, and most replicas have them before the answer', async () => {
  const { client, said } = fakeCluster();
  await openBatchStore(client()).insertEvents(Buffer.alloc(1), 'token', { ...key, shard: claim.shard });
  expect(told(said)).toEqual(['b1: INSERT INTO events_local']);
  expect(said.at(-1)?.settings).toMatchObject({ insert_quorum: 'auto', max_partitions_per_insert_block: 1 });
});

test('a read back asks the shard of the claim, after its replica has everything, events before dead letters', async () => {
  const { client, said } = fakeCluster();
  await openBatchStore(client()).found(key, claim);
  expect(told(said).map((line) => line.replace(/: SELECT.*/, ': SELECT'))).toEqual([
    'b1: SYSTEM SYNC REPLICA events_local LIGHTWEIGHT',
    'b1: SELECT',
    'b1: SYSTEM SYNC REPLICA dead_letters LIGHTWEIGHT',
    'b1: SELECT',
  ]);
  expect(said.find(({ sql }) => sql.includes('batch_events'))?.sql).toContain('FROM events_local');
});

test('every look at the ledger and at a lease, and every conditional insert, is on a copy that is up to date, on the same node', async () => {
  const { client, said } = fakeCluster();
  const ledger = openLedger(client());
  await ledger.claimsFrom(key, 0, 2);
  await ledger.insertClaim(key, claim, 'token');
  await openLease(client(), { name: 'alerts', holder: 'h', ttlMs: 1_000 }).isHeld();
  const lines = told(said).map((line) => line.split(': '));
  expect(lines.map(([, sql]) => sql?.split(' ').slice(0, 4).join(' '))).toEqual([
    'SYSTEM SYNC REPLICA batches',
    expect.stringMatching(/^SELECT/),
    'SYSTEM SYNC REPLICA batches',
    'INSERT INTO batches',
    'SYSTEM SYNC REPLICA leases',
    expect.stringMatching(/^SELECT/),
  ]);
  for (let at = 0; at < lines.length; at += 2) expect(lines[at]?.[0]).toBe(lines[at + 1]?.[0]);
  expect(said.find(({ sql }) => sql.startsWith('INSERT INTO batches'))?.settings).toMatchObject({
    insert_quorum: 'auto',
    insert_deduplication_token: 'token',
  });
});

test('it ends with all its connections', async () => {
  const { open, said } = fakeCluster();
  const cluster = open();
  await cluster.shards();
  await cluster.close();
  expect(said.filter(({ sql }) => sql === 'close').map(({ node }) => node)).toEqual(['a1', 'a2', 'b1', 'b2']);
});
