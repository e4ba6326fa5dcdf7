/** Messages of dead letters that are kept whole: sealed under a key of their own, and opened for a replay. */
import { AuditError, messageOf } from '../core/errors.ts';
import { slices } from '../core/grouped.ts';
import type { Logger } from '../core/logger.ts';
import type { KeptStore } from '../storage/kept-bytes.ts';
import type { PartitionKey } from '../storage/ledger.ts';
import type { Batch } from './batch.ts';
import type { LogMessage } from './log.ts';
import type { Sealer } from './logs/seal.ts';

/** A larger message is not kept: the log alone has it. */
const maxMessageBytes = 1024 * 1024;
const maxInsertBytes = 8 * 1024 * 1024;

export interface Kept {
  /** Of a batch, in the same step as its dead letters; again, it changes nothing. */
  keep(key: PartitionKey, batch: Batch): Promise<void>;
  /** At these offsets, those that are kept and can be opened. */
  read(key: PartitionKey, offsets: readonly number[]): AsyncIterable<LogMessage>;
}

export function createKept(store: KeptStore, sealer: Sealer, logger: Logger): Kept {
  return {
    async keep(key, { deadLetters, range, counts: { receivedAt } }) {
      const offsets = new Set(deadLetters.map(({ offset }) => offset));
      for (const messages of runsOf(range.messages.filter(({ offset }) => offsets.has(offset)))) {
        const sealed = messages.map(({ offset, value, headers }) => ({ offset, receivedAt, ...sealer.close({ value, headers }) }));
        await store.keep(key, sealed);
      }
    },
    async *read(key, offsets) {
      // One at a time may be a megabyte: few are asked for at once.
      for (const some of slices(offsets, 16)) {
        for (const kept of await store.read(key, some)) {
          try {
            yield { offset: kept.offset, timestamp: -1, ...sealer.open(kept) };
          } catch (error) {
            if (!(error instanceof AuditError)) throw error;
            logger.warn({ ...key, offset: kept.offset, error: messageOf(error) }, 'a kept message cannot be opened');
          }
        }
      }
    },
  };
}

type Whole = LogMessage & { readonly value: Buffer };

/** As many as one insert should carry. */
function* runsOf(messages: readonly LogMessage[]): Generator<Whole[]> {
  let run: Whole[] = [];
  let bytes = 0;
  for (const message of messages) {
    const { value } = message;
    if (value === null || value.length > maxMessageBytes) continue;
    if (bytes + value.length > maxInsertBytes) {
      yield run;
      [run, bytes] = [[], 0];
    }
    run.push({ ...message, value });
    bytes += value.length;
  }
  yield run;
}
