// The product's own way from messages to blocks, without a log and without a store.
import { kongValues } from './records.mjs';

export const key = { logId: 'bench', sourceEpoch: 1, topic: 'bench', partition: 0 };

/** As the role `ingest` makes its own from the default configuration. */
async function makeDecoder() {
  const { createDecoder, loadGateways } = await import('../dist/ingest/pipeline.js');
  const { loadIntakeRules } = await import('../dist/app/decoder.js');
  const { openGeo } = await import('../dist/ingest/geo.js');
  const { deriveKey } = await import('../dist/core/keys.js');
  return createDecoder({
    sources: [],
    defaultTenant: 'default',
    intakeTopic: 'none',
    gateways: await loadGateways(),
    allowedQueryKeys: new Set(),
    intakeRules: await loadIntakeRules([]),
    pseudonyms: deriveKey(Buffer.alloc(32, 1), 'pseudonyms'),
    credentials: deriveKey(Buffer.alloc(32, 1), 'credentials'),
    geo: await openGeo(undefined),
    version: 'bench',
  });
}

export async function makeBatchMaker() {
  const { createBatchMaker } = await import('../dist/ingest/batch.js');
  return createBatchMaker(await makeDecoder());
}

/** The canonical events of a range, each an object of its own. */
export async function readEvents({ messages }) {
  const decoder = await makeDecoder();
  const events = [];
  const refuse = () => {
    throw new Error('a record could not be read');
  };
  const sink = { event: (event) => void events.push({ ...event, attributes: { ...event.attributes } }), rejected: refuse, skipped: refuse };
  for (const message of messages) decoder.decode(message, key.topic, Date.now(), sink);
  return events;
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
