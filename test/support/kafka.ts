/**
 * A real Kafka for tests: the one at KAFKA_BROKERS, else a container where Docker answers, else Apache Kafka's own jars
 * through Maven (Java 17), one KRaft node on loopback. Where none of them can be had, the tests fail: they never skip.
 */
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';

export interface TestKafka {
  readonly branch: 'KAFKA_BROKERS' | 'container' | 'maven';
  readonly brokers: string[];
  /** The same broker behind a listener that asks for user and password; own broker only. */
  readonly saslBroker?: string;
  /** What it says of itself. */
  describe(): Promise<string>;
  createTopic(name: string, partitions: number, config?: Readonly<Record<string, string>>): Promise<void>;
  deleteTopic(name: string): Promise<void>;
  /** The id of the broker that leads a partition; null while it has no leader. */
  leaderOf(topic: string, partition: number): Promise<number | null>;
  /** Runs one of Kafka's own command-line tools by its class; gives its stdout. Own broker only. */
  tool(className: string, args: readonly string[], input?: string | Buffer): Promise<string>;
  /** The file that holds the first records of a partition. Own broker only. */
  segment(topic: string, partition: number): string;
  /** SIGKILL, and the same data again. Own broker only. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface KafkaOptions {
  readonly partitions?: number;
  readonly properties?: Readonly<Record<string, string>>;
  /** Default 512: too little for values of tens of MiB one after the other. Own broker only. */
  readonly heapMiB?: number;
  /** Opens a second listener that takes this user alone, by SASL PLAIN without TLS. */
  readonly sasl?: { readonly user: string; readonly password: string };
}

export async function startKafka(options: KafkaOptions = {}): Promise<TestKafka> {
  const given = process.env['KAFKA_BROKERS'];
  if (given !== undefined && given !== '') return { ...admin(given.split(',')), branch: 'KAFKA_BROKERS', ...notOurs, stop: async () => {} };
  if (existsSync('/var/run/docker.sock')) return startContainer();
  return startFromMaven(options);
}

const pom = join(import.meta.dirname, 'kafka/pom.xml');

/** The jars, copied once per version of the pom. */
function jars(): string {
  const text = readFileSync(pom, 'utf8');
  const cache = join(homedir(), '.cache/gatetrail-kafka', createHash('sha256').update(text).digest('hex').slice(0, 12));
  if (existsSync(cache)) return cache;
  const fresh = `${cache}.${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  execFileSync('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${fresh}`], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (!readdirSync(fresh).some((file) => file.startsWith('kafka_2.13'))) throw new Error('Maven copied no kafka_2.13 jar');
  try {
    renameSync(fresh, cache);
  } catch {
    rmSync(fresh, { recursive: true }); // another test run was first
  }
  return cache;
}

/** A broker of a test lives for seconds: code that is compiled once and not verified starts with a third of the CPU time. */
const shortLived = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-XX:+UnlockDiagnosticVMOptions', '-XX:-BytecodeVerificationRemote'];
const javaArguments = () => [...shortLived, '-cp', `${jars()}/*`];

