/**
 * The nodes of a cluster as ClickHouse itself lists them, each with a client of its own: what is inserted is read back on the
 * same node, so a balancer in front of them will not do.
 */
import { AuditError } from '../core/errors.ts';
import { type ClickHouse, type Cluster, connect, type ConnectOptions, type Settings } from './clickhouse.ts';
import { quorum } from './cluster.ts';

/** Events asked for within a question about events are those of all shards. */
const acrossShards: Settings = { distributed_product_mode: 'global' };

/** As `connect`, to a server whose cluster `name` holds the tables. */
export function connectCluster(name: string, options: ConnectOptions): ClickHouse {
  const connectTo = (url: string) => connect({ ...options, url, settings: acrossShards });
  const server = connectTo(options.url);
  const cluster = openCluster({ name, url: options.url, clickhouse: server, connectTo });
  return {
    ...server,
    cluster,
    // State is one table of all nodes: what is answered stands on most of them.
    insertRows: (table, rows, query) => server.insertRows(table, rows, { ...query, settings: { ...quorum, ...query?.settings } }),
    close: async () => void (await Promise.all([cluster.close(), server.close()])),
  };
}

export interface ClusterOptions {
  readonly name: string;
  /** Of the server that is asked; the nodes listen on the same port, as the same user. */
  readonly url: string;
  readonly clickhouse: Pick<ClickHouse, 'rows'>;
  readonly connectTo: (url: string) => ClickHouse;
}

interface Node {
  readonly host: string;
  readonly client: ClickHouse;
}

interface Shard {
  readonly nodes: readonly Node[];
  turn: number;
}

export function openCluster({ name, url, clickhouse, connectTo }: ClusterOptions): Cluster {
  let known: readonly Shard[] | null = null;

  /** Asked once: a shard that is added takes part when its writers are started again, and all of them then agree. */
  async function topology(): Promise<readonly Shard[]> {
    if (known !== null) return known;
    const rows = await clickhouse.rows<{ shard_num: number; host_name: string }>(
      'SELECT shard_num, host_name\nFROM system.clusters\nWHERE cluster = {name:String}\nORDER BY shard_num, replica_num',
      { parameters: { name } },
    );
    if (rows.length === 0) throw await unknownCluster();
    const numbers = [...new Set(rows.map(({ shard_num: shard }) => shard))];
    const nodesOf = (shard: number) => rows.filter(({ shard_num: each }) => each === shard).map(({ host_name: host }) => nodeAt(host));
    known ??= numbers.map((shard) => ({ nodes: nodesOf(shard), turn: 0 }));
    return known;
  }

  function nodeAt(host: string): Node {
    const address = new URL(url);
    address.hostname = host.includes(':') ? `[${host}]` : host;
    return { host, client: connectTo(address.href) };
  }

  async function unknownCluster(): Promise<AuditError> {
    const others = await clickhouse.rows<{ cluster: string }>('SELECT DISTINCT cluster\nFROM system.clusters\nORDER BY cluster');
    const list = others.length === 0 ? 'none' : others.map(({ cluster }) => cluster).join(', ');
    return new AuditError(
      'CLUSTER_UNUSABLE',
      `ClickHouse at ${new URL(url).origin} knows no cluster ${name}; it knows ${list}. Name one of those as cluster, or define ${name} under remote_servers on every node`,
    );
  }

  return {
    name,
    shards: async () => (await topology()).length,
    async onShard(number, work) {
      const shard = (await topology())[number - 1];
      const node = shard?.nodes[shard.turn % shard.nodes.length];
      if (shard === undefined || node === undefined)
        throw new AuditError(
          'CLUSTER_UNUSABLE',
          `A batch stands on shard ${number} of ${name}, which has no such shard any more. Define it again`,
        );
      try {
        return await work(node.client);
      } catch (error) {
        if (error instanceof AuditError && error.code === 'BACKEND_UNAVAILABLE') shard.turn += 1;
        throw error;
      }
    },
    async assertUsable() {
      const nodes = (await topology()).flatMap((shard) => shard.nodes);
      for (const { host, client } of nodes) {
        const rows = await client.rows<{ macro: string }>('SELECT macro\nFROM system.macros');
        const missing = ['shard', 'replica'].filter((each) => !rows.some(({ macro }) => macro === each));
        if (missing.length > 0)
          throw new AuditError(
            'CLUSTER_UNUSABLE',
            `The node ${host} of the cluster ${name} has no macro ${missing.join(' and no ')}. Define shard (the same on the replicas of a shard) and replica (its own on each) under macros in its configuration`,
          );
      }
    },
    async close() {
      await Promise.all((known ?? []).flatMap(({ nodes }) => nodes.map(({ client }) => client.close())));
    },
  };
}
