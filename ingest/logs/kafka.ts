/**
 * Kafka as the log, through kafkajs: the only file that knows it. Traps it works round: kafkajs jumps by itself when a
 * position is out of range, delivers batches of an older position after a seek, retries commits under a new generation,
 * uses the sequence of a failed send again, ends for good where one connection broke, reads on when it is no member any
 * more, and can stand still without a word.
 */
import kafkajs, {
  type Admin,
  type Batch,
  type Consumer,
  type ConsumerConfig,
  type EachBatchPayload,
  type IHeaders,
  type Producer,
  type SASLOptions,
} from 'kafkajs';
import { sleep } from '../../core/clock.ts';
import { AuditError, messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { maxFetchBytes, maxPartitionFetchBytes } from '../buffer.ts';
import type { Bounds, ConsumeOptions, Log, LogConsumer, LogMessage, NewMessage } from '../log.ts';
import { type Arrival, Assigned, type PartitionClient } from './assigned.ts';
import { type Codec, gzipCodec, lz4Codec, snappyCodec, zstdCodec } from './codecs.ts';
import { connected, letGo, oneAtATime } from './connection.ts';
import { watchJoining } from './joining.ts';
import { leaderHasMoved, namedFor, noBrokerAnswered, toAuditError } from './kafka-errors.ts';
import { fetchAt, type FetchingCluster } from './kafka-read.ts';
import { type Group, leaveForPredecessors, nameInFolder, namesOfEnded } from './membership.ts';
import { appendPlaced } from './placement.ts';

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;
type Client = InstanceType<typeof Kafka>;

export interface KafkaOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** true, or the text of a CA certificate. */
  readonly tls?: boolean | string;
  readonly sasl?: { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: string; readonly password: string };
  /** Keeps the names under which processes join, so that the next one can leave for one that was killed. */
  readonly membershipFolder?: string;
  /** How long the group waits for a member that says nothing; default 45 s, a broker takes no less than 6 s unless it is told to. */
  readonly sessionTimeoutMs?: number;
  /** A consumer that gives nothing for so long, though there is something to read, has failed; so has one that joins no group. */
  readonly stuckAfterMs?: number;
  /** How often the consumer tries what fails before it begins anew with a connection of its own. Default 8, some 15 s. */
  readonly retries?: number;
  readonly logger: Logger;
}

const mebibyte = 1024 * 1024;
/** One request stays below the broker's default of 1 MB for a batch. */
const maxRequestBytes = 768 * 1024;
/** A topic that was made this moment, or whose leader has just died, has another leader within this time. */
const leaderTries = 20;
const leaderWaitMs = 250;
/** An answer that was lost is asked for again after 30 s, under the same number: so long a send has to wait, or it would be stored twice. */
const sendWithinMs = 70_000;
const askWithinMs = 20_000;
/** As long as other producers of Kafka believe how many partitions a topic has: keys are placed by it. */
const metadataIsFreshMs = 300_000;

