/** Batches without blocks, for tests that make a million: what a text is to a version of the reader, and what a batch says of itself. */
import { type Batch, type BatchMaker, type OpenBatch, type Range, type Refusal, sha256Of } from '../../ingest/batch.ts';
import type { LogMessage } from '../../ingest/log.ts';
import type { DeadLetter } from '../../storage/dead-letters.ts';
import type { PartitionKey } from '../../storage/ledger.ts';
import { type MemoryBlock, placeOf } from './memory-engine.ts';

export type Version = 'old' | 'new';

interface Reading {
  readonly events: number;
  readonly rejected: number;
  readonly skipped: number;
}

const read = (events: number, rejected = 0, skipped = 0): Reading => ({ events, rejected, skipped });

/** By the first word of a message. */
const readings: Readonly<Record<string, Readonly<Record<Version, Reading>>>> = {
  one: { old: read(1), new: read(1) },
  three: { old: read(3), new: read(3) },
  bad: { old: read(0, 1), new: read(0, 1) },
  skip: { old: read(0, 0, 1), new: read(0, 0, 1) },
  newer: { old: read(0, 1), new: read(1) },
  many: { old: read(0, 1), new: read(2, 1) },
  older: { old: read(1), new: read(0, 1) },
  ignored: { old: read(1), new: read(0, 0, 1) },
  /** The table refuses its events for good. */
  poison: { old: read(1), new: read(1) },
};
export const kinds = Object.keys(readings);

export const kindOf = ({ value }: LogMessage) => value?.toString().split(' ', 1)[0] ?? '';

export const readingOf = (version: Version, message: LogMessage): Reading => readings[kindOf(message)]?.[version] ?? read(0, 1);

const letterOf = (offset: number, index: number, code: string): DeadLetter => ({
  offset,
  index,
  code,
  tenant: '',
  path: '',
  message: '',
  detectedFormat: '',
  excerpt: '',
  bytes: 0,
  sha256: '',
});

export function lightBatches(version: Version): BatchMaker {
  function make(key: PartitionKey, range: Range, receivedAt: number, refusal?: Refusal): Batch {
    const rows: [number, number][] = [];
    const deadLetters: DeadLetter[] = [];
    let skipped = 0;
    let isRefused = false;
    for (const message of range.messages) {
      const reading = readingOf(version, message);
      const { offset } = message;
      for (let index = 0; index < reading.events; index += 1) {
        const refused = refusal?.has(`${offset}/${index}`) === true;
        if (refused) deadLetters.push(letterOf(offset, index, refusal?.code ?? ''));
        else rows.push([offset, index]);
        isRefused ||= !refused && kindOf(message) === 'poison';
      }
      for (let at = 0; at < reading.rejected; at += 1) deadLetters.push(letterOf(offset, reading.events + at, 'BAD_JSON'));
      skipped += reading.skipped;
    }
    const events = rows.length;
    const { firstOffset, lastOffset, gapReason, messages } = range;
    const last = messages.at(-1);
    const block = (attempt: number): MemoryBlock => ({
      place: placeOf(key),
      receivedAt,
      normaliser: version,
      attempt,
      batchEvents: events,
      rows: events === 0 ? [[firstOffset, 0]] : rows,
      isRefused,
    });
    return {
      range,
      deadLetters,
      fitsOneBlock: true,
      counts: {
        firstOffset,
        lastOffset,
        messages: messages.length,
        records: events + deadLetters.length + skipped,
        events,
        rejected: deadLetters.length,
        skipped,
        gapReason,
        receivedAt,
        minTimestamp: 0,
        maxTimestamp: 0,
        normaliser: version,
        lastSha256: last?.offset === lastOffset ? sha256Of(last) : '',
        lastTimestamp: 0,
      },
      encode: (attempt) => Buffer.from(JSON.stringify(block(attempt))),
      free: () => {},
    };
  }

  function open(key: PartitionKey, receivedAt: number, refusal?: Refusal): OpenBatch {
    const messages: LogMessage[] = [];
    let rows = 0;
    return {
      add(message) {
        messages.push(message);
        const { events, rejected } = readingOf(version, message);
        rows += events + rejected;
      },
      get rows() {
        return rows;
      },
      textLength: 0,
      close: (range) => make(key, { ...range, messages }, receivedAt, refusal),
    };
  }
  return { normaliser: version, open, make };
}
