/**
 * A producer that goes on when its broker is killed, and knows afterwards what the log holds. Where an answer is missing,
 * the messages may be there once or not at all: the log itself is read from the offset on that the next one should have.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import type { Acknowledged } from './oracle.ts';
import { maxRound, messages, roundMs, sha256, take, type Made, type ProducerOptions } from './producer.ts';

const { Kafka, logLevel } = kafkajs;
type Client = InstanceType<typeof Kafka>;

export interface LastingOptions extends ProducerOptions {
  /** Called once for each message of the log, by partition in the order of its offsets. */
  onMessage(message: Acknowledged): void;
}

export interface LastingProducer {
  /** Sends whose answer never came, and messages of those that were found in the log. */
  readonly unanswered: number;
  readonly found: number;
  /** Why it sends no longer. */
  readonly failure: unknown;
  start(recordsPerSecond: number): void;
  /** Stops sending; rejects when the log holds something else than what was sent, or too little. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

interface Sent {
  readonly sha256: string;
  readonly made: Made;
}

export async function startLastingProducer({ brokers, topic, partitions, seed, onMessage }: LastingOptions): Promise<LastingProducer> {
  const client = new Kafka({ brokers, clientId: 'test-producer', logLevel: logLevel.NOTHING, retry: { retries: 3, maxRetryTime: 1_000 } });
  const next = messages(seed);
  const ends = Array.from({ length: partitions }, () => 0);
  /** By partition and checksum: sent, and neither answered nor found so far. Messages of the same bytes are alike. */
  const open = ends.map(() => new Map<string, Sent[]>());
  let [unanswered, found, isRunning] = [0, 0, false];
  let failure: unknown = null;
  let running: Promise<void> = Promise.resolve();
  let producer = await connectProducer(client);

  async function round(wanted: number): Promise<void> {
    const lanes = ends.map(() => take(next, wanted / partitions).map((made) => ({ made, sha256: sha256(made.value) })));
    const bases = await Promise.all(lanes.map(send));
    for (const [partition, sent] of lanes.entries()) {
      const base = bases[partition] ?? -1;
      if (base < 0) for (const each of sent) open[partition]?.set(each.sha256, [...(open[partition].get(each.sha256) ?? []), each]);
      else {
        if (base !== ends[partition]) await readUpTo(partition, base);
        for (const each of sent) put(partition, each);
      }
    }
    if (Math.min(...bases) < 0) await settle();
  }

  /** Each partition by itself: where one of several brokers fails, kafkajs sends again what another one is just about to answer. */
  async function send(sent: readonly Sent[], partition: number): Promise<number> {
    const messages = sent.map(({ made: { value } }) => ({ partition, value }));
    try {
      const [answer] = await producer.send({ acks: -1, timeout: 5_000, topic, messages });
      return Number(answer?.baseOffset ?? -1);
    } catch {
      return -1;
    }
  }

  function put(partition: number, { sha256: sha, made }: Sent): void {
    onMessage({ partition, offset: ends[partition] ?? 0, sha256: sha, elements: made.elements });
    ends[partition] = (ends[partition] ?? 0) + 1;
  }

  /** Another producer, because kafkajs gives the sequence numbers of a failed send to what comes next. */
  async function settle(): Promise<void> {
    unanswered += 1;
    await producer.disconnect().catch(() => {});
    producer = await again(() => connectProducer(client));
    const highs = await again(() => readEnds(client, topic));
    for (const [partition, high] of highs) if (high > (ends[partition] ?? 0)) await readUpTo(partition, high);
  }

  async function readUpTo(partition: number, to: number): Promise<void> {
    const from = ends[partition] ?? 0;
    if (to < from) throw new Error(`partition ${partition} ended at ${from} and now ends at ${to}: acknowledged messages are gone`);
    const values = await again(() => readRange(client, { topic, partition, from, to }));
    for (const value of values) {
      const sha = sha256(value);
      const sent = open[partition]?.get(sha)?.pop();
      if (!sent)
        throw new Error(`partition ${partition} holds at ${ends[partition]} what nobody sent, or what was sent once and stands twice`);
      found += 1;
      put(partition, sent);
    }
  }

  /** The rate is kept over the whole run: what an outage cost is sent after it. */
  async function run(recordsPerSecond: number): Promise<void> {
    const startedAt = performance.now();
    for (let sent = 0; isRunning;) {
      const due = ((performance.now() - startedAt) / 1000) * recordsPerSecond - sent;
      if (due >= (recordsPerSecond * roundMs) / 1000) {
        const wanted = Math.min(due, maxRound);
        await round(wanted);
        sent += wanted;
      } else await sleep(roundMs / 2);
    }
    for (const [partition, high] of await again(() => readEnds(client, topic))) await readUpTo(partition, high);
  }

  return {
    get unanswered() {
      return unanswered;
    },
    get found() {
      return found;
    },
    get failure() {
      return failure;
    },
    start(recordsPerSecond) {
      isRunning = true;
      running = run(recordsPerSecond);
      running.catch((error: unknown) => (failure = error));
    },
    async stop() {
      isRunning = false;
      await running;
    },
    close: () => producer.disconnect(),
  };
}

async function connectProducer(client: Client) {
  const producer = client.producer({ allowAutoTopicCreation: false, idempotent: true, maxInFlightRequests: 1, retry: { retries: 3 } });
  await producer.connect();
  return producer;
}

/** A broker that was killed is back within seconds. */
async function again<Result>(ask: () => Promise<Result>): Promise<Result> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(300);
    }
  }
}

/** The offset behind the last message, by partition. */
async function readEnds(client: Client, topic: string): Promise<[number, number][]> {
  const admin = client.admin();
  await admin.connect();
  try {
    return (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, Number(high)]);
  } finally {
    await admin.disconnect();
  }
}

interface Range {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

async function readRange(client: Client, { topic, partition, from, to }: Range): Promise<(Buffer | null)[]> {
  if (to === from) return [];
  const consumer = client.consumer({ groupId: `read-back-${Date.now()}-${partition}`, allowAutoTopicCreation: false });
  const values: (Buffer | null)[] = [];
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: false });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`offsets ${from} to ${to} of partition ${partition} were not read`)), 30_000);
      const keep = (message: { offset: string; value: Buffer | null }) => {
        if (Number(message.offset) !== from + values.length || values.length === to - from) return;
        values.push(message.value);
        if (values.length < to - from) return;
        clearTimeout(timer);
        resolve();
      };
      consumer
        .run({
          autoCommit: false,
          async eachBatch({ batch }) {
            if (batch.partition === partition) batch.messages.forEach(keep);
          },
        })
        .then(() => consumer.seek({ topic, partition, offset: String(from) }))
        .catch(reject);
    });
    return values;
  } finally {
    await consumer.disconnect();
  }
}
