/** Three real brokers that vote and keep a copy of everything each, one of which a test may kill. Apache Kafka's own jars, on loopback. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { admin, answers, defaults, freePort, jars, shortLived, type TestKafka } from './kafka.ts';

export interface KafkaCluster extends Pick<TestKafka, 'brokers' | 'describe' | 'createTopic'> {
  /** The broker, from 0, that leads a partition; null while it has no leader. */
  leaderOf(topic: string, partition: number): Promise<number | null>;
  /** The broker that coordinates a group. */
  coordinatorOf(group: string): Promise<number | null>;
  /** SIGKILL, and the same data again. */
  kill(broker: number): Promise<void>;
  restart(broker: number): Promise<void>;
  stop(): Promise<void>;
}

const size = 3;
const clusterId = 'MkU3OEVBNTcwNTJENDM2Qk';
const groupPartitions = 4;

export async function startKafkaCluster(): Promise<KafkaCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'gatetrail-kafka-'));
  const ports = await Promise.all(Array.from({ length: size * 2 }, freePort));
  const controllers = ports.slice(size);
  const nodes = ports.slice(0, size).map((port, at) => node(join(folder, String(at)), { at, port, controllers }));
  await Promise.all(nodes.map((each) => each.start()));
  const brokers = ports.slice(0, size).map((port) => `127.0.0.1:${port}`);
  const client = new Kafka({ brokers, clientId: 'gatetrail-test', logLevel: logLevel.NOTHING, retry: { retries: 10 } });

  async function leaderOf(topic: string, partition: number): Promise<number | null> {
    const asking = client.admin();
    await asking.connect();
    try {
      const { topics } = await asking.fetchTopicMetadata({ topics: [topic] });
      const leader = topics[0]?.partitions.find(({ partitionId }) => partitionId === partition)?.leader ?? 0;
      return leader > 0 ? leader - 1 : null;
    } finally {
      await asking.disconnect();
    }
  }

  return {
    ...admin(brokers),
    leaderOf,
    coordinatorOf: (group) => leaderOf('__consumer_offsets', placeOf(group)),
    kill: async (broker) => nodes[broker]?.kill(),
    restart: async (broker) => nodes[broker]?.start(),
    async stop() {
      await Promise.all(nodes.map((each) => each.kill()));
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
  readonly at: number;
  readonly port: number;
  readonly controllers: readonly number[];
}

function node(folder: string, { at, port, controllers }: NodeOptions) {
  const classPath = `${jars()}/*`;
  const file = `${folder}.properties`;
  const { 'controller.quorum.bootstrap.servers': _, ...plain } = defaults(folder, port, controllers[at] ?? 0);
  const settings = {
    ...plain,
    'node.id': String(at + 1),
    'controller.quorum.voters': controllers.map((each, voter) => `${voter + 1}@127.0.0.1:${each}`).join(','),
    'default.replication.factor': String(size),
    'min.insync.replicas': '2',
    'offsets.topic.replication.factor': String(size),
    'offsets.topic.num.partitions': String(groupPartitions),
    // Another broker leads soon after one has died.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(file, lines.join(''));
  const java = [...shortLived, '-cp', classPath];
  execFileSync('java', [...java, 'kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', file], { stdio: 'ignore' });
  let broker: ChildProcess | null = null;
  return {
    async start() {
      broker = spawn('java', [...shortLived, '-Xmx384m', '-cp', classPath, 'kafka.Kafka', file], { stdio: 'ignore' });
      await answers(port, broker);
    },
    async kill() {
      if (broker === null || broker.exitCode !== null || broker.signalCode !== null) return;
      const exited = new Promise((resolve) => broker?.once('exit', resolve));
      broker.kill('SIGKILL');
      await exited;
    },
  };
}
