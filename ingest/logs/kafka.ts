/**
 * Kafka as the log, through kafkajs: the only file that knows it. Traps it works round: kafkajs jumps by itself when a
 * position is out of range, delivers batches of an older position after a seek, retries commits under a new generation, and
 * uses the sequence of a failed send again.
 */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import kafkajs, {
  type Admin,
  type Batch,
  type Consumer,
  type EachBatchPayload,
  type IHeaders,
  type Producer,
  type SASLOptions,
} from 'kafkajs';
import { AuditError, messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { AssignedPartition, Bounds, ConsumeOptions, Fetched, HoleReason, Log, LogConsumer, LogMessage, NewMessage } from '../log.ts';
import { lz4Codec, snappyCodec, zstdCodec } from './codecs.ts';

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs;

export interface KafkaOptions {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** true, or the text of a CA certificate. */
  readonly tls?: boolean | string;
  readonly sasl?: { readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; readonly username: string; readonly password: string };
  /** Keeps a name under which the processes of one folder join, so that the next one can leave for one that was killed. */
  readonly membershipFile?: string;
  readonly logger: Logger;
}

const sessionTimeoutMs = 45_000;
/** One request stays below the broker's default of 1 MB for a batch. */
const maxRequestBytes = 768 * 1024;
const boundsAreFreshMs = 5_000;

export function openKafka(options: KafkaOptions): Log {
  registerCodecs();
  const memberName = nameOfFolder(options);
  const client = new Kafka({
    clientId: memberName ?? options.clientId,
    brokers: [...options.brokers],
    ...(options.tls !== undefined && { ssl: typeof options.tls === 'string' ? { ca: [options.tls] } : options.tls }),
    ...(options.sasl && { sasl: options.sasl as SASLOptions }), // a union by mechanism there, the same three here
    logLevel: logLevel.WARN,
    logCreator: () => toLogger(options.logger),
    retry: { initialRetryTime: 200, retries: 5 },
  });
  const admin = connected(() => client.admin());
  const producer = connected(() => client.producer({ allowAutoTopicCreation: false, idempotent: true, maxInFlightRequests: 1 }));
  const send = oneAtATime();
  const partitionsOf = new Map<string, number>();

  async function partitionCount(topic: string): Promise<number> {
    const known = partitionsOf.get(topic);
    if (known !== undefined) return known;
    const { topics } = await (await admin()).fetchTopicMetadata({ topics: [topic] });
    const count = topics[0]?.partitions.length ?? 0;
    partitionsOf.set(topic, count);
    return count;
  }

  const named = async <Result>(topics: readonly string[], work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw toAuditError(error, topics, options);
    }
  };
  const bounds = (topics: readonly string[]) =>
    Promise.all(topics.map((topic) => named([topic], async () => boundsOf(await admin(), topic)))).then((all) => all.flat());

  return {
    kind: 'kafka',
    describe: () =>
      named([], async () => {
        const { clusterId, brokers } = await (await admin()).describeCluster();
        return `Kafka cluster ${clusterId} of ${brokers.length} broker(s)`;
      }),
    id: () => named([], async () => (await (await admin()).describeCluster()).clusterId),
    append: (topic, messages) =>
      send(() =>
        named([topic], () => withFreshAfterFailure(producer, async (to) => appendAll(to, topic, messages, await partitionCount(topic)))),
      ),
    bounds,
    async consume(consuming) {
      await bounds(consuming.topics); // names a topic that is missing before anything is joined
      if (memberName !== null)
        await leaveForPredecessors(client, await admin(), { memberName, group: consuming.group, logger: options.logger });
      return named(consuming.topics, () => consume(client.consumer(consumerSettings(consuming)), { ...options, ...consuming, bounds }));
    },
    readers: (group) =>
      named([], async () => {
        const { groups } = await (await admin()).describeGroups([group]);
        return groups.flatMap(({ members }) => members).map(({ clientId, clientHost }) => `${clientId} on ${clientHost}`);
      }),
    async close() {
      await Promise.allSettled([admin.close(), producer.close()]);
    },
  };
}

