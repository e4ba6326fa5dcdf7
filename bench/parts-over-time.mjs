// Parts, merges and CPU over minutes at full speed, by the number of partitions that one process owns.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { withKafka, withStore } from './place.mjs';
import { cpuOf, median } from './steady.mjs';

const topic = 'bench';
const keptBytes = 2 * 1024 ** 3;

export const partsOverTime = (partitions) => ({
  title: `Parts and merges over time, ${partitions} partitions`,
  how: `A producer keeps ahead of one process of ingest that owns ${partitions} partitions; the topic keeps 2 GiB. Each minute: rows and parts
that were stored, merges that ended, CPU of engine and ingest in cores, active parts of \`events\`.`,
  sizes: { full: { minutes: 10 }, quick: { minutes: 1 } },
  measure: ({ minutes }, print) =>
    withKafka((kafka) =>
      withStore(async (store) => {
        await kafka.createTopic('gatetrail-records', 1);
        await kafka.createTopic(topic, partitions, {
          'retention.bytes': String(Math.floor(keptBytes / partitions)),
          'segment.bytes': String(32 * 1024 ** 2),
        });
        const producer = spawn(process.execPath, [join(import.meta.dirname, 'steady-producer.mjs'), kafka.brokers[0], topic], {
          stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        });
        try {
          const ingest = await store.startIngest({ brokers: kafka.brokers, topics: [topic] }, 1);
          const table = await follow(store, { ingest, producer, minutes, print });
          await ingest.stop();
          return summary(table);
        } finally {
          producer.kill('SIGKILL');
          if (producer.exitCode === null && producer.signalCode === null) await once(producer, 'exit');
        }
      }),
    ),
});

async function follow(store, { ingest, producer, minutes, print }) {
  const look = async () => ({ ...(await figuresOf(store.clickhouse)), ingest: cpuOf(ingest.pids[0]), engine: cpuOf(store.engine.pid) });
  const table = [];
  let before = await look();
  for (let minute = 1; minute <= minutes; minute += 1) {
    const startedAt = performance.now();
    while (performance.now() - startedAt < 60_000) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      // How far ingest is: the producer waits when it is too far ahead, else retention would overtake.
      producer.send(Number((await store.clickhouse.rows('SELECT count() AS n FROM events'))[0].n));
    }
    const now = await look();
    const seconds = (performance.now() - startedAt) / 1000;
    const per = (name) => (now[name] - before[name]) / seconds;
    table.push({
      minute,
      'rows/s': per('rows'),
      'rows a part': (now.rows - before.rows) / Math.max(1, now.parts - before.parts),
      'parts/s': per('parts'),
      'merges/s': per('merges'),
      'rows merged/s': per('merged'),
      'engine, cores': per('engine'),
      'ingest, cores': per('ingest'),
      'active parts': now.active,
    });
    print(JSON.stringify(table.at(-1)));
    before = now;
  }
  return table;
}

async function figuresOf(clickhouse) {
  const [{ rows, remaining }] = await clickhouse.rows(
    "SELECT sum(rows) AS rows, count() AS remaining FROM system.parts WHERE database = currentDatabase() AND table = 'events' AND active",
  );
  // Each batch is one part of events; ledger and dead letters have parts of their own.
  const [{ parts }] = await clickhouse.rows('SELECT count() AS parts FROM batches WHERE events > 0');
  const events = await clickhouse.rows("SELECT event, value FROM system.events WHERE event IN ('Merge', 'MergedRows')");
  const valueOf = (name) => Number(events.find(({ event }) => event === name)?.value ?? 0);
  return { rows: Number(rows), active: Number(remaining), parts: Number(parts), merges: valueOf('Merge'), merged: valueOf('MergedRows') };
}

function summary(table) {
  const names = Object.keys(table[0]).filter((name) => name !== 'minute');
  return {
    values: {
      ...Object.fromEntries(names.map((name) => [`${name}, median of the minutes`, median(table.map((row) => row[name]))])),
      'active parts, most': Math.max(...table.map((row) => row['active parts'])),
    },
    ratios: {},
    table,
  };
}