export function openKafka(options: KafkaOptions): Log {
  registerCodecs();
  silenceNegativeTimers();
  const { membershipFolder, clientId, logger } = options;
  const client = clientNamed(clientId, options);
  /** Taken once, by whoever reads: a process that only appends is no member of a group. */
  let memberName: string | null | undefined;
  const admin = connected(() => client.admin());
  const producer = connected(() => client.producer({ allowAutoTopicCreation: false, idempotent: true, maxInFlightRequests: 1 }));
  const send = oneAtATime(producer, sendWithinMs);
  const partitionCount = partitionCounts(admin);
  const named = namedFor(options);
  const boundsOf = boundsReader(() => client.admin());
  const bounds = (topics: readonly string[]) =>
    Promise.all(topics.map((topic) => named([topic], () => boundsOf(topic)))).then((all) => all.flat());

  return {
    kind: 'kafka',
    describe: () =>
      named([], async () => {
        const { clusterId, brokers } = await (await admin()).describeCluster();
        return `Kafka cluster ${clusterId} of ${brokers.length} broker(s)`;
      }),
    id: () => named([], async () => (await (await admin()).describeCluster()).clusterId),
    append: (topic, messages) =>
      named([topic], () =>
        send(async (to) =>
          appendPlaced(messages, {
            partitions: await partitionCount(topic),
            maxRecords: Infinity,
            maxBytes: maxRequestBytes,
            append: (partition, together) => appendTo(to, { topic, partition }, together),
          }),
        ),
      ),
    bounds,
    async *read(place, offsets) {
      const cluster = clusterOf(client);
      const { topic } = place;
      try {
        await named([topic], async () => {
          await cluster.connect();
          await cluster.addTargetTopic(topic);
        });
        const messages = fetchAt<KafkaMessage>(cluster, place, offsets);
        for (;;) {
          const { done, value } = await named([topic], () => messages.next());
          if (done === true) return;
          yield toMessage(value);
        }
      } finally {
        letGo(cluster);
      }
    },
    async consume(consuming) {
      await bounds(consuming.topics); // names a topic that is missing before anything is joined
      const folder = membershipFolder;
      const name = (memberName ??= folder === undefined ? null : nameInFolder(folder, clientId, logger));
      const leave = async () => {
        if (folder === undefined || name === null) return true;
        const names = () => [name, ...namesOfEnded(folder, clientId)];
        return leaveForPredecessors(async () => groupOf(client, await admin(), consuming.group), names, logger);
      };
      await leave();
      const stopping = new AbortController();
      const mayRestart = () => leaveBeforeRestart(leave, stopping.signal);
      const settings = { sessionTimeoutMs: defaultSessionMs, ...options, ...consuming };
      const consumer = clientNamed(name ?? clientId, options).consumer(consumerSettings(settings, mayRestart));
      return named(consuming.topics, () => consume(consumer, { ...settings, bounds, stopping, mayRestart }));
    },
    readers: (group) =>
      named([], async () => {
        const { groups } = await (await admin()).describeGroups([group]);
        return groups.flatMap(({ members }) => members).map(({ clientId, clientHost }) => `${clientId} on ${clientHost}`);
      }),
    async close() {
      await Promise.allSettled([admin.close(), producer.close(), boundsOf.close()]);
    },
  };
}

function clientNamed(clientId: string, { brokers, tls, sasl, logger }: KafkaOptions): Client {
  return new Kafka({
    clientId,
    brokers: [...brokers],
    ...(tls !== undefined && { ssl: typeof tls === 'string' ? { ca: [tls] } : tls }),
    ...(sasl && { sasl: sasl as SASLOptions }), // a union by mechanism there, the same three here
    logLevel: logLevel.WARN,
    logCreator: () => toLogger(logger),
    retry: { initialRetryTime: 200, retries: 5 },
  });
}

const defaultSessionMs = 45_000;

interface Settings extends KafkaOptions, ConsumeOptions {
  readonly sessionTimeoutMs: number;
}

function consumerSettings(settings: Settings, restartOnFailure: () => Promise<boolean>): ConsumerConfig {
  const { group, readAheadBytes, sessionTimeoutMs, retries = 8 } = settings;
  const maxBytesPerPartition = Math.min(maxPartitionFetchBytes, readAheadBytes);
  return {
    groupId: group,
    sessionTimeout: sessionTimeoutMs,
    heartbeatInterval: Math.min(3_000, sessionTimeoutMs / 3),
    allowAutoTopicCreation: false,
    maxBytes: maxFetchBytes,
    maxBytesPerPartition,
    minBytes: Math.min(mebibyte, maxBytesPerPartition), // more than a partition may give would be waited for each time
    maxWaitTimeInMs: 500,
    // Unbounded, a wait doubles to half a minute: so long would a broker be back, and nobody read from it.
    retry: { initialRetryTime: 200, maxRetryTime: 3_000, retries, restartOnFailure },
  };
}

/** Behind each fetch a member says that it lives, if a heartbeat is due: so many, a whole session after its last word, are no member's. */
const maxSilentFetches = 10;

