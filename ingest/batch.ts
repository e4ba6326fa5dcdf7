/** One contiguous range of one partition, decoded and ready to be claimed: a pure function of its messages, `receivedAt` and the decoder. */
import { createHash } from 'node:crypto';
import type { DeadLetter } from '../storage/dead-letters.ts';
import { createEventBlock, type EventBlock } from '../storage/block.ts';
import type { Claim, GapReason, PartitionKey } from '../storage/ledger.ts';
import type { DecodeSink, Decoder } from './decoder.ts';
import { ReadFailure } from './gateway.ts';
import type { LogMessage } from './log.ts';
import { marker } from './marker.ts';
import { rejectionOf } from './rejection.ts';

/** A range as the log gave it. */
export interface Range {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly messages: readonly LogMessage[];
  /** Why offsets of the range have no message. */
  readonly gapReason: GapReason;
}

export interface Batch {
  readonly range: Range;
  /** Everything a claim says of the batch but whose it is. */
  readonly counts: Pick<
    Claim,
    | 'firstOffset'
    | 'lastOffset'
    | 'messages'
    | 'records'
    | 'events'
    | 'rejected'
    | 'skipped'
    | 'gapReason'
    | 'receivedAt'
    | 'minTimestamp'
    | 'maxTimestamp'
    | 'normaliser'
    | 'lastSha256'
    | 'lastTimestamp'
  >;
  readonly deadLetters: readonly DeadLetter[];
  /** False when the events are more than one part may take. Never of one message alone: then they are dead letters. */
  readonly fitsOneBlock: boolean;
  /** The block under an attempt of its token; the marker of a batch that has no events. */
  encode(attempt: number): Buffer;
  /** Gives the buffers back. */
  free(): void;
}

/** A batch that still grows: it is decoded message by message, and nothing of a parsed record is kept. */
export interface OpenBatch {
  add(message: LogMessage): void;
  /** Events and dead letters so far. */
  readonly rows: number;
  /** Length of the texts of the events so far; a compressed message may hold far more than its own bytes. */
  readonly textLength: number;
  /** Where the range ended, wherever the log says. */
  close(range: Omit<Range, 'messages'>): Batch;
}

export interface BatchMaker {
  readonly normaliser: string;
  open(key: PartitionKey, receivedAt: number, refusal?: Refusal): OpenBatch;
  make(key: PartitionKey, range: Range, receivedAt: number, refusal?: Refusal): Batch;
}

/** Which events become dead letters, by their position `offset/index`, though they could be read. */
export interface Refusal {
  readonly has: (position: string) => boolean;
  readonly code: 'STORE_REFUSED' | 'TOO_LARGE';
  readonly message: string;
}

export const storeRefused = (positions: ReadonlySet<string>): Refusal => ({
  has: (position) => positions.has(position),
  code: 'STORE_REFUSED',
  message: 'ClickHouse refused the event for good, though it could be read',
});

export const claimedWithoutEvents: Refusal = {
  has: () => true,
  code: 'STORE_REFUSED',
  message: 'Another version of the reader claimed this batch and could read no event of it; it is completed as it was claimed',
};

const tooLarge: Refusal = {
  has: () => true,
  code: 'TOO_LARGE',
  message: 'The events of this message are more than one block takes: 100,000 rows, 64 MiB',
};

/** What one block may hold at most, so that it is one part; the loop closes a batch long before. */
export const maxBlockRows = 100_000;
export const maxBlockBytes = 64 * 1024 * 1024;

export function createBatchMaker(decoder: Decoder): BatchMaker {
  const free: EventBlock[] = [];

  function open(key: PartitionKey, receivedAt: number, refusal?: Refusal): OpenBatch {
    const block = free.pop() ?? createEventBlock();
    const messages: LogMessage[] = [];
    const { normaliser } = decoder;
    let sink = createSink(block, refusal);
    return {
      add(message) {
        messages.push(message);
        decoder.decode(message, key.topic, receivedAt, sink);
      },
      get rows() {
        return block.rows + sink.deadLetters.length;
      },
      get textLength() {
        return block.textLength;
      },
      close(range) {
        const encode = (attempt: number) =>
          block.rows === 0
            ? marker(key, { firstOffset: range.firstOffset, receivedAt, normaliser }, attempt)
            : block.encode({ ...key, receivedAt, replay: 0, attempt, normaliser });
        let encoded: Buffer | null = encode(0);
        const fits = () => block.rows <= maxBlockRows && (encoded?.length ?? 0) <= maxBlockBytes;
        const [only] = messages;
        // Decided by the message alone, so that whoever completes the claim decides the same.
        if (only && messages.length === 1 && !fits()) {
          sink = createSink(block, tooLarge);
          decoder.decode(only, key.topic, receivedAt, sink);
          encoded = encode(0);
        }
        const { deadLetters, skips } = sink;
        return {
          range: { ...range, messages },
          deadLetters,
          fitsOneBlock: fits(),
          counts: {
            firstOffset: range.firstOffset,
            lastOffset: range.lastOffset,
            messages: messages.length,
            records: block.rows + deadLetters.length + skips,
            events: block.rows,
            rejected: deadLetters.length,
            skipped: skips,
            gapReason: range.gapReason,
            receivedAt,
            minTimestamp: block.minTimestamp,
            maxTimestamp: block.maxTimestamp,
            normaliser,
            ...identityOf(messages.at(-1), range.lastOffset),
          },
          encode: (attempt) => (attempt === 0 ? (encoded ??= encode(0)) : encode(attempt)),
          free() {
            encoded = null;
            free.push(block);
          },
        };
      },
    };
  }

  return {
    normaliser: decoder.normaliser,
    open,
    make(key, { messages, ...range }, receivedAt, refusal) {
      const batch = open(key, receivedAt, refusal);
      for (const message of messages) batch.add(message);
      return batch.close(range);
    },
  };
}

/** Of the message at the end of the range, where there is one. */
function identityOf(last: LogMessage | undefined, lastOffset: number): Pick<Claim, 'lastSha256' | 'lastTimestamp'> {
  return { lastSha256: last?.offset === lastOffset ? sha256Of(last) : '', lastTimestamp: Math.max(0, last?.timestamp ?? 0) };
}

interface BatchSink extends DecodeSink {
  readonly deadLetters: DeadLetter[];
  skips: number;
}

function createSink(block: EventBlock, refusal: Refusal | undefined): BatchSink {
  block.reset();
  /** Of the element at hand, where some are refused; empty from a decoder that does not tell. */
  let bytes: Buffer = Buffer.alloc(0);
  const failure = refusal && new ReadFailure(refusal.code, '', refusal.message);
  return {
    deadLetters: [],
    skips: 0,
    ...(refusal && { element: (_offset: number, _index: number, ofElement: Buffer) => void (bytes = ofElement) }),
    event(event, offset, index) {
      if (refusal?.has(`${offset}/${index}`)) {
        const { tenant, source_format: detectedFormat } = event;
        this.deadLetters.push(rejectionOf(failure, { offset, index, tenant, detectedFormat, text: bytes }));
      } else block.add(event, offset, index);
    },
    rejected(rejection) {
      this.deadLetters.push(rejection);
    },
    skipped() {
      this.skips += 1;
    },
  };
}

/** Identity of a message, by its value: a topic that was made anew has another one at the same offset. */
export function sha256Of(message: LogMessage): string {
  return createHash('sha256')
    .update(message.value ?? '')
    .digest('hex');
}
