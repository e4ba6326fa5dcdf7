/** One partition of a log in memory that several members read, each with a place of its own. */
import type { AssignedPartition, Fetched, HoleReason, LogMessage } from '../../ingest/log.ts';

export interface SharedLog {
  /** Whatever was appended to this life of the topic, also what the log no longer has. */
  readonly appended: readonly LogMessage[];
  readonly low: number;
  readonly high: number;
  append(kinds: readonly string[]): void;
  /** Offsets that hold no message. */
  appendHole(count: number, reason: HoleReason): void;
  /** Loses its beginning, as by retention. */
  trim(count: number): void;
  /** The topic is made anew, with other messages. */
  replace(kinds: readonly string[]): void;
  member(signal: AbortSignal, onCommit: (next: number) => void): AssignedPartition;
}

/** At most that many messages at once, so that a batch takes several. */
const perFetch = 3;

export function sharedLog(): SharedLog {
  let appended: LogMessage[] = [];
  let holes: HoleReason | null = null;
  let [life, low, high] = [1, 0, 0];

  function fetch(at: number): Fetched {
    if (at < low || at >= high) return { from: at, to: at, messages: [], holes: null, low, high };
    const ahead = appended.filter(({ offset }) => offset >= at);
    const messages = ahead.slice(0, perFetch);
    const last = messages.at(-1);
    const to = last && ahead.length > messages.length ? last.offset + 1 : high;
    return { from: at, to, messages, holes: to - at === messages.length ? null : holes, low, high };
  }

  const log: SharedLog = {
    get appended() {
      return appended;
    },
    get low() {
      return low;
    },
    get high() {
      return high;
    },
    append(kinds) {
      for (const kind of kinds) {
        appended.push({ offset: high, timestamp: 0, value: Buffer.from(`${kind} ${life}/${high}`), headers: {} });
        high += 1;
      }
    },
    appendHole(count, reason) {
      holes = reason;
      high += count;
    },
    trim(count) {
      low = Math.min(high, low + count);
    },
    replace(kinds) {
      life += 1;
      appended = [];
      [low, high] = [0, 0];
      log.append(kinds);
    },
    member(revoked, onCommit) {
      let at = 0;
      return {
        topic: 'gw',
        partition: 0,
        revoked,
        seek(offset) {
          at = offset;
        },
        async next() {
          const fetched = fetch(at);
          at = fetched.to;
          return fetched;
        },
        commit: async (next) => onCommit(next),
        bounds: async () => ({ topic: 'gw', partition: 0, low, high }),
      };
    },
  };
  return log;
}
