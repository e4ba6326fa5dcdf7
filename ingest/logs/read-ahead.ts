/** What was fetched of one partition before its reader asked: the offsets behind a position without a break, and why some hold no message. */
import { recordOverheadBytes } from '../buffer.ts';
import type { Fetched, HoleReason, LogMessage } from '../log.ts';

export class ReadAhead {
  /** The next offset that a fetch must begin with; -1 before the first seek. */
  wanted = -1;
  /** Memory of what waits: values, and what stands around each. */
  bytes = 0;
  /** The next offset to hand out. */
  private position = -1;
  private waiting: LogMessage[] = [];
  private holes: HoleReason | null = null;
  /** When the first of what waits came, of `performance.now()`. */
  private since = 0;

  get isEmpty(): boolean {
    return this.position === this.wanted;
  }

  /** What waits is dropped. */
  seek(offset: number): void {
    this.wanted = offset;
    this.position = offset;
    this.waiting = [];
    this.bytes = 0;
    this.holes = null;
  }

  drop(): void {
    this.seek(this.position);
  }

  /** The messages of [wanted, end); `hole` says why offsets of it have none. */
  add(messages: readonly LogMessage[], end: number, hole: HoleReason): void {
    if (end - this.wanted !== messages.length) this.holes ??= hole;
    if (this.waiting.length === 0) this.since = performance.now();
    for (const message of messages) {
      this.bytes += sizeOf(message) + recordOverheadBytes;
      this.waiting.push(message); // one by one: a call takes some hundred thousand arguments at most, a fetch may hold more
    }
    this.wanted = end;
  }

  /** At most `maxBytes` of values, but at least one message where there is one. */
  take(maxBytes: number): Pick<Fetched, 'from' | 'to' | 'messages' | 'holes' | 'since'> {
    let count = 0;
    let bytes = 0;
    for (const message of this.waiting) {
      if (count > 0 && bytes + sizeOf(message) > maxBytes) break;
      bytes += sizeOf(message);
      count += 1;
    }
    const messages = this.waiting.splice(0, count);
    this.bytes -= bytes + count * recordOverheadBytes;
    const from = this.position;
    const to = this.waiting[0]?.offset ?? this.wanted;
    this.position = to;
    const holes = to - from === count ? null : this.holes;
    if (this.waiting.length === 0) this.holes = null;
    return { from, to, messages, holes, since: this.since };
  }
}

const sizeOf = ({ value }: LogMessage) => value?.length ?? 0;
