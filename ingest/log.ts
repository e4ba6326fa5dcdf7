/**
 * The log that every record passes before anything is stored: Kafka, or the journal on one machine.
 * Reading is by pull and bounded: an implementation fetches ahead up to `readAheadBytes` per partition,
 * then pauses that partition (heartbeats go on) until `next` has taken something away.
 */
import type { Logger } from '../core/logger.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface LogMessage {
  readonly offset: number;
  /** Milliseconds since the epoch as the log has it, -1 where the producer gave none. Never used as a time of the event. */
  readonly timestamp: number;
  /** As produced; null is a tombstone. */
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

export interface NewMessage {
  readonly value: Buffer;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Offsets [low, high) are in the log. */
export interface Bounds extends TopicPartition {
  readonly low: number;
  readonly high: number;
}

export type HoleReason = 'COMPACTION' | 'TRANSACTION_MARKER';

/** What one `next` gave: the offsets [from, to), of which some may hold no message. */
export interface Fetched {
  /** Always the position that was asked for; an answer of the log to another position is never handed out. */
  readonly from: number;
  readonly to: number;
  readonly messages: readonly LogMessage[];
  /** Why offsets of [from, to) have no message; null when each has one. */
  readonly holes: HoleReason | null;
  /** Of messages that were read ahead: when the first of them came, of `performance.now()`. */
  readonly since?: number;
  /** Bounds of the partition as the log last told them. `low > from`: the log no longer has this position (then nothing is handed out). `high < from`: it never had. */
  readonly low: number;
  readonly high: number;
}

export interface AssignedPartition extends TopicPartition {
  /** Aborts when the partition is taken away or the consumer stops: the assignment epoch of this partition is over. */
  readonly revoked: AbortSignal;
  /** Reads on from exactly this offset; what was fetched ahead is dropped. Must be called before the first `next`. */
  seek(offset: number): void;
  /** The next messages, at most `maxBytes` of values (at least one message); nothing new within `maxWaitMs` gives `from === to`. */
  next(options: { readonly maxWaitMs: number; readonly maxBytes: number }): Promise<Fetched>;
  /** Tells the log how far this group is; a hint for lag tools, never the position. Rejects when the assignment is over. */
  commit(nextOffset: number): Promise<void>;
  /** Freshly asked bounds of this partition. */
  bounds(): Promise<Bounds>;
}

export interface ConsumeOptions {
  readonly topics: readonly string[];
  readonly group: string;
  /** Called once per assignment of a partition; not awaited by the log. */
  readonly onAssigned: (partition: AssignedPartition) => void;
  /** The consumer cannot go on by itself (after its own retries): the process should end. */
  readonly onFailure: (error: unknown) => void;
  /** Of one partition: values, and a fixed amount for what stands around each. */
  readonly readAheadBytes: number;
  readonly logger: Logger;
}

export interface LogConsumer {
  /** Memory of the records that were fetched ahead and wait, of all partitions. */
  bufferedBytes(): number;
  /** Leaves the group and stops reading; `revoked` of all partitions aborts first. */
  stop(): Promise<void>;
}

export interface Log {
  readonly kind: 'kafka' | 'journal';
  /** Product and version as the other side tells them, for the start-up line and the tests. */
  describe(): Promise<string>;
  /** Identity of the log: Kafka's cluster id, the journal's UUID. */
  id(): Promise<string>;
  /** Resolves when the log has all of them durably (acks=all, fsync), with their positions in the order given. @throws LOG_UNAVAILABLE, TOPIC_MISSING */
  append(topic: string, messages: readonly NewMessage[]): Promise<readonly { readonly partition: number; readonly offset: number }[]>;
  /** Bounds of every partition of the topics. @throws LOG_UNAVAILABLE, TOPIC_MISSING */
  bounds(topics: readonly string[]): Promise<readonly Bounds[]>;
  /** The messages at these offsets, in rising order, those that the log still has; beside whoever consumes. @throws LOG_UNAVAILABLE, TOPIC_MISSING */
  read(place: TopicPartition, offsets: readonly number[]): AsyncIterable<LogMessage>;
  /** @throws LOG_UNAVAILABLE, TOPIC_MISSING */
  consume(options: ConsumeOptions): Promise<LogConsumer>;
  /** Who reads for this group now, by names for people. @throws LOG_UNAVAILABLE */
  readers(group: string): Promise<readonly string[]>;
  close(): Promise<void>;
}