function consumerSettings({ group, readAheadBytes }: ConsumeOptions) {
  return {
    groupId: group,
    sessionTimeout: sessionTimeoutMs,
    heartbeatInterval: 3_000,
    allowAutoTopicCreation: false,
    maxBytes: 32 * 1024 * 1024,
    maxBytesPerPartition: Math.min(8 * 1024 * 1024, readAheadBytes),
    minBytes: 1,
    maxWaitTimeInMs: 250,
    // Unbounded, a wait doubles to half a minute: so long would a broker be back, and nobody read from it.
    retry: { initialRetryTime: 200, maxRetryTime: 3_000, retries: 8, restartOnFailure: async () => true },
  };
}

interface Consuming extends KafkaOptions, ConsumeOptions {
  bounds(topics: readonly string[]): Promise<readonly Bounds[]>;
}

async function consume(consumer: Consumer, consuming: Consuming): Promise<LogConsumer> {
  const assigned = new Map<string, Assigned>();
  const revokeAll = () => {
    for (const partition of assigned.values()) partition.revoke();
    assigned.clear();
  };
  consumer.on(consumer.events.REBALANCING, revokeAll);
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    revokeAll();
    consuming.logger.error({ error: payload.error.message, restart: payload.restart }, 'the Kafka consumer failed');
    if (!payload.restart) consuming.onFailure(payload.error);
  });
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    revokeAll();
    for (const [topic, partitions] of Object.entries(payload.memberAssignment)) {
      for (const partition of partitions) {
        const place = new Assigned(topic, partition, consumer, consuming);
        assigned.set(`${topic}/${partition}`, place);
        consumer.pause([{ topic, partitions: [partition] }]); // until somebody says from where
        consuming.onAssigned(place);
      }
    }
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [...consuming.topics], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: 4,
    eachBatch: async (payload) => assigned.get(`${payload.batch.topic}/${payload.batch.partition}`)?.deliver(payload),
  });
  return {
    async stop() {
      revokeAll();
      await consumer.disconnect();
    },
  };
}

