// The product's own way from messages to blocks, without a log and without a store.
import { join } from 'node:path';
import { kongValues } from './records.mjs';

const dist = join(import.meta.dirname, '../dist');
export const key = { logId: 'bench', sourceEpoch: 1, topic: 'bench', partition: 0 };

/** As the role `ingest` makes its own from the default configuration. */
export async function makeBatchMaker() {
  const { createBatchMaker } = await import(`${dist}/ingest/batch.js`);
  const { createDecoder, loadGateways } = await import(`${dist}/ingest/pipeline.js`);
  const { deriveKey } = await import(`${dist}/core/keys.js`);
  const decoder = createDecoder({
    sources: [],
    defaultTenant: 'default',
    intakeTopic: 'none',
    gateways: await loadGateways(),
    allowedQueryKeys: new Set(),
    pseudonyms: deriveKey(Buffer.alloc(32, 1), 'pseudonyms'),
    version: 'bench',
  });
  return createBatchMaker(decoder);
}

/** `count` Kong records as the log gives them, from an offset on. */
export function kongRange(count, firstOffset, total = count) {
  const messages = kongValues(count, firstOffset, total).map((value, at) => ({
    offset: firstOffset + at,
    timestamp: Date.now(),
    value,
    headers: {},
  }));
  return { firstOffset, lastOffset: firstOffset + count - 1, messages, gapReason: '' };
}

/** Blocks of `rows` Kong events each, encoded. */
export async function readyBlocks(count, rows) {
  const maker = await makeBatchMaker();
  return Array.from({ length: count }, (_, at) => {
    const batch = maker.make(key, kongRange(rows, at * rows, count * rows), Date.now());
    if (batch.counts.events !== rows) throw new Error(`only ${batch.counts.events} of ${rows} records could be read`);
    const block = batch.encode(0);
    batch.free();
    return block;
  });
}
