// Ours against the consumer that most people write first, with Kafka and without.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { key, kongRange, makeBatchMaker } from './maker.mjs';
import { insertNaive, naiveRow, openNaive } from './naive-consumer.mjs';
import { measureOurs } from './ours.mjs';
import { withKafka, withStore } from './place.mjs';
import { produce } from './produce.mjs';
import { makePeerTable, rowCounter, sameRows, sumsOf } from './same-columns.mjs';
import { cpuOf, median, rates, steadyState } from './steady.mjs';
import { createBenchWriter } from './writer.mjs';

const topic = 'bench';
const partitions = 4;
const perBatch = 20_000;
/** Ours, by default. */
const perOwnBatch = 50_000;

export default {
  title: 'Ours / a naive consumer',
  how: `The naive one parses, makes an object of the same columns a row, and inserts JSONEachRow through @clickhouse/client with
auto-commit, into a table like ours with the engine's defaults; the better of one insert per fetch and one per 20,000 counts, found
before the pairs. Without Kafka: four lanes go through our decoding, batch and write, 50,000 records at a time as by default, or are
parsed and inserted, 20,000 at a time. CPU is that of the consumer and the engine.`,
  sizes: { full: { records: 1_000_000, pairs: 5 }, quick: { records: 400_000, pairs: 1 } },
  goals: {
    'records per second': { atLeast: 1.8, aim: 2.2 },
    'CPU per record': { atMost: 0.55, aim: 0.45 },
    'records per second without Kafka': { atLeast: 2.2 },
    'CPU per record without Kafka': { atMost: 0.45 },
  },
  measure: ({ records, pairs }, print) =>
    withKafka(async (kafka) => {
      for (const name of [topic, 'gatetrail-records']) await kafka.createTopic(name, partitions);
      await produce(kafka.brokers, { topic, partitions, records });
      const checks = sameRows();
      const naive = (perInsert) => measureNaive(kafka, { records, perInsert, checks });
      const trials = [];
      for (const perInsert of [0, perBatch]) {
        trials.push({ perInsert, ...(await naive(perInsert)) });
        print(`naive, ${perInsert === 0 ? 'one insert per fetch' : `${perInsert} per insert`}: ${figures(trials.at(-1))}`);
      }
      const { perInsert } = trials.toSorted((a, b) => b.recordsPerSecond - a.recordsPerSecond)[0];
      const done = [];
      for (let pair = 1; pair <= pairs; pair += 1) {
        done.push({
          naive: await naive(perInsert),
          ours: await measureOurs(kafka, { topic, records, checks }),
          naiveAlone: await withoutKafka(records, perBatch, naiveLane),
          oursAlone: await withoutKafka(records, perOwnBatch, ourLane),
        });
        for (const [name, each] of Object.entries(done.at(-1))) print(`pair ${pair}: ${name} ${figures(each)}`);
      }
      return summary(perInsert, done);
    }),
};

const figures = ({ recordsPerSecond, cpuPerMillion }) =>
  `${Math.round(recordsPerSecond)} records/s, ${cpuPerMillion.toFixed(1)} CPU s per million`;

const measureNaive = (kafka, { records, perInsert, checks }) =>
  withStore(async ({ clickhouse, engine, address }) => {
    await makePeerTable(clickhouse);
    const options = JSON.stringify({ brokers: kafka.brokers, topic, perInsert, ...address });
    const consumer = spawn(process.execPath, [join(import.meta.dirname, 'naive-consumer.mjs'), options], {
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    try {
      const pids = { consumer: [consumer.pid], engine: [engine.pid] };
      const count = rowCounter(clickhouse, 'peer');
      const rows = () => {
        if (consumer.exitCode !== null) throw new Error('the naive consumer has ended');
        return count();
      };
      const state = await steadyState({ rows, pids, records });
      checks(await sumsOf(clickhouse, 'peer'));
      return rates(state);
    } finally {
      consumer.kill('SIGKILL');
      if (consumer.exitCode === null && consumer.signalCode === null) await once(consumer, 'exit');
    }
  });

/** Records are made before the clock runs; the lanes of the partitions go on beside each other, as in the product. */
const withoutKafka = (records, rows, openLane) =>
  withStore(async (store) => {
    const lane = await openLane(store);
    const batches = Math.max(1, Math.round(records / rows / partitions));
    const ranges = Array.from({ length: batches }, (_, at) => kongRange(rows, at * rows, batches * rows));
    await Promise.all(lanes((partition) => lane(partition, kongRange(rows, batches * rows)))); // warms up
    const [startedAt, engineBefore, before] = [performance.now(), cpuOf(store.engine.pid), process.cpuUsage()];
    await Promise.all(
      lanes(async (partition) => {
        for (const range of ranges) await lane(partition + partitions, range);
      }),
    );
    const { user, system } = process.cpuUsage(before);
    const total = batches * rows * partitions;
    const cpu = (user + system) / 1e6 + cpuOf(store.engine.pid) - engineBefore;
    return { recordsPerSecond: total / ((performance.now() - startedAt) / 1000), cpuPerMillion: (cpu / total) * 1e6 };
  });

const lanes = (work) => Array.from({ length: partitions }, (_, partition) => work(partition));

async function ourLane({ clickhouse }) {
  const writer = await createBenchWriter(clickhouse, await makeBatchMaker());
  return (partition, range) => writer.write({ ...key, partition }, range);
}

async function naiveLane({ clickhouse, address }) {
  await makePeerTable(clickhouse);
  const client = openNaive(address);
  return (partition, { messages }) =>
    insertNaive(
      client,
      messages.map(({ value, offset }) => naiveRow(JSON.parse(value.toString()), { topic, partition, offset })),
    );
}

function summary(perInsert, done) {
  const of = (pick) => median(done.map(pick));
  const values = { 'naive, best rows per insert (0: per fetch)': perInsert };
  for (const name of ['naive', 'ours', 'naiveAlone', 'oursAlone']) {
    const words = name.replace('Alone', ' without Kafka');
    values[`${words}, records per second`] = of((each) => each[name].recordsPerSecond);
    values[`${words}, CPU s per million`] = of((each) => each[name].cpuPerMillion);
  }
  const ratios = {
    'records per second': of(({ ours, naive }) => ours.recordsPerSecond / naive.recordsPerSecond),
    'CPU per record': of(({ ours, naive }) => ours.cpuPerMillion / naive.cpuPerMillion),
    'CPU per record from the start': of(({ ours, naive }) => ours.wholeCpuPerMillion / naive.wholeCpuPerMillion),
    'records per second without Kafka': of(({ oursAlone, naiveAlone }) => oursAlone.recordsPerSecond / naiveAlone.recordsPerSecond),
    'CPU per record without Kafka': of(({ oursAlone, naiveAlone }) => oursAlone.cpuPerMillion / naiveAlone.cpuPerMillion),
  };
  const table = done.map(({ ours, naive, oursAlone, naiveAlone }, pair) => ({
    pair: pair + 1,
    'rate ratio': ours.recordsPerSecond / naive.recordsPerSecond,
    'CPU ratio': ours.cpuPerMillion / naive.cpuPerMillion,
    'rate ratio without Kafka': oursAlone.recordsPerSecond / naiveAlone.recordsPerSecond,
    'CPU ratio without Kafka': oursAlone.cpuPerMillion / naiveAlone.cpuPerMillion,
  }));
  return { values, ratios, table };
}