/** Where joining again failed, kafkajs goes on with what it was assigned, and is no member. */
function whenNoMember(consumer: Consumer, sessionMs: number, act: () => void): void {
  let [heardAt, silentFetches] = [0, 0];
  const heard = () => ([heardAt, silentFetches] = [Date.now(), 0]);
  consumer.on(consumer.events.GROUP_JOIN, heard);
  consumer.on(consumer.events.HEARTBEAT, heard);
  consumer.on(consumer.events.FETCH, () => {
    if (Date.now() - heardAt < sessionMs) return;
    silentFetches += 1;
    if (silentFetches === maxSilentFetches) act();
  });
}

const leavingMs = 30_000;

/**
 * A consumer that failed begins as another member. A broker that was killed knows the former one when it is back, and the
 * group would wait a session for it: so leaving comes first, as soon as Kafka answers.
 */
async function leaveBeforeRestart(leave: () => Promise<boolean>, stopping: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + leavingMs;
  while (!stopping.aborted && !(await leave()) && Date.now() < deadline) await sleep(leaderWaitMs);
  return !stopping.aborted;
}

interface Consuming extends Settings {
  readonly stopping: AbortController;
  /** Asked before a consumer that failed begins anew. */
  mayRestart(): Promise<boolean>;
  bounds(topics: readonly string[]): Promise<readonly Bounds[]>;
}

async function consume(consumer: Consumer, consuming: Consuming): Promise<LogConsumer> {
  const { readAheadBytes, stuckAfterMs = 120_000, sessionTimeoutMs, stopping, logger } = consuming;
  const assigned = new Map<string, Assigned>();
  let commit: EachBatchPayload['commitOffsetsIfNecessary'] | null = null;
  const revokeAll = () => {
    for (const partition of assigned.values()) partition.revoke();
    assigned.clear();
    commit = null;
  };
  const clientFor = (topic: string, partition: number): PartitionClient => {
    const place = [{ topic, partitions: [partition] }];
    return {
      fetchFrom: (offset) => consumer.seek({ topic, partition, offset: String(offset) }),
      setPaused: (isPaused) => (isPaused ? consumer.pause(place) : consumer.resume(place)),
      commit: async (nextOffset) => commit?.({ topics: [{ topic, partitions: [{ partition, offset: String(nextOffset) }] }] }),
      async bounds() {
        const found = (await consuming.bounds([topic])).find((each) => each.partition === partition);
        if (found === undefined) throw new AuditError('TOPIC_MISSING', `Kafka no longer has partition ${partition} of ${topic}`);
        return found;
      },
      onStuck: consuming.onFailure,
    };
  };
  const joining = watchJoining(
    stuckAfterMs,
    () => consuming.bounds(consuming.topics).then(Boolean, () => false),
    () => {
      const message = `Kafka answers, but its client has been in no group for ${stuckAfterMs / 1000} s`;
      consuming.onFailure(new AuditError('LOG_UNAVAILABLE', message));
    },
  );
  const left = () => {
    revokeAll();
    if (!stopping.signal.aborted) joining.begin();
  };
  consumer.on(consumer.events.REBALANCING, left);
  let reading: readonly string[] = [];
  consumer.on(consumer.events.STOP, () => {
    reading = [...assigned.values()].map(({ topic, partition, wanted }) => `${topic}/${partition} from ${wanted}`);
    left();
  });
  // A consumer that failed has stopped before this, and begins anew after it.
  consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
    const isAway = noBrokerAnswered(error);
    logger.error({ error: error.message, reading, restart: restart || isAway }, 'the Kafka consumer failed');
    if (restart || stopping.signal.aborted) return;
    if (isAway) runAgain().catch(consuming.onFailure);
    else consuming.onFailure(toAuditError(error, consuming.topics, consuming));
  });
  whenNoMember(consumer, sessionTimeoutMs, () => {
    if (stopping.signal.aborted) return;
    logger.warn({ topics: consuming.topics }, 'the Kafka consumer reads on though it is no member of its group; it begins anew');
    revokeAll();
    consumer.stop().then(runAgain).catch(consuming.onFailure);
  });
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    joining.end();
    revokeAll();
    for (const [topic, partitions] of Object.entries(payload.memberAssignment)) {
      for (const partition of partitions) {
        const place = new Assigned({ topic, partition, readAheadBytes, stuckAfterMs, client: clientFor(topic, partition) });
        assigned.set(`${topic}/${partition}`, place);
        consumer.pause([{ topic, partitions: [partition] }]); // until somebody says from where
        consuming.onAssigned(place);
      }
    }
  });
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { topic, partition, batchSize, firstOffset, lastOffset } }) => {
    if (batchSize === 0) assigned.get(`${topic}/${partition}`)?.passedOver(Number(firstOffset ?? NaN), Number(lastOffset) + 1);
  });
  const run = () =>
    consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: 4,
      async eachBatch({ batch, resolveOffset, commitOffsetsIfNecessary }) {
        commit = commitOffsetsIfNecessary;
        const isKept = await assigned.get(`${batch.topic}/${batch.partition}`)?.arrived(toArrival(batch));
        if (isKept === true) resolveOffset(batch.lastOffset());
      },
    });
  const runAgain = async () => {
    await sleep(leaderWaitMs);
    if (await consuming.mayRestart()) await run();
  };
  joining.begin();
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [...consuming.topics], fromBeginning: true });
    await run();
  } catch (error) {
    joining.end(); // whoever tries again has another consumer
    throw error;
  }
  return {
    bufferedBytes: () => [...assigned.values()].reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0),
    async stop() {
      stopping.abort();
      joining.end();
      revokeAll();
      await consumer.disconnect();
    },
  };
}

