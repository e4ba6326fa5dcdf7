/**
 * One partition of Kafka while it is assigned. Its client fetches by itself and cannot be told to stop in time, so this
 * decides what of it is believed: only what was fetched for exactly the wanted offset is kept, and handed out when asked for.
 */
import { AuditError } from '../../core/errors.ts';
import type { AssignedPartition, Bounds, Fetched, HoleReason, LogMessage, TopicPartition } from '../log.ts';
import { ReadAhead } from './read-ahead.ts';

/** What a partition asks of the client that fetches for it. */
export interface PartitionClient {
  fetchFrom(offset: number): void;
  setPaused(isPaused: boolean): void;
  commit(nextOffset: number): Promise<void>;
  bounds(): Promise<Bounds>;
  /** The client stands still though there is something to read. */
  onStuck(error: AuditError): void;
}

/** What one fetch gave: the messages of [fetchedAt, end). */
export interface Arrival {
  readonly fetchedAt: number;
  readonly end: number;
  readonly messages: readonly LogMessage[];
  /** The end of the partition as the broker told it with them. */
  readonly high: number;
  readonly hole: HoleReason;
}

export interface AssignedOptions extends TopicPartition {
  readonly client: PartitionClient;
  readonly readAheadBytes: number;
  /** So long nothing may come while there is something to read. */
  readonly stuckAfterMs: number;
}

const boundsAreFreshMs = 5_000;

export class Assigned implements AssignedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly revoked: AbortSignal;
  private readonly options: AssignedOptions;
  private readonly control = new AbortController();
  private readonly ahead = new ReadAhead();
  /** Where a fetch for the wanted offset began instead: believed when it happens twice. */
  private jumpedTo = -1;
  private isPaused = true;
  private limits: Bounds;
  private limitsAt = 0;
  /** How often in a row the log had more than it gave. */
  private emptyLooks = 0;
  private wake: () => void = () => {};

  constructor(options: AssignedOptions) {
    this.options = options;
    this.topic = options.topic;
    this.partition = options.partition;
    this.revoked = this.control.signal;
    this.limits = { topic: options.topic, partition: options.partition, low: 0, high: Number.MAX_SAFE_INTEGER };
  }

  get wanted(): number {
    return this.ahead.wanted;
  }

  get bufferedBytes(): number {
    return this.ahead.bytes;
  }

  revoke(): void {
    this.control.abort();
    this.ahead.drop();
    this.wake();
  }

  seek(offset: number): void {
    if (this.revoked.aborted) return;
    this.ahead.seek(offset);
    this.jumpedTo = -1;
    this.emptyLooks = 0;
    this.fetchAgain();
  }

  private fetchAgain(): void {
    this.options.client.fetchFrom(this.ahead.wanted);
    this.setPaused(false);
  }

  private setPaused(isPaused: boolean): void {
    if (this.isPaused === isPaused || this.revoked.aborted) return;
    this.isPaused = isPaused;
    this.emptyLooks = 0;
    this.options.client.setPaused(isPaused);
  }

  /** False for what is not believed: the client is then paused, or was told anew from where to fetch. */
  async arrived({ fetchedAt, end, messages, high, hole }: Arrival): Promise<boolean> {
    if (this.ahead.wanted < 0 || this.revoked.aborted) return false;
    if (fetchedAt !== this.ahead.wanted && !(await this.isHole(fetchedAt))) return false;
    this.limits = { ...this.limits, high: Math.max(high, end) };
    this.emptyLooks = 0;
    this.ahead.add(messages, end, hole);
    if (this.ahead.bytes >= this.options.readAheadBytes) this.setPaused(true);
    this.wake();
    return true;
  }

  /** The client dropped [first, end) by itself: markers of transactions, and what they took back. */
  passedOver(first: number, end: number): void {
    this.emptyLooks = 0; // it moves, and that is all that is known where it began elsewhere
    if (first !== this.ahead.wanted) return;
    this.limits = { ...this.limits, high: Math.max(this.limits.high, end) };
    this.ahead.add([], end, 'TRANSACTION_MARKER');
    this.wake();
  }

  /**
   * The client went to another offset by itself: over records that hold no message (then asking again leads to the same
   * place), or because the position is out of range (then the bounds say so, and nothing may be handed out).
   */
  private async isHole(fetchedAt: number): Promise<boolean> {
    const { wanted } = this.ahead;
    const { low, high } = await this.bounds();
    if (this.ahead.wanted !== wanted) return false; // sought meanwhile
    if (wanted < low || wanted > high) {
      this.setPaused(true);
      this.wake();
      return false;
    }
    if (fetchedAt > wanted && this.jumpedTo === fetchedAt) return true;
    this.jumpedTo = fetchedAt;
    this.fetchAgain();
    return false;
  }

  async next({ maxWaitMs, maxBytes }: { readonly maxWaitMs: number; readonly maxBytes: number }): Promise<Fetched> {
    if (this.ahead.isEmpty) await this.arrival(maxWaitMs);
    const freshMs = Math.min(boundsAreFreshMs, this.options.stuckAfterMs / 4);
    if (this.ahead.isEmpty && Date.now() - this.limitsAt > freshMs) await this.look(this.options.stuckAfterMs / freshMs);
    const { low, high } = this.limits;
    const taken = this.ahead.take(maxBytes);
    const isInRange = low <= taken.from && taken.from <= high;
    if (this.ahead.bytes < this.options.readAheadBytes / 2 && isInRange) this.setPaused(false);
    return { ...taken, low, high };
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

  /**
   * The reader waits and nothing came. A member can stay in its group, with heartbeats, and fetch nothing for ever
   * (tulios/kafkajs #1616): who looks often enough, sees more each time and gets nothing, says so. Half way it asks anew once.
   * Looks are counted, not time: a slow writer does not look, nor does a process that was suspended.
   */
  private async look(enough: number): Promise<void> {
    const { low, high } = await this.bounds();
    const { wanted } = this.ahead;
    const isQuiet = this.ahead.isEmpty && !this.isPaused && !this.revoked.aborted && low <= wanted && wanted < high;
    this.emptyLooks = isQuiet ? this.emptyLooks + 1 : 0;
    if (this.emptyLooks === Math.ceil(enough / 2)) this.fetchAgain();
    if (this.emptyLooks <= enough) return;
    const place = `${this.topic}/${this.partition}`;
    const message = `Kafka has ${high - wanted} record(s) of ${place} from offset ${wanted} on, but its client gave none for ${this.options.stuckAfterMs / 1000} s`;
    this.revoke();
    this.options.client.onStuck(new AuditError('LOG_UNAVAILABLE', message));
  }

  async commit(nextOffset: number): Promise<void> {
    // In the same tick: the client reads its generation when the call begins.
    if (this.revoked.aborted) throw new AuditError('LOG_UNAVAILABLE', 'the assignment of the partition is over');
    await this.options.client.commit(nextOffset);
  }

  async bounds(): Promise<Bounds> {
    try {
      this.limits = await this.options.client.bounds();
    } catch (error) {
      this.emptyLooks = 0; // Kafka itself is away
      throw error;
    }
    this.limitsAt = Date.now();
    return this.limits;
  }
}
