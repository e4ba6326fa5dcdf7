/**
 * The form of the schema on a cluster. Migrations are written for one server; here is what becomes of their statements when
 * `cluster` is set, and which node a batch goes to. Events are cut into shards by partition of the log; every other table is
 * one table over all nodes.
 */
import { createHash } from 'node:crypto';
import type { ClickHouse, Settings } from './clickhouse.ts';

/** Cut into shards: written into the local table of one node, read through a Distributed twin of the table's own name. */
const sharded: ReadonlySet<string> = new Set(['events']);

const isSharded = (table: string): boolean => sharded.has(table);

/** The table that holds the rows of a node. */
const localName = (table: string): string => (isSharded(table) ? `${table}_local` : table);

/** An insert is answered when the majority of the replicas have it; several may wait for theirs at the same time. */
export const quorum: Settings = { insert_quorum: 'auto', insert_quorum_parallel: 1, insert_quorum_timeout: 20_000 };

/** Below the 30 s after which a request is given up. */
export const ddlSettings: Settings = { distributed_ddl_task_timeout: 25 };

/** What an insert under a token waits for; on a server alone there is nobody else. */
export const quorumOf = ({ cluster }: ClickHouse): Settings => (cluster === undefined ? {} : quorum);

interface Partition {
  readonly topic: string;
  readonly partition: number;
}

/**
 * The shard of a partition of the log, from 1 on: the only place that says so, for writers and readers. Neighbouring
 * partitions of a topic go to neighbouring shards, so that a topic fills all of them evenly.
 */
export function shardOf({ topic, partition }: Partition, shards: number): number {
  return ((createHash('sha256').update(topic).digest().readUInt32BE(0) + partition) % shards) + 1;
}

/** A token is remembered for 100,000 blocks and a week: an outage of that length between an insert and its repetition is no loss. */
const tokenWindow = 'replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 604800';

/**
 * The statements that bring a cluster to where `statement` brings a server. Each can be repeated, as it can.
 * @throws Error for a statement that has no form on a cluster; a contract test reads all migrations
 */
export function clusterForm(statement: string, cluster: string): string[] {
  const create = /^CREATE TABLE IF NOT EXISTS (\w+) \(/m.exec(statement)?.[1];
  const alter = /^ALTER TABLE (\w+)\s/m.exec(statement)?.[1];
  const table = create ?? alter;
  if (table === undefined) throw new Error(`there is no form on a cluster of: ${statement.slice(0, 200)}`);
  const own = create === undefined ? alterForm(statement, table, cluster) : createForm(statement, table, cluster);
  return isSharded(table) ? [own, twinOf(table, cluster)] : [own];
}

function createForm(statement: string, table: string, cluster: string): string {
  const replicated = statement
    .replace(`CREATE TABLE IF NOT EXISTS ${table} (`, `CREATE TABLE IF NOT EXISTS ${localName(table)} ON CLUSTER '${cluster}' (`)
    .replace(/^ENGINE = (\w*)MergeTree(?:\((.*)\))?$/m, (_, kind: string, version?: string) => {
      const parts = [...replicaOf(table), ...(version === undefined ? [] : [version])];
      return `ENGINE = Replicated${kind}MergeTree(${parts.join(', ')})`;
    })
    .replace('non_replicated_deduplication_window = 100000', tokenWindow);
  if (!replicated.includes('ENGINE = Replicated')) throw new Error(`${table} has no engine that can be replicated`);
  return replicated.includes(tokenWindow) ? replicated : withoutWindow(replicated);
}

/** Unasked, a replicated table drops rows that it had an hour ago, though they were deleted since; on a server alone it does not. */
function withoutWindow(replicated: string): string {
  const none = 'replicated_deduplication_window = 0';
  return /^SETTINGS /m.test(replicated) ? replicated.replace(/^SETTINGS /m, `SETTINGS ${none}, `) : `${replicated}\nSETTINGS ${none}`;
}

/** Paths are written out, and without a UUID: a node that joins later finds the table that the others have. */
function replicaOf(table: string): [path: string, replica: string] {
  return isSharded(table)
    ? [`'/clickhouse/tables/{database}/{shard}/${table}'`, "'{replica}'"]
    : [`'/clickhouse/tables/{database}/everywhere/${table}'`, "'{shard}-{replica}'"];
}

/** One that changes a table of all nodes reaches them by itself; settings of a table are each replica's own. */
function alterForm(statement: string, table: string, cluster: string): string {
  const isOneTable = !isSharded(table) && !/\bMODIFY SETTING\b/.test(statement);
  return isOneTable ? statement : statement.replace(`ALTER TABLE ${table}`, `ALTER TABLE ${alterTarget(table, { name: cluster })}`);
}

/** Made again after each change of the table that it reads. Without a sharding key: nobody can insert through it. */
function twinOf(table: string, cluster: string): string {
  const local = localName(table);
  return `CREATE OR REPLACE TABLE ${table} ON CLUSTER '${cluster}' AS ${local}
ENGINE = Distributed('${cluster}', currentDatabase(), '${local}')`;
}

/** A table of one node that keeps tokens as those of this server or cluster do. */
export function probeEngine(table: string, isReplicated: boolean): string {
  return isReplicated
    ? `ENGINE = ReplicatedMergeTree('/clickhouse/tables/{database}/probes/${table}', '{shard}-{replica}') ORDER BY n SETTINGS ${tokenWindow}`
    : 'ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100000';
}

/** What follows `ALTER TABLE` where a job drops days or deletes rows of `table`: on a cluster the local tables of every shard. */
export function alterTarget(table: string, cluster: { readonly name: string } | undefined): string {
  return cluster === undefined ? table : `${localName(table)} ON CLUSTER '${cluster.name}'`;
}

/** What follows `FROM` where a job looks at parts or mutations of `table`, and its name in the column `table`: those of every node. */
export function systemRows(
  of: 'parts' | 'mutations',
  table: string,
  cluster: { readonly name: string } | undefined,
): { readonly from: string; readonly table: string } {
  if (cluster === undefined) return { from: `system.${of}`, table };
  return { from: `clusterAllReplicas('${cluster.name}', system.${of})`, table: localName(table) };
}

/** A node to work on, and what the table is called there. */
export interface Place {
  readonly node: ClickHouse;
  readonly table: string;
}

/** Runs `work` where the events of a partition are. `shard`: where the claim says that they are, else where the next ones go. */
export async function atShard<Result>(
  clickhouse: ClickHouse,
  key: Partition & { readonly shard?: number | undefined },
  work: (place: Place) => Promise<Result>,
): Promise<Result> {
  const { cluster } = clickhouse;
  if (cluster === undefined) return work({ node: clickhouse, table: 'events' });
  const shard = key.shard ?? shardOf(key, await cluster.shards());
  return cluster.onShard(shard, (node) => work({ node, table: localName('events') }));
}

/**
 * Runs `work` on a node whose copy of a table of all nodes has everything that was in it when this was called.
 * `about` spreads the load: one thing is always asked of the same node.
 */
export async function inSync<Result>(
  clickhouse: ClickHouse,
  table: string,
  about: Partition,
  work: (node: ClickHouse) => Promise<Result>,
): Promise<Result> {
  const { cluster } = clickhouse;
  if (cluster === undefined) return work(clickhouse);
  return cluster.onShard(shardOf(about, await cluster.shards()), async (node) => {
    await syncReplica(node, table);
    return work(node);
  });
}

/** Waits for what others have inserted, not for merges. */
export const syncReplica = (node: ClickHouse, table: string): Promise<void> => node.run(`SYSTEM SYNC REPLICA ${table} LIGHTWEIGHT`);