function toArrival(batch: Batch): Arrival {
  const { fetchedOffset, rawMessages } = batch as Batch & {
    fetchedOffset: string;
    rawMessages: readonly { isControlRecord?: boolean }[];
  };
  return {
    fetchedAt: Number(fetchedOffset),
    end: Number(batch.lastOffset()) + 1,
    messages: batch.messages.map(toMessage),
    high: Number(batch.highWatermark),
    hole: rawMessages.some(({ isControlRecord }) => isControlRecord === true) ? 'TRANSACTION_MARKER' : 'COMPACTION',
  };
}

type KafkaMessage = Batch['messages'][number];

function toMessage({ offset, timestamp, value, headers }: KafkaMessage): LogMessage {
  return { offset: Number(offset), timestamp: Number(timestamp), value, headers: headers === undefined ? noHeaders : textHeaders(headers) };
}

/** Most messages have none, and live until their batch is stored: one object for all of them. */
const noHeaders: Readonly<Record<string, string>> = Object.freeze({});

function textHeaders(headers: IHeaders): Readonly<Record<string, string>> {
  const names = Object.keys(headers);
  return names.length === 0 ? noHeaders : Object.fromEntries(names.map((name) => [name, textOf(headers[name])]));
}

const textOf = (value: IHeaders[string]) => String(Array.isArray(value) ? value[0] : (value ?? ''));

/**
 * What a reader of committed transactions sees: an open transaction is beyond `high`. A client of kafkajs goes on asking the
 * leaders it knew for five minutes; another one asks who leads now.
 */
function boundsReader(make: () => Admin) {
  const admin = connected(make);
  const ask = oneAtATime(admin, askWithinMs);
  const read = async (topic: string): Promise<Bounds[]> => {
    const offsets = await ask((client) => client.fetchTopicOffsets(topic));
    return offsets.map(({ partition, low, high }) => ({ topic, partition, low: Number(low), high: Number(high) }));
  };
  const patiently = async (topic: string): Promise<Bounds[]> => {
    for (let left = leaderTries; ; left -= 1) {
      try {
        return await read(topic);
      } catch (error) {
        if (left === 0 || !leaderHasMoved(error)) throw error;
        await sleep(leaderWaitMs);
      }
    }
  };
  return Object.assign(patiently, { close: admin.close });
}

function partitionCounts(admin: () => Promise<Admin>) {
  const known = new Map<string, { readonly count: number; readonly at: number }>();
  return async (topic: string): Promise<number> => {
    const recent = known.get(topic);
    if (recent !== undefined && Date.now() - recent.at < metadataIsFreshMs) return recent.count;
    const { topics } = await (await admin()).fetchTopicMetadata({ topics: [topic] });
    const count = topics[0]?.partitions.length ?? 0;
    known.set(topic, { count, at: Date.now() });
    return count;
  };
}