/** One partition while it is assigned: what was fetched waits here until it is asked for. */
class Assigned implements AssignedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly revoked: AbortSignal;
  private readonly control = new AbortController();
  private readonly consumer: Consumer;
  private readonly consuming: Consuming;
  private queue: LogMessage[] = [];
  private queuedBytes = 0;
  /** Next offset to hand out, and next one that a fetch must begin with; -1 before the first seek. */
  private position = -1;
  private fetchPosition = -1;
  /** Why offsets between them have no message. */
  private holes: HoleReason | null = null;
  /** Where a fetch for `fetchPosition` began instead: believed when it happens twice. */
  private jumpedTo = -1;
  private isPaused = true;
  private limits: Bounds;
  private limitsAt = 0;
  private wake: () => void = () => {};
  private commitNow: EachBatchPayload['commitOffsetsIfNecessary'] | null = null;

  constructor(topic: string, partition: number, consumer: Consumer, consuming: Consuming) {
    this.topic = topic;
    this.partition = partition;
    this.consumer = consumer;
    this.consuming = consuming;
    this.revoked = this.control.signal;
    this.limits = { topic, partition, low: 0, high: Number.MAX_SAFE_INTEGER };
  }

  revoke(): void {
    this.control.abort();
    this.queue = [];
    this.wake();
  }

  seek(offset: number): void {
    if (this.revoked.aborted) return;
    this.queue = [];
    this.queuedBytes = 0;
    this.holes = null;
    this.jumpedTo = -1;
    this.position = offset;
    this.fetchFrom(offset);
  }

  private fetchFrom(offset: number): void {
    this.fetchPosition = offset;
    this.consumer.seek({ topic: this.topic, partition: this.partition, offset: String(offset) });
    this.setPaused(false);
  }

  private setPaused(isPaused: boolean): void {
    if (this.isPaused === isPaused || this.revoked.aborted) return;
    this.isPaused = isPaused;
    const place = [{ topic: this.topic, partitions: [this.partition] }];
    if (isPaused) this.consumer.pause(place);
    else this.consumer.resume(place);
  }

  /** A batch of kafkajs. Only one that was fetched for exactly the wanted offset is kept. */
  async deliver(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    this.commitNow = (offsets) => payload.commitOffsetsIfNecessary(offsets);
    if (this.fetchPosition < 0) return;
    const fetchedAt = Number((batch as Batch & { fetchedOffset: string }).fetchedOffset);
    if (fetchedAt !== this.fetchPosition && !(await this.isHole(fetchedAt))) return;
    const messages = batch.messages.map(toMessage);
    const end = Number(batch.lastOffset()) + 1;
    const from = this.fetchPosition;
    this.fetchPosition = end;
    this.limits = { ...this.limits, high: Math.max(Number(batch.highWatermark), end) };
    if (end - from !== messages.length) this.holes ??= hasControlRecord(batch) ? 'TRANSACTION_MARKER' : 'COMPACTION';
    for (const message of messages) this.queuedBytes += message.value?.length ?? 0;
    this.queue.push(...messages);
    payload.resolveOffset(batch.lastOffset());
    if (this.queuedBytes >= this.consuming.readAheadBytes) this.setPaused(true);
    this.wake();
  }

  /**
   * kafkajs went to another offset by itself: over records that hold no message (then asking again leads to the same
   * place), or because the position is out of range (then the bounds say so, and nothing may be handed out).
   */
  private async isHole(fetchedAt: number): Promise<boolean> {
    const wanted = this.fetchPosition;
    const { low, high } = await this.bounds();
    if (wanted < low || wanted > high) {
      this.setPaused(true);
      this.wake();
      return false;
    }
    if (fetchedAt > wanted && this.jumpedTo === fetchedAt) {
      this.holes ??= 'TRANSACTION_MARKER';
      return true;
    }
    this.jumpedTo = fetchedAt;
    this.fetchFrom(wanted);
    return false;
  }

  async next({ maxWaitMs, maxBytes }: { readonly maxWaitMs: number; readonly maxBytes: number }): Promise<Fetched> {
    if (this.queue.length === 0) await this.arrival(maxWaitMs);
    if (this.queue.length === 0 && Date.now() - this.limitsAt > boundsAreFreshMs) await this.bounds();
    const { low, high } = this.limits;
    const from = this.position;
    const messages = this.take(maxBytes);
    const last = messages.at(-1);
    // Behind the last message of the queue there may be offsets without one.
    const to =
      last === undefined
        ? Math.max(from, this.queue.length === 0 && low <= from ? this.fetchPosition : from)
        : this.queue.length === 0
          ? this.fetchPosition
          : last.offset + 1;
    this.position = to;
    const holes = to - from === messages.length ? null : (this.holes ?? 'COMPACTION');
    if (this.queue.length === 0) this.holes = null;
    if (this.queuedBytes < this.consuming.readAheadBytes / 2 && low <= from && from <= high) this.setPaused(false);
    return { from, to, messages, holes, low, high };
  }

  private take(maxBytes: number): LogMessage[] {
    let bytes = 0;
    let count = 0;
    for (const message of this.queue) {
      const size = message.value?.length ?? 0;
      if (count > 0 && bytes + size > maxBytes) break;
      bytes += size;
      count += 1;
    }
    this.queuedBytes -= bytes;
    return this.queue.splice(0, count);
  }

  private arrival(maxWaitMs: number): Promise<void> {
    if (this.revoked.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, maxWaitMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async commit(nextOffset: number): Promise<void> {
    // In the same tick: kafkajs reads its generation when the call begins.
    if (this.revoked.aborted) throw new AuditError('LOG_UNAVAILABLE', 'the assignment of the partition is over');
    await this.commitNow?.({ topics: [{ topic: this.topic, partitions: [{ partition: this.partition, offset: String(nextOffset) }] }] });
  }

  async bounds(): Promise<Bounds> {
    const all = await this.consuming.bounds([this.topic]);
    this.limits = all.find(({ partition }) => partition === this.partition) ?? this.limits;
    this.limitsAt = Date.now();
    return this.limits;
  }
}

function toMessage({ offset, timestamp, value, headers }: Batch['messages'][number]): LogMessage {
  return { offset: Number(offset), timestamp: Number(timestamp), value, headers: headers === undefined ? {} : textHeaders(headers) };
}

function textHeaders(headers: IHeaders): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) texts[name] = String(Array.isArray(value) ? value[0] : (value ?? ''));
  return texts;
}

