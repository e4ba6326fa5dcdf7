/** What one partition has read and not yet written: contiguous offsets from `from` to `to`, at most one batch. */
import type { Range } from './batch.ts';
import type { AssignedPartition, Fetched, HoleReason, LogMessage } from './log.ts';

export interface Reader {
  /** Offsets [from, to) are held. */
  readonly from: number;
  readonly to: number;
  readonly messages: readonly LogMessage[];
  readonly bytes: number;
  /** Goes on at `offset`; what is held is kept where it fits. */
  seek(offset: number): void;
  more(maxWaitMs: number, maxBytes: number): Promise<Fetched>;
  /** The held offsets up to `lastOffset`, which stay held until `seek` goes beyond them. */
  range(lastOffset: number): Range;
}

export function createReader(partition: AssignedPartition): Reader {
  let from = -1;
  let to = -1;
  let messages: LogMessage[] = [];
  let bytes = 0;
  let holes: HoleReason | null = null;

  const count = () => messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);

  return {
    get from() {
      return from;
    },
    get to() {
      return to;
    },
    get messages() {
      return messages;
    },
    get bytes() {
      return bytes;
    },
    seek(offset) {
      if (offset >= from && offset <= to && from >= 0) {
        messages = messages.filter((message) => message.offset >= offset);
      } else {
        partition.seek(offset);
        messages = [];
        to = offset;
      }
      from = offset;
      bytes = count();
      if (from === to) holes = null;
    },
    async more(maxWaitMs, maxBytes) {
      const fetched = await partition.next({ maxWaitMs, maxBytes });
      // A log that answers to another position than asked for would make holes that are none.
      if (fetched.to > fetched.from && fetched.from !== to) throw new Error(`the log answered offset ${fetched.from}, asked for ${to}`);
      if (fetched.to > to) {
        for (const message of fetched.messages) messages.push(message);
        to = fetched.to;
        holes = fetched.holes ?? holes;
        bytes += fetched.messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
      }
      return fetched;
    },
    range(lastOffset) {
      const taken = messages.filter((message) => message.offset <= lastOffset);
      const isWhole = taken.length === lastOffset - from + 1;
      return { firstOffset: from, lastOffset, messages: taken, gapReason: isWhole ? '' : (holes ?? '') };
    },
  };
}