async function appendTo(producer: Producer, { topic, partition }: { topic: string; partition: number }, messages: readonly NewMessage[]) {
  const [answer] = await producer.send({
    topic,
    acks: -1,
    messages: messages.map(({ value, key, headers }) => ({
      value,
      partition,
      ...(key !== undefined && { key }),
      ...(headers && { headers: { ...headers } }),
    })),
  });
  return Number(answer?.baseOffset);
}

/** kafkajs has the request to leave for another member, but no public call for it. */
function groupOf(client: Client, admin: Admin, groupId: string): Group {
  return {
    members: async () => (await admin.describeGroups([groupId])).groups.flatMap(({ members }) => members),
    async leave(memberIds) {
      const cluster = clusterOf(client);
      try {
        await cluster.connect();
        const coordinator = await cluster.findGroupCoordinator({ groupId });
        for (const memberId of memberIds) await coordinator.leaveGroup({ groupId, memberId });
      } finally {
        letGo(cluster);
      }
    },
  };
}

function clusterOf(client: Client): InternalCluster {
  const make = Object.getOwnPropertySymbols(client).find(({ description }) => description === 'private:Kafka:createCluster');
  const create = make && (client as unknown as Record<symbol, (options: object) => InternalCluster>)[make];
  if (create === undefined) throw new Error('kafkajs has no createCluster any more');
  return create({ metadataMaxAge: 60_000, allowAutoTopicCreation: false });
}

interface InternalCluster extends FetchingCluster {
  findGroupCoordinator(group: {
    groupId: string;
  }): Promise<{ leaveGroup(member: { groupId: string; memberId: string }): Promise<unknown> }>;
}

const codecs: readonly (readonly [type: number, name: string, codec: Codec])[] = [
  [CompressionTypes.GZIP, 'gzip', gzipCodec],
  [CompressionTypes.Snappy, 'snappy', snappyCodec],
  [CompressionTypes.LZ4, 'lz4', lz4Codec],
  [CompressionTypes.ZSTD, 'zstd', zstdCodec],
];
/** Three bits of a batch name its codec; kafkajs would read one that it does not know as if it were none. */
const unknownTypes = [5, 6, 7];

function registerCodecs(): void {
  const registry = CompressionCodecs as Record<number, () => Codec>;
  for (const [type, name, codec] of codecs) {
    const decompress = (buffer: Buffer) => codec.decompress(buffer).catch((error: unknown) => refuse(`${name}, but ${messageOf(error)}`));
    registry[type] = () => ({ ...codec, decompress });
  }
  for (const type of unknownTypes) registry[type] = () => refuse(`codec ${type}, which is not known here`);
}

/** `retriable` is the word by which kafkajs knows that asking again gives the same. */
function refuse(what: string): never {
  const message = `A batch of Kafka is compressed with ${what}. Read are none, ${codecs.map(([, name]) => name).join(', ')}. Delete the records up to its end from the topic (kafka-delete-records); the gap will be on record`;
  throw Object.assign(new AuditError('LOG_UNREADABLE', message), { retriable: false });
}

/** kafkajs sets timers of negative length, of which newer Node warns each time (tulios/kafkajs #1751). */
function silenceNegativeTimers(): void {
  const { emitWarning } = process;
  if (emitWarning.name === 'withoutNegativeTimers') return;
  process.emitWarning = function withoutNegativeTimers(warning: string | Error, ...facts: never[]) {
    if ((facts[0] as unknown) !== 'TimeoutNegativeWarning') emitWarning(warning, ...facts);
  };
}

function toLogger(logger: Logger) {
  return ({ level, log }: { level: number; log: { message: string; [fact: string]: unknown } }) => {
    const { message, ...facts } = log;
    if (level <= logLevel.ERROR) logger.warn({ kafka: message, ...facts }, 'kafka client');
    else logger.debug({ kafka: message, ...facts }, 'kafka client');
  };
}
