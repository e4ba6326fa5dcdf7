/** From what the log gives to a batch: until it is full, or its time is over. */
import { AuditError } from '../core/errors.ts';
import type { GapReason } from '../storage/ledger.ts';
import type { Batch } from './batch.ts';
import { type Life, stops } from './life.ts';
import type { AssignedPartition, Fetched } from './log.ts';

/** Begins with messages that were fetched already. */
export async function collect({ key, log, options }: Life, first: Fetched, receivedAt: number): Promise<Batch> {
  const { limits, maker } = options;
  const open = maker.open(key, receivedAt);
  const startedAt = performance.now();
  // What came while the batch before was written has waited since then.
  const since = first.since ?? startedAt;
  let bytes = 0;
  let gapReason: GapReason = '';
  let lastOffset = first.from - 1;
  let fetched = first;
  options.trace?.('decode');
  for (;;) {
    let isFull = false;
    for (const message of fetched.messages) {
      open.add(message);
      bytes += message.value?.length ?? 0;
      lastOffset = message.offset;
      isFull = open.rows >= limits.rows || bytes >= limits.bytes || open.textLength >= limits.bytes;
      if (isFull) break;
    }
    if (fetched.holes !== null && gapReason === '') gapReason = fetched.holes;
    if (!isFull) lastOffset = fetched.to - 1;
    else if (lastOffset < fetched.to - 1) log.seek(lastOffset + 1);
    const isBehind = fetched.to < fetched.high;
    const leftMs = (isBehind ? startedAt + limits.behindMs : since + limits.ms) - performance.now();
    if (isFull || leftMs <= 0 || log.revoked.aborted) break;
    const next = await nextOf(log, { maxWaitMs: leftMs, maxBytes: limits.bytes - bytes });
    if (next === null || next.to === next.from) break;
    fetched = next;
  }
  const batch = open.close({ firstOffset: first.from, lastOffset, gapReason });
  const last = batch.range.messages.at(-1);
  if (batch.fitsOneBlock || last === undefined) return batch;
  // The last message is too much beside the others: it begins the next batch.
  batch.free();
  log.seek(last.offset);
  const range = { ...batch.range, lastOffset: last.offset - 1, messages: batch.range.messages.slice(0, -1) };
  return maker.make(key, range, receivedAt);
}

/** Null where the log does not answer: what is here is stored then, and whoever asks next waits for it. */
async function nextOf(log: AssignedPartition, wanted: Parameters<AssignedPartition['next']>[0]): Promise<Fetched | null> {
  try {
    return await log.next(wanted);
  } catch (error) {
    if (error instanceof AuditError && !stops.has(error.code)) return null;
    throw error;
  }
}
