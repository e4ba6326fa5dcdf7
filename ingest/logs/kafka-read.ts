/**
 * Messages at given offsets, by fetches beside every group: nothing is joined and nothing committed. kafkajs has the request,
 * but no public call for it.
 */
import type { TopicPartition } from '../log.ts';
import { protocolType } from './kafka-errors.ts';

/** The part of kafkajs' cluster that is used here. */
export interface FetchingCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addTargetTopic(topic: string): Promise<void>;
  /** Partitions by the id of the broker that leads them. */
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, readonly number[]>>;
  findBroker(node: { nodeId: string }): Promise<{ fetch(request: object): Promise<FetchAnswer> }>;
}

export interface RawMessage {
  readonly offset: string;
  readonly isControlRecord?: boolean;
}

interface FetchAnswer {
  readonly responses: readonly { readonly partitions: readonly { readonly messages: readonly RawMessage[] }[] }[];
}

const maxBytes = 8 * 1024 * 1024;

/** At `offsets`, which rise, those that there are. The topic is one of the cluster's targets. */
export async function* fetchAt<Message extends RawMessage>(
  cluster: FetchingCluster,
  { topic, partition }: TopicPartition,
  offsets: readonly number[],
): AsyncGenerator<Message> {
  for (let at = 0; at < offsets.length;) {
    const from = offsets[at] ?? 0;
    const messages = (await fetchFrom(cluster, { topic, partition }, from)) as readonly Message[]; // the caller knows what kafkajs gives
    const found = new Map(messages.map((message) => [Number(message.offset), message]));
    // What the answer passes over is not there: compacted, or a marker of a transaction.
    const reached = Math.max(from, ...found.keys());
    for (; at < offsets.length && (offsets[at] ?? 0) <= reached; at += 1) {
      const message = found.get(offsets[at] ?? 0);
      if (message !== undefined && message.isControlRecord !== true) yield message;
    }
  }
}

async function fetchFrom(cluster: FetchingCluster, { topic, partition }: TopicPartition, from: number): Promise<readonly RawMessage[]> {
  const [nodeId] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
  if (nodeId === undefined) return [];
  const broker = await cluster.findBroker({ nodeId });
  const topics = [{ topic, partitions: [{ partition, fetchOffset: String(from), maxBytes }] }];
  try {
    const { responses } = await broker.fetch({ maxWaitTime: 500, minBytes: 1, maxBytes, topics });
    return responses.flatMap(({ partitions }) => partitions.flatMap(({ messages }) => messages));
  } catch (error) {
    // Retention went past it meanwhile.
    if (protocolType(error) === 'OFFSET_OUT_OF_RANGE') return [];
    throw error;
  }
}