function hasControlRecord(batch: Batch): boolean {
  const { rawMessages } = batch as Batch & { rawMessages: readonly { isControlRecord?: boolean }[] };
  return rawMessages.some(({ isControlRecord }) => isControlRecord === true);
}

async function boundsOf(admin: Admin, topic: string): Promise<Bounds[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.map(({ partition, low, high }) => ({ topic, partition, low: Number(low), high: Number(high) }));
}

/**
 * A send that fails gives its sequence numbers back, though the broker may have stored it: what took them next would be
 * answered as a duplicate and never be stored. So the next send has a producer, and with it a sequence, of its own.
 */
async function withFreshAfterFailure<Result>(
  producer: Connected<Producer>,
  work: (producer: Producer) => Promise<Result>,
): Promise<Result> {
  const current = await producer();
  try {
    return await work(current);
  } catch (error) {
    producer.forget();
    await current.disconnect().catch(() => {}); // it failed already; what it says now changes nothing
    throw error;
  }
}

/** For the same reason a retry must come before anything else is sent. */
function oneAtATime() {
  let last: Promise<unknown> = Promise.resolve();
  return <Result>(work: () => Promise<Result>): Promise<Result> => {
    const turn = last.then(work);
    last = turn.catch(() => {});
    return turn;
  };
}

/** Requests of at most 768 KiB, each to one partition, so that the answer tells where every message stands. */
async function appendAll(producer: Producer, topic: string, messages: readonly NewMessage[], partitions: number) {
  const positions: { partition: number; offset: number }[] = [];
  for (const { partition, indexes } of requests(messages, partitions)) {
    const chunk = indexes.map((index) => messages[index]).filter((message) => message !== undefined);
    const [answer] = await producer.send({
      topic,
      acks: -1,
      messages: chunk.map(({ value, key, headers }) => ({
        value,
        partition,
        ...(key !== undefined && { key }),
        ...(headers && { headers: { ...headers } }),
      })),
    });
    const base = Number(answer?.baseOffset);
    indexes.forEach((index, at) => (positions[index] = { partition, offset: base + at }));
  }
  return positions;
}

let nextPartition = 0;

/** A key keeps its partition; what has none is spread chunk by chunk. */
function requests(messages: readonly NewMessage[], partitions: number): { partition: number; indexes: number[] }[] {
  const done: { partition: number; indexes: number[] }[] = [];
  const open = new Map<number | 'any', { partition: number; indexes: number[]; bytes: number }>();
  messages.forEach(({ key, value }, index) => {
    const lane = key === undefined ? 'any' : createHash('sha256').update(key).digest().readUInt32BE() % partitions;
    let request = open.get(lane);
    if (request === undefined || request.bytes + value.length > maxRequestBytes) {
      request = { partition: lane === 'any' ? nextPartition++ % partitions : lane, indexes: [], bytes: 0 };
      open.set(lane, request);
      done.push(request);
    }
    request.indexes.push(index);
    request.bytes += value.length + 100;
  });
  return done;
}

/** Made once; null where it cannot be kept: then the session of a killed process runs out by itself. */
function nameOfFolder({ clientId, membershipFile, logger }: KafkaOptions): string | null {
  if (membershipFile === undefined) return null;
  try {
    if (!existsSync(membershipFile)) {
      const fresh = `${membershipFile}.${process.pid}`;
      mkdirSync(dirname(membershipFile), { recursive: true });
      writeFileSync(fresh, JSON.stringify({ instance: randomUUID() }), { mode: 0o600 });
      // Whole or not at all, and the first of two processes wins.
      if (!existsSync(membershipFile)) linkSync(fresh, membershipFile);
      rmSync(fresh);
    }
    const { instance } = JSON.parse(readFileSync(membershipFile, 'utf8')) as { instance: string }; // written above
    return `${clientId}-${instance}`;
  } catch (error) {
    logger.warn({ membershipFile, error: messageOf(error) }, 'the name of this member of the group cannot be kept');
    return null;
  }
}

interface Predecessors {
  readonly memberName: string;
  readonly group: string;
  readonly logger: Logger;
}

/**
 * After `kill -9` the group waits a whole session for each dead member, also for one that was killed while it joined.
 * The group knows them by the name of their folder, and we leave for them. kafkajs has the request, but no public call for it.
 */
