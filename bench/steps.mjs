// Where the CPU of writing goes: batches of four partitions go through the product's batch and write in turn, without a log,
// and what each statement costs the engine is told by its name. Merges run beside, in threads of their own.
import { key, kongRange, makeBatchMaker } from './maker.mjs';
import { withStore } from './place.mjs';
import { cpuByThread, cpuOf, mergesOf, sum } from './steady.mjs';
import { createBenchWriter } from './writer.mjs';

const partitions = 4;

export default {
  title: 'Where the CPU of writing goes',
  how: `Batches of 50,000 Kong records of ${partitions} partitions go through batch and write one after another, without a log: CPU seconds
per million records of the engine by statement and thread, and of this process. Merges run beside and are counted by their
threads; those that are left at the end are waited for.`,
  sizes: { full: { batches: 40, rows: 50_000 }, quick: { batches: 12, rows: 20_000 } },
  measure: ({ batches, rows }) =>
    withStore(async ({ clickhouse, engine }) => {
      const costs = new Map();
      const writer = await createBenchWriter(observed(clickhouse, engine.pid, costs), await makeBatchMaker());
      const total = batches * rows;
      const write = (batch) => {
        const partition = batch % partitions;
        return writer.write({ ...key, partition }, kongRange(rows, Math.floor(batch / partitions) * rows, total));
      };
      for (let batch = 0; batch < partitions; batch += 1) await write(batch);
      costs.clear();
      const before = { threads: cpuByThread(engine.pid), here: process.cpuUsage() };
      for (let batch = partitions; batch < batches; batch += 1) await write(batch);
      const here = process.cpuUsage(before.here);
      await mergesOver(clickhouse);
      const measured = total - partitions * rows;
      const perMillion = (seconds) => (seconds / measured) * 1e6;
      const threads = difference(cpuByThread(engine.pid), before.threads);
      const statements = Object.fromEntries([...costs].map(([name, { seconds }]) => [`statement ${name}`, perMillion(seconds)]));
      return {
        values: {
          ...statements,
          'engine, merges': perMillion(threads.MergeMutate ?? 0),
          ...Object.fromEntries(Object.entries(threads).map(([name, seconds]) => [`thread ${name}`, perMillion(seconds)])),
          'engine, all': perMillion(sum(Object.values(threads))),
          'records made, batched, encoded and sent by this process': perMillion((here.user + here.system) / 1e6),
          ...Object.fromEntries([...costs].map(([name, { calls }]) => [`calls per batch, ${name}`, calls / (batches - partitions)])),
        },
        ratios: {},
      };
    }),
};

/** What the engine spends outside of merges while a statement runs; one runs at a time. */
function observed(clickhouse, pid, costs) {
  const spent = () => cpuOf(pid) - mergesOf(pid);
  const watch =
    (name, work) =>
    async (first, ...rest) => {
      const before = spent();
      const answer = await work(first, ...rest);
      const cost = costs.get(name(first)) ?? { seconds: 0, calls: 0 };
      costs.set(name(first), { seconds: cost.seconds + spent() - before, calls: cost.calls + 1 });
      return answer;
    };
  return {
    ...clickhouse,
    rows: watch(nameOf, clickhouse.rows),
    run: watch(nameOf, clickhouse.run),
    insertRows: watch((table) => `insert into ${table}`, clickhouse.insertRows),
    insertBlock: watch((table) => `insert into ${table}`, clickhouse.insertBlock),
  };
}

function nameOf(sql) {
  const into = /^\s*INSERT INTO (\w+)/.exec(sql)?.[1];
  return into === undefined ? `read of ${/\bFROM\s+(\w+)/.exec(sql)?.[1] ?? 'nothing'}` : `insert into ${into}`;
}

/** Until no merge has run for three looks. */
export async function mergesOver(clickhouse) {
  for (let quiet = 0; quiet < 3;) {
    const [{ n }] = await clickhouse.rows('SELECT count() AS n FROM system.merges');
    quiet = n === '0' ? quiet + 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

const difference = (after, before) =>
  Object.fromEntries(
    Object.entries(after)
      .map(([name, seconds]) => [name, seconds - (before[name] ?? 0)])
      .filter(([, seconds]) => seconds >= 0.05),
  );
