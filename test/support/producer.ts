/**
 * A steady producer of gateway records that keeps what Kafka acknowledged, for tests that judge whether anything was
 * lost. It knows what each message must become, and nothing of the product.
 */
import { createHash } from 'node:crypto';
import kafkajs from 'kafkajs';
import { seeded } from './campaign.ts';
import type { Acknowledged, Element } from './oracle.ts';

const { Kafka, logLevel } = kafkajs;

export interface Producer {
  /** In the order of the answers; by partition the offsets are contiguous. */
  readonly acknowledged: readonly Acknowledged[];
  readonly records: number;
  /** Records per second from the first answer of Kafka to the last. */
  readonly rate: number;
  /** Sends one round of messages to each partition. */
  round(records: number): Promise<void>;
  /** Begins to send at this rate until `stop`. */
  start(recordsPerSecond: number): void;
  /** Stops sending; rejects when Kafka did not take something. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export interface ProducerOptions {
  readonly brokers: string[];
  readonly topic: string;
  readonly partitions: number;
  readonly seed: number;
}

export const roundMs = 50;
/** Kafka takes no batch above 1 MB. */
export const maxRound = 2_000;

export async function startProducer({ brokers, topic, partitions, seed }: ProducerOptions): Promise<Producer> {
  const client = new Kafka({ brokers, clientId: 'test-producer', logLevel: logLevel.NOTHING });
  const producer = client.producer({ allowAutoTopicCreation: false, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const next = messages(seed);
  const acknowledged: Acknowledged[] = [];
  let records = 0;
  let [firstAt, lastAt] = [Infinity, 0];
  let isRunning = false;
  let running: Promise<void> = Promise.resolve();

  async function round(wanted: number): Promise<void> {
    const lanes = Array.from({ length: partitions }, (_, partition) => ({ partition, made: take(next, wanted / partitions) }));
    const answers = await producer.sendBatch({
      acks: -1,
      topicMessages: [{ topic, messages: lanes.flatMap(({ partition, made }) => made.map(({ value }) => ({ partition, value }))) }],
    });
    lastAt = performance.now();
    firstAt = Math.min(firstAt, lastAt);
    for (const { partition, made } of lanes) {
      const base = Number(answers.find((answer) => answer.partition === partition)?.baseOffset);
      if (!(base >= 0)) throw new Error(`Kafka did not say where the messages of partition ${partition} stand`);
      made.forEach(({ value, elements }, at) => {
        acknowledged.push({ partition, offset: base + at, sha256: sha256(value), elements });
        records += elements.length;
      });
    }
  }

  /** Catches up after a pause: the rate is kept over the whole run. */
  async function run(recordsPerSecond: number): Promise<void> {
    const startedAt = performance.now();
    for (let sent = 0; isRunning;) {
      const due = ((performance.now() - startedAt) / 1000) * recordsPerSecond - sent;
      if (due >= (recordsPerSecond * roundMs) / 1000) {
        const wanted = Math.min(due, maxRound);
        await round(wanted);
        sent += wanted;
      } else await new Promise((resolve) => setTimeout(resolve, roundMs / 2));
    }
  }

  return {
    acknowledged,
    get records() {
      return records;
    },
    get rate() {
      return Math.round(records / ((lastAt - firstAt) / 1000));
    },
    round,
    start(recordsPerSecond) {
      isRunning = true;
      running = run(recordsPerSecond);
      running.catch(() => {}); // told by stop
    },
    async stop() {
      isRunning = false;
      await running;
    },
    close: () => producer.disconnect(),
  };
}

export interface Made {
  readonly value: Buffer | null;
  readonly elements: readonly Element[];
}

/** At least so many records, in whole messages. */
export function take(next: () => Made, records: number): Made[] {
  const made: Made[] = [];
  for (let count = 0; count < records;) {
    const message = next();
    made.push(message);
    count += message.elements.length;
  }
  return made;
}

/** Objects, arrays, NDJSON; 1 % that cannot be read, alone and inside an array; now and then something to skip. */
export function messages(seed: number): () => Made {
  const random = seeded(seed);
  let number = 0;
  const event = (): { text: string; element: Element } => {
    number += 1;
    const id = `r${seed}-${number}`; // digits alone could be a card number, which is redacted
    return { text: JSON.stringify(kong(id, random)), element: { kind: 'event', requestId: id } };
  };
  const bad = { text: '{"level":"info","msg":"not a request"}', element: { kind: 'rejected', code: 'UNKNOWN_FORMAT' } } as const;
  const several = (count: number) => Array.from({ length: count }, () => (random() < 0.01 ? bad : event()));
  return () => {
    const kind = random();
    if (kind < 0.006) return { value: Buffer.from('{"started_at": 17'), elements: [{ kind: 'rejected', code: 'BAD_JSON' }] };
    if (kind < 0.01) return { value: Buffer.from(bad.text), elements: [bad.element] };
    if (kind < 0.012) return { value: null, elements: [{ kind: 'skipped' }] };
    if (kind < 0.7) return one(event());
    const parts = several(2 + Math.floor(random() * 6));
    const text = kind < 0.9 ? `[${parts.map((part) => part.text).join(',')}]` : `${parts.map((part) => part.text).join('\n')}\n`;
    return { value: Buffer.from(text), elements: parts.map(({ element }) => element) };
  };
}

const one = ({ text, element }: { readonly text: string; readonly element: Element }): Made => ({
  value: Buffer.from(text),
  elements: [element],
});

/** As Kong's log plugins write it, shortened. Source of the layout: Kong/kong, kong/pdk/log.lua. */
function kong(id: string, random: () => number): object {
  const status = random() < 0.9 ? 200 : 401;
  return {
    started_at: Date.now(),
    client_ip: `198.51.100.${Math.floor(random() * 200)}`,
    request: {
      id,
      method: 'GET',
      uri: `/orders/${Math.floor(random() * 10_000)}?page=2`,
      url: 'https://api.example.test:8443/orders',
      size: 320,
      headers: { host: 'api.example.test', 'user-agent': 'curl/8.5.0', authorization: 'Bearer secret' },
    },
    response: { status, size: 512, headers: { 'content-type': 'application/json' } },
    latencies: { request: 12, proxy: 9, kong: 3 },
    upstream_status: String(status),
    service: { id: 's-1', name: 'orders' },
    route: { id: 'r-1', name: 'orders', paths: ['/orders'] },
    consumer: { id: `c-${Math.floor(random() * 50)}`, username: 'shop' },
  };
}

export function sha256(value: Buffer | null): string {
  return createHash('sha256')
    .update(value ?? '')
    .digest('hex');
}
