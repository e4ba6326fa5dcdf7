// Rows per second of the insert alone: blocks that are ready go into a table like `events`, each under a token of its own.
import { join } from 'node:path';
import { cpuOf } from './place.mjs';
import { kongValues } from './records.mjs';

const dist = join(import.meta.dirname, '../dist');
const rowsPerBlock = 20_000;

export async function measureInsert({ clickhouse, engine }, { inserts }) {
  const blocks = await readyBlocks(inserts + 1);
  await clickhouse.run('CREATE TABLE bench_insert AS events');
  await clickhouse.insertBlock('bench_insert', blocks[0], { token: 'warm' });
  const [startedAt, cpuBefore] = [performance.now(), cpuOf(engine.pid)];
  for (const [at, block] of blocks.slice(1).entries()) await clickhouse.insertBlock('bench_insert', block, { token: `bench-${at}` });
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = cpuOf(engine.pid) - cpuBefore;
  const [{ n }] = await clickhouse.rows('SELECT count() AS n FROM bench_insert');
  if (Number(n) !== blocks.length * rowsPerBlock) throw new Error(`${blocks.length} blocks were inserted, ${n} rows are there`);
  await clickhouse.run('DROP TABLE bench_insert');
  const rows = inserts * rowsPerBlock;
  return { rowsPerSecond: rows / seconds, engineCpuPerMillion: (cpu / rows) * 1e6 };
}

/** Encoded by the product from the same records that the full path reads. */
async function readyBlocks(count) {
  const { createBatchMaker } = await import(`${dist}/ingest/batch.js`);
  const { createDecoder, loadGateways } = await import(`${dist}/ingest/decode.js`);
  const { deriveKey } = await import(`${dist}/core/keys.js`);
  const maker = createBatchMaker(
    createDecoder({
      sources: [],
      defaultTenant: 'default',
      intakeTopic: 'none',
      gateways: await loadGateways(),
      allowedQueryKeys: new Set(),
      pseudonyms: deriveKey(Buffer.alloc(32, 1), 'pseudonyms'),
      version: 'bench',
    }),
  );
  const key = { logId: 'bench', sourceEpoch: 1, topic: 'bench', partition: 0 };
  return Array.from({ length: count }, (_, at) => {
    const firstOffset = at * rowsPerBlock;
    const messages = kongValues(rowsPerBlock, firstOffset).map((value, index) => ({
      offset: firstOffset + index,
      timestamp: Date.now(),
      value,
      headers: {},
    }));
    const batch = maker.make(key, { firstOffset, lastOffset: firstOffset + rowsPerBlock - 1, messages, gapReason: '' }, Date.now());
    if (batch.counts.events !== rowsPerBlock) throw new Error(`only ${batch.counts.events} of ${rowsPerBlock} records could be read`);
    const block = batch.encode(0);
    batch.free();
    return block;
  });
}
