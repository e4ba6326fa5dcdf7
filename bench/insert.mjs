// Rows per second of the insert alone: blocks that are ready go into a table like `events`, each under a token of its own.
import { readyBlocks } from './maker.mjs';
import { cpuOf } from './steady.mjs';

const rowsPerBlock = 50_000;

export async function measureInsert({ clickhouse, engine }, { inserts }) {
  const blocks = await readyBlocks(inserts + 1, rowsPerBlock);
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