async function startFromMaven({ partitions = 4, properties = {}, heapMiB = 512, sasl }: KafkaOptions): Promise<TestKafka> {
  const folder = mkdtempSync(join(tmpdir(), 'gatetrail-kafka-'));
  const port = await freePort();
  const controller = await freePort(port);
  const file = join(folder, 'server.properties');
  const saslPort = sasl && (await freePort(port, controller));
  const plain = defaults(folder, port, controller);
  const signIn = sasl && saslPort ? signingIn(plain, saslPort, sasl) : {};
  const settings = { ...plain, ...signIn, 'num.partitions': String(partitions), ...properties };
  const broker = makeBroker(file, settings, { port, heapMiB });
  await broker.start();
  const brokers = [`127.0.0.1:${port}`];
  return {
    ...admin(brokers),
    branch: 'maven',
    ...(saslPort !== undefined && { saslBroker: `127.0.0.1:${saslPort}` }),
    async tool(className, args, input) {
      const run = promisify(execFile)('java', [...javaArguments(), className, ...args], { maxBuffer: 1 << 28 });
      run.child.stdin?.end(input ?? '');
      return (await run).stdout;
    },
    segment: (topic, partition) => join(folder, 'data', `${topic}-${partition}`, '00000000000000000000.log'),
    kill: broker.kill,
    restart: broker.start,
    async stop() {
      await broker.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface Broker {
  /** Resolves when it answers. */
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

interface BrokerOptions {
  readonly port: number;
  readonly heapMiB: number;
}

const clusterId = 'MkU3OEVBNTcwNTJENDM2Qk';

/** Writes its settings and makes its disk, with what `kafka-storage format` writes there, for which a JVM takes seconds; it is not started yet. */
export function makeBroker(file: string, settings: Readonly<Record<string, string>>, { port, heapMiB }: BrokerOptions): Broker {
  const java = javaArguments();
  const data = settings['log.dirs'] ?? '';
  const directory = { version: '1', 'cluster.id': clusterId, 'node.id': settings['node.id'] ?? '', 'directory.id': directoryId() };
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, 'meta.properties'), written(directory));
  writeFileSync(file, written(settings));
  let broker: ChildProcess | null = null;
  return {
    async start() {
      broker = spawn('java', [`-Xmx${heapMiB}m`, ...java, 'kafka.Kafka', file], { stdio: 'ignore' });
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

const written = (values: Readonly<Record<string, string>>) =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');

/** A UUID as Kafka writes it. */
const directoryId = () => Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url');

export const defaults = (folder: string, port: number, controller: number): Record<string, string> => ({
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.quorum.voters': `1@127.0.0.1:${controller}`,
  listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
  'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
  'controller.listener.names': 'CONTROLLER',
  'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
  'log.dirs': join(folder, 'data'),
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
  'auto.create.topics.enable': 'false',
});

function signingIn(plain: Record<string, string>, port: number, { user, password }: { user: string; password: string }) {
  const listener = `,SASL_PLAINTEXT://127.0.0.1:${port}`;
  return {
    listeners: `${plain['listeners']}${listener}`,
    'advertised.listeners': `${plain['advertised.listeners']}${listener}`,
    'listener.security.protocol.map': `${plain['listener.security.protocol.map']},SASL_PLAINTEXT:SASL_PLAINTEXT`,
    'sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.sasl_plaintext.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_${user}="${password}";`,
  };
}

/** One that is free at the moment, and not one that was given out for the same broker. */
export async function freePort(...taken: readonly number[]): Promise<number> {
  const port = await new Promise<number>((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
  return taken.includes(port) ? freePort(...taken) : port;
}

async function answers(port: number, broker: ChildProcess): Promise<void> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isUp) return;
    if (broker.exitCode !== null || broker.signalCode !== null || Date.now() > deadline) {
      broker.kill('SIGKILL'); // else it would outlive the tests
      throw new Error(`Kafka did not start: ${broker.signalCode ?? broker.exitCode}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const notOurs = {
  tool: () => Promise.reject(new Error('the tools of this Kafka are not here')),
  segment(): string {
    throw new Error('the files of this Kafka are not here');
  },
  kill: () => Promise.reject(new Error('this Kafka is not ours to kill')),
  restart: () => Promise.reject(new Error('this Kafka is not ours to start')),
};

async function startContainer(): Promise<TestKafka> {
  const { KafkaContainer } = await import('@testcontainers/kafka');
  const container = await new KafkaContainer('apache/kafka:4.3.1').start();
  const brokers = [`${container.getHost()}:${container.getMappedPort(9093)}`];
  return { ...admin(brokers), branch: 'container', ...notOurs, stop: async () => void (await container.stop()) };
}

/** Through the protocol alone, so that it works for every branch. */
export function admin(brokers: string[]): Pick<TestKafka, 'brokers' | 'describe' | 'createTopic' | 'deleteTopic' | 'leaderOf'> {
  const client = new Kafka({ brokers, clientId: 'gatetrail-test', logLevel: logLevel.NOTHING, retry: { retries: 10 } });
  const once = async <Result>(work: (admin: ReturnType<Kafka['admin']>) => Promise<Result>): Promise<Result> => {
    const connection = client.admin();
    await connection.connect();
    try {
      return await work(connection);
    } finally {
      await connection.disconnect();
    }
  };
  return {
    brokers,
    describe: () =>
      once(async (connection) => {
        const { clusterId, brokers: nodes } = await connection.describeCluster();
        const features = await finalizedFeatures(brokers[0] ?? '');
        return `Apache Kafka ${features}, cluster ${clusterId}, ${nodes.length} broker(s)`;
      }),
    createTopic: (topic, numPartitions, config = {}) =>
      once(async (connection) => {
        await connection.createTopics({
          topics: [{ topic, numPartitions, configEntries: Object.entries(config).map(([name, value]) => ({ name, value })) }],
          waitForLeaders: false, // that wait of kafkajs fails at the first answer that does not know the topic yet
        });
        for (let tries = 0; tries < 100; tries += 1) {
          const known = await connection.fetchTopicMetadata({ topics: [topic] }).catch(() => null);
          const partitions = known?.topics[0]?.partitions ?? [];
          if (partitions.length === numPartitions && partitions.every(({ leader }) => leader >= 0)) return;
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        throw new Error(`Kafka made no topic ${topic} of ${numPartitions} partitions within 10 s`);
      }),
    deleteTopic: (topic) => once((connection) => connection.deleteTopics({ topics: [topic] })),
    leaderOf: (topic, partition) =>
      once(async (connection) => {
        const { topics } = await connection.fetchTopicMetadata({ topics: [topic] });
        const leader = topics[0]?.partitions.find(({ partitionId }) => partitionId === partition)?.leader ?? -1;
        return leader < 0 ? null : leader;
      }),
  };
}

/**
 * A broker tells no version number, but the level of its metadata: ApiVersions v3 answers with the finalized features.
 * Source: Apache Kafka, clients/src/main/resources/common/message/ApiVersionsResponse.json.
 */
function finalizedFeatures(broker: string): Promise<string> {
  const [host = '', port = ''] = broker.split(':');
  const name = Buffer.from('gatetrail-test');
  const body = Buffer.concat([
    Buffer.from([0, 18, 0, 3, 0, 0, 0, 1, 0, name.length]),
    name,
    Buffer.from([0, name.length + 1]),
    name,
    Buffer.from([2, 0x31, 0]),
  ]);
  const request = Buffer.concat([Buffer.alloc(4), body]);
  request.writeUInt32BE(body.length);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), host, () => socket.write(request)).once('error', reject);
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      const answer = Buffer.concat(chunks);
      if (answer.length < 4 || answer.length < 4 + answer.readUInt32BE(0)) return;
      socket.destroy();
      const at = answer.lastIndexOf('metadata.version');
      const level = at < 0 ? '?' : answer.readInt16BE(at + 'metadata.version'.length);
      resolve(`with metadata.version ${level}`);
    });
  });
}
