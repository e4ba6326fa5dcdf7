/** Three real brokers that vote and keep a copy of everything each, one of which a test may kill. Apache Kafka's own jars, on loopback. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { admin, type Broker, defaults, freePort, makeBroker, type TestKafka } from './kafka.ts';

export interface KafkaCluster extends Pick<TestKafka, 'brokers' | 'describe' | 'createTopic' | 'leaderOf'> {
  /** The id of the broker that coordinates a group. */
  coordinatorOf(group: string): Promise<number | null>;
  /** SIGKILL of the broker with this id, and the same data again. */
  kill(id: number): Promise<void>;
  restart(id: number): Promise<void>;
  stop(): Promise<void>;
}

const size = 3;
const groupPartitions = 4;

export async function startKafkaCluster(): Promise<KafkaCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'gatetrail-kafka-'));
  const ports = await Promise.all(Array.from({ length: size * 2 }, () => freePort()));
  const controllers = ports.slice(size);
  const nodes = new Map(ports.slice(0, size).map((port, at) => [at + 1, node(folder, { id: at + 1, port, controllers })]));
  await Promise.all([...nodes.values()].map((each) => each.start()));
  const asking = admin(ports.slice(0, size).map((port) => `127.0.0.1:${port}`));
  return {
    ...asking,
    coordinatorOf: (group) => asking.leaderOf('__consumer_offsets', placeOf(group)),
    kill: async (id) => nodes.get(id)?.kill(),
    restart: async (id) => nodes.get(id)?.start(),
    async stop() {
      await Promise.all([...nodes.values()].map((each) => each.kill()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Source: Apache Kafka, GroupMetadataManager.partitionFor: the hash of Java, without its sign. */
function placeOf(group: string): number {
  let hash = 0;
  for (const sign of group) hash = (Math.imul(hash, 31) + sign.charCodeAt(0)) | 0;
  return (hash & 0x7fff_ffff) % groupPartitions;
}

interface NodeOptions {
  readonly id: number;
  readonly port: number;
  readonly controllers: readonly number[];
}

function node(folder: string, { id, port, controllers }: NodeOptions): Broker {
  const settings = {
    ...defaults(join(folder, String(id)), port, controllers[id - 1] ?? 0),
    'node.id': String(id),
    'controller.quorum.voters': controllers.map((each, voter) => `${voter + 1}@127.0.0.1:${each}`).join(','),
    'default.replication.factor': String(size),
    'min.insync.replicas': '2',
    'offsets.topic.replication.factor': String(size),
    'offsets.topic.num.partitions': String(groupPartitions),
    // Another broker leads soon after one has died.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
  };
  return makeBroker(join(folder, `${id}.properties`), settings, { port, heapMiB: 384 });
}