async function leaveForPredecessors(
  client: InstanceType<typeof Kafka>,
  admin: Admin,
  { memberName, group, logger }: Predecessors,
): Promise<void> {
  try {
    const { groups } = await admin.describeGroups([group]);
    const dead = groups.flatMap(({ members }) => members).filter(({ clientId }) => clientId === memberName);
    if (dead.length === 0) return;
    const create = Object.getOwnPropertySymbols(client).find(({ description }) => description === 'private:Kafka:createCluster');
    if (create === undefined) throw new Error('kafkajs has no createCluster any more');
    const cluster = (client as unknown as Record<symbol, (options: object) => InternalCluster>)[create]?.({ metadataMaxAge: 60_000 });
    await cluster?.connect();
    const coordinator = await cluster?.findGroupCoordinator({ groupId: group });
    for (const { memberId } of dead) await coordinator?.leaveGroup({ groupId: group, memberId });
    await cluster?.disconnect();
    logger.info({ group, members: dead.length }, 'left the group for processes that were killed');
  } catch (error) {
    logger.info({ group, error: messageOf(error) }, 'could not leave the group for a predecessor; its session runs out by itself');
  }
}

interface InternalCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  findGroupCoordinator(group: {
    groupId: string;
  }): Promise<{ leaveGroup(member: { groupId: string; memberId: string }): Promise<unknown> }>;
}

function registerCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = () => snappyCodec;
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4Codec;
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstdCodec;
}

/** Connects at the first use and once; a connection that failed is tried anew by the next caller. */
function connected<Client extends { connect(): Promise<void>; disconnect(): Promise<void> }>(make: () => Client): Connected<Client> {
  let ready: Promise<Client> | null = null;
  const get = () => {
    ready ??= (async () => {
      const client = make();
      await client.connect();
      return client;
    })().catch((error: unknown) => {
      ready = null;
      throw error;
    });
    return ready;
  };
  return Object.assign(get, { close: async () => (await ready)?.disconnect(), forget: () => (ready = null) });
}

interface Connected<Client> {
  (): Promise<Client>;
  close(): Promise<void>;
  /** The next use makes another one. */
  forget(): void;
}

function toAuditError(error: unknown, topics: readonly string[], { brokers, sasl }: KafkaOptions): AuditError {
  if (error instanceof AuditError) return error;
  const type = protocolType(error);
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') {
    return new AuditError('TOPIC_MISSING', `Kafka has no topic ${topics.join(' or ')}; create it, it is not created by itself`, {
      cause: error,
    });
  }
  if (type === 'MESSAGE_TOO_LARGE') {
    return new AuditError('PAYLOAD_TOO_LARGE', `A message is larger than the topic ${topics.join(', ')} takes (max.message.bytes)`, {
      cause: error,
    });
  }
  const where = brokers.join(',');
  if (hasName(error, 'KafkaJSSASLAuthenticationError')) {
    const who = sasl === undefined ? 'us without a user' : `the user ${sasl.username} by ${sasl.mechanism}`;
    return new AuditError(
      'SIGN_IN_REFUSED',
      `Kafka at ${where} refused ${who}: ${messageOf(error)}. Mend kafka.sasl, kafka.user and kafka.password`,
      { cause: error },
    );
  }
  return new AuditError('LOG_UNAVAILABLE', `Kafka at ${where} does not answer as expected: ${messageOf(error)}`, { cause: error });
}

function hasName(error: unknown, name: string): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (at.name === name) return true;
  return false;
}

/** The protocol's name of an error, also inside the wrappers that retries put around it. */
function protocolType(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('type' in at && typeof at.type === 'string') return at.type;
  }
  return undefined;
}

/** kafkajs warns of its own negative timers on newer Node; the rest is worth a line. */
function toLogger(logger: Logger) {
  return ({ level, log }: { level: number; log: { message: string; [fact: string]: unknown } }) => {
    const { message, ...facts } = log;
    if (level <= logLevel.ERROR) logger.warn({ kafka: message, ...facts }, 'kafka client');
    else logger.debug({ kafka: message, ...facts }, 'kafka client');
  };
}
