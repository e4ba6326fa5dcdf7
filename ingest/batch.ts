/** One contiguous range of one partition, decoded and ready to be claimed: a pure function of its messages, `receivedAt` and the decoder. */
import { createHash } from 'node:crypto';
import type { DeadLetter } from '../storage/batch-store.ts';
import { createEventBlock, type EventBlock } from '../storage/block.ts';
import type { Claim, GapReason, PartitionKey } from '../storage/ledger.ts';
import type { Decoder, Rejection } from './decoder.ts';
import type { LogMessage } from './log.ts';

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
  /** The block under an attempt of its token. */
  encode(attempt: number): Buffer;
  /** Gives the buffers back. */
  free(): void;
}

export interface BatchMaker {
  readonly normaliser: string;
  /** `refused` names positions (`offset/index`) that the database refused for good: they become dead letters STORE_REFUSED. */
  make(key: PartitionKey, range: Range, receivedAt: number, refused?: ReadonlySet<string>): Batch;
}

/** What one block may hold at most; the loop closes a batch long before. A message beyond it alone is refused by the decoder's limits. */
export function createBatchMaker(decoder: Decoder): BatchMaker {
  const free: EventBlock[] = [];
  return {
    normaliser: decoder.normaliser,
    make(key, range, receivedAt, refused) {
      const block = free.pop() ?? createEventBlock();
      block.reset();
      const decoded = decodeInto(block, { decoder, key, range, receivedAt, refused });
      const last = range.messages.at(-1);
      return {
        range,
        deadLetters: decoded.deadLetters,
        counts: {
          firstOffset: range.firstOffset,
          lastOffset: range.lastOffset,
          messages: range.messages.length,
          records: decoded.records,
          events: block.rows,
          rejected: decoded.deadLetters.length,
          skipped: decoded.skipped,
          gapReason: range.gapReason,
          receivedAt,
          minTimestamp: block.minTimestamp,
          maxTimestamp: block.maxTimestamp,
          normaliser: decoder.normaliser,
          lastSha256: last?.offset === range.lastOffset ? sha256Of(last) : '',
          lastTimestamp: Math.max(0, last?.timestamp ?? 0),
        },
        encode: (attempt) => block.encode({ ...key, receivedAt, replay: 0, attempt, normaliser: decoder.normaliser }),
        free: () => free.push(block),
      };
    },
  };
}

interface Decoding {
  readonly decoder: Decoder;
  readonly key: PartitionKey;
  readonly range: Range;
  readonly receivedAt: number;
  readonly refused: ReadonlySet<string> | undefined;
}

function decodeInto(block: EventBlock, { decoder, key, range, receivedAt, refused }: Decoding) {
  const deadLetters: DeadLetter[] = [];
  let records = 0;
  let skipped = 0;
  const sink = {
    event(event: Parameters<EventBlock['add']>[0], offset: number, index: number) {
      records += 1;
      if (refused?.has(`${offset}/${index}`)) deadLetters.push(storeRefused(event.tenant, event.source_format, offset, index));
      else block.add(event, offset, index);
    },
    rejected(rejection: Rejection) {
      records += 1;
      deadLetters.push(rejection);
    },
    skipped() {
      records += 1;
      skipped += 1;
    },
  };
  for (const message of range.messages) decoder.decode(message, key.topic, receivedAt, sink);
  return { deadLetters, records, skipped };
}

function storeRefused(tenant: string, detectedFormat: string, offset: number, index: number): DeadLetter {
  const message = 'ClickHouse refused the event for good, though it could be read';
  return { offset, index, tenant, code: 'STORE_REFUSED', path: '', message, detectedFormat, excerpt: '', bytes: 0, sha256: '' };
}

/** Identity of a message, by its value: a topic that was made anew has another one at the same offset. */
export function sha256Of(message: LogMessage): string {
  return createHash('sha256')
    .update(message.value ?? '')
    .digest('hex');
}
