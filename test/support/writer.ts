/** What the tests of the write protocol share: a decoder of one-line records that is not the product's, and writers on a real engine. */
import { createHash } from 'node:crypto';
import { silentLogger } from '../../core/logger.ts';
import { createBatchMaker, type Range } from '../../ingest/batch.ts';
import type { Decoder } from '../../ingest/decoder.ts';
import type { LogMessage } from '../../ingest/log.ts';
import type { Assignment } from '../../ingest/settle.ts';
import { createWriter, type Writer, type WriterOptions } from '../../ingest/write.ts';
import { emptyEvent } from '../../schemas/event.ts';
import { openBatchStore } from '../../storage/batch-store.ts';
import type { ClickHouse } from '../../storage/clickhouse.ts';
import { openLedger, type PartitionKey } from '../../storage/ledger.ts';

/** `eN` are N events, `bad` a dead letter, `skip` is skipped; anything else is one event whose path is the text, `/chd…` and `/phi…` of that data class. */
export function lineDecoder(normaliser = 'test'): Decoder {
  return {
    normaliser,
    decode(message, _topic, receivedAt, sink) {
      const text = message.value?.toString() ?? 'skip';
      const count = /^e(\d+)$/.exec(text)?.[1];
      if (text === 'skip') sink.skipped(message.offset, 0, 'test');
      else if (text === 'bad') sink.rejected({ ...rejection, offset: message.offset, index: 0 });
      else {
        for (let index = 0; index < Number(count ?? 1); index += 1) {
          sink.event(
            {
              ...emptyEvent(),
              timestamp: receivedAt * 1000 - 1_000_000,
              tenant: `t${message.offset % 3}`,
              url_path: text,
              data_classes: /^\/(chd|phi)/.exec(text)?.slice(1) ?? [],
              time_source: 'start',
            },
            message.offset,
            index,
          );
        }
      }
    },
  };
}

const rejection = { tenant: 't', code: 'BAD_JSON', path: '', message: 'no JSON', detectedFormat: '', excerpt: '', bytes: 3, sha256: '' };

export const messages = (first: number, values: readonly string[]): LogMessage[] =>
  values.map((value, at) => ({ offset: first + at, timestamp: 1_700_000_000_000 + first + at, value: Buffer.from(value), headers: {} }));

export function rangeOf(first: number, values: readonly string[]): Range {
  return { firstOffset: first, lastOffset: first + values.length - 1, messages: messages(first, values), gapReason: '' };
}

export const keyOf = (partition = 0, topic = 'gw'): PartitionKey => ({ logId: 'log', sourceEpoch: 1, topic, partition });

export function assignmentOf(key: PartitionKey = keyOf()): Assignment & { revoke(): void } {
  const control = new AbortController();
  return { key, revoked: control.signal, revoke: () => control.abort() };
}

export interface TestWriter extends Writer {
  readonly maker: WriterOptions['maker'];
  readonly ledger: WriterOptions['ledger'];
  readonly store: WriterOptions['store'];
}

let writers = 0;

export function writerOn(
  clickhouse: ClickHouse,
  options: { normaliser?: string; name?: string } & Partial<WriterOptions> = {},
): TestWriter {
  const parts = {
    ledger: options.ledger ?? openLedger(clickhouse),
    store: options.store ?? openBatchStore(clickhouse),
    maker: options.maker ?? createBatchMaker(lineDecoder(options.normaliser)),
  };
  writers += 1;
  const writer = createWriter({ ...parts, writer: options.name ?? `w${writers}`, logger: options.logger ?? silentLogger, retryMs: 10 });
  return { ...writer, ...parts };
}

export const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
