/** A partition of a log in memory, for tests of the loop alone: it can lose its beginning, be replaced and be taken away. */
import type { AssignedPartition, Fetched, HoleReason, LogMessage } from '../../ingest/log.ts';
import { sleep } from '../../core/clock.ts';
import { messages as messagesOf } from './writer.ts';

export interface MemoryPartition extends AssignedPartition {
  append(values: readonly string[]): void;
  /** Offsets that hold no message. */
  appendHole(count: number, reason: HoleReason): void;
  /** Loses its end; what a broker does that did not fsync. */
  cut(high: number): void;
  /** Drops everything below; what retention does. */
  trim(low: number): void;
  revoke(): void;
  /** Is taken away by itself once it has been read to its end and nothing more came for a while. */
  revokeAtEnd(): void;
  readonly committed: number;
  /** Messages handed out, again or for the first time. */
  readonly handedOut: number;
}

export function memoryPartition(topic = 'gw', partition = 0): MemoryPartition {
  const control = new AbortController();
  let kept: LogMessage[] = [];
  let holes: HoleReason | null = null;
  let low = 0;
  let high = 0;
  let at = 0;
  let committed = -1;
  let handedOut = 0;
  let idle = -Infinity;

  const take = (maxBytes: number): LogMessage[] => {
    const taken: LogMessage[] = [];
    let bytes = 0;
    for (const message of kept) {
      if (message.offset < at) continue;
      bytes += message.value?.length ?? 0;
      if (taken.length > 0 && bytes > maxBytes) break;
      taken.push(message);
    }
    return taken;
  };

  return {
    topic,
    partition,
    revoked: control.signal,
    seek(offset) {
      at = offset;
    },
    async next({ maxWaitMs, maxBytes }): Promise<Fetched> {
      const from = at;
      const messages = at < low ? [] : take(maxBytes);
      if (messages.length === 0 && at >= low) await sleep(Math.min(maxWaitMs, 20), control.signal);
      idle = messages.length === 0 ? idle + 1 : Math.min(0, idle);
      if (idle >= 10) control.abort();
      if (at >= low)
        at = messages.length < kept.filter(({ offset }) => offset >= at).length ? (messages.at(-1)?.offset ?? at) + 1 : Math.max(at, high);
      handedOut += messages.length;
      return { from, to: at, messages, holes: at - from === messages.length ? null : holes, low, high };
    },
    async commit(nextOffset) {
      committed = nextOffset;
    },
    bounds: async () => ({ topic, partition, low, high }),
    append(values) {
      kept.push(...messagesOf(high, values));
      high += values.length;
    },
    appendHole(count, reason) {
      holes = reason;
      high += count;
    },
    cut(end) {
      high = end;
      kept = kept.filter(({ offset }) => offset < end);
    },
    trim(to) {
      low = to;
      kept = kept.filter(({ offset }) => offset >= to);
    },
    revoke: () => control.abort(),
    revokeAtEnd() {
      idle = 0;
    },
    get committed() {
      return committed;
    },
    get handedOut() {
      return handedOut;
    },
  };
}
