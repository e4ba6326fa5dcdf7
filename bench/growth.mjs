// What an event costs when much is stored already. The mass goes in through block and write, without a log and without JSON; what
// is measured comes through Kafka.
import { key, kongRange, readEvents } from './maker.mjs';
import { withKafka, withStore } from './place.mjs';
import { produce } from './produce.mjs';
import { median, mergesOf, rates, steadyState } from './steady.mjs';
import { mergesOver } from './steps.mjs';
import { createBenchWriter } from './writer.mjs';

const partitions = 4;
const rowsPerFill = 100_000;
const perBatch = 50_000;
const batches = 20;

export default {
  title: 'Cost per event by what is stored',
  how: `The table is filled to each size through \`block.ts\` and \`write.ts\`, merges are waited for, and ${batches} batches of ${perBatch}
records come through Kafka: CPU per event of ingest and engine in the steady state (and from the start), and the median of the time between
two batches that can be seen, times the partitions. Merges come in lumps, by what stands there already: their part is told beside it.`,
  sizes: { full: { million: 50 }, quick: { million: 1 } },
  goals: { 'CPU per event, most / least': { atMost: 1.15 }, 'time of a batch, most / least': { atMost: 1.15 } },
  measure: ({ million }, print) =>
    withKafka((kafka) =>
      withStore(async (store) => {
        await kafka.createTopic('gatetrail-records', partitions);
        const fill = await filler(store.clickhouse);
        const table = [];
        for (const size of [million / 50, million / 5, million]) {
          await fill(Math.round(size * 1e6));
          await mergesOver(store.clickhouse);
          const topic = `growth-${table.length}`;
          await kafka.createTopic(topic, partitions);
          await produce(kafka.brokers, { topic, partitions, records: batches * perBatch });
          table.push({ 'million stored': size, ...(await measureBatches(store, kafka, topic)) });
          print(JSON.stringify(table.at(-1)));
        }
        return summary(table);
      }),
    ),
};

/** Gives a function that stores until the table holds so many rows. */
async function filler(clickhouse) {
  const { createBatchMaker } = await import('../dist/ingest/batch.js');
  const events = await readEvents(kongRange(perBatch, 0));
  const decoder = {
    normaliser: 'bench',
    decode({ offset }, _topic, receivedAt, sink) {
      const event = events[offset % perBatch];
      event.timestamp = receivedAt * 1000 - rowsPerFill + (offset % rowsPerFill);
      event.request_id = offset.toString(16).padStart(8, '0').repeat(4);
      sink.event(event, offset, 0);
    },
  };
  const writer = await createBenchWriter(clickhouse, createBatchMaker(decoder));
  const value = Buffer.from('{}');
  const next = Array.from({ length: partitions }, () => 0);
  const stored = async () => Number((await clickhouse.rows('SELECT count() AS n FROM events'))[0].n);
  return async (rows) => {
    let left = Math.ceil((rows - (await stored())) / rowsPerFill);
    const lane = async (partition) => {
      while (left > 0) {
        left -= 1;
        const firstOffset = next[partition];
        next[partition] += rowsPerFill;
        const messages = Array.from({ length: rowsPerFill }, (_, at) => ({ offset: firstOffset + at, timestamp: 0, value, headers: {} }));
        const range = { firstOffset, lastOffset: firstOffset + rowsPerFill - 1, messages, gapReason: '' };
        await writer.write({ ...key, topic: 'fill', partition }, range);
      }
    };
    await Promise.all(next.map((_, partition) => lane(partition)));
  };
}

async function measureBatches({ clickhouse, engine, startIngest }, kafka, topic) {
  const count = `SELECT count() AS n FROM events WHERE topic = '${topic}'`;
  const before = Number((await clickhouse.rows('SELECT count() AS n FROM events'))[0].n);
  const seenAt = [];
  let seen = 0;
  const rows = async () => {
    const stored = Number((await clickhouse.rows('SELECT count() AS n FROM events'))[0].n) - before;
    for (; seen + perBatch <= stored; seen += perBatch) seenAt.push(performance.now());
    return stored;
  };
  const mergesBefore = mergesOf(engine.pid);
  const ingest = await startIngest({ brokers: kafka.brokers, topics: [topic] });
  const pids = { ingest: ingest.pids, engine: [engine.pid] };
  const state = await steadyState({ rows, pids, records: batches * perBatch, lookEveryMs: 100 });
  const merges = ((mergesOf(engine.pid) - mergesBefore) / (batches * perBatch)) * 1e6;
  await ingest.stop();
  const [{ n }] = await clickhouse.rows(count);
  if (Number(n) !== batches * perBatch) throw new Error(`${n} events of the topic are there`);
  const gaps = seenAt.slice(1).map((at, index) => at - seenAt[index]);
  const { cpu, cpuPerMillion, wholeCpuPerMillion, recordsPerSecond } = rates(state);
  return {
    'CPU s/M': cpuPerMillion,
    'CPU s/M from the start': wholeCpuPerMillion,
    'CPU s/M from the start, without merges': wholeCpuPerMillion - merges,
    'CPU s/M, engine': cpu.engine,
    'ms a batch': median(gaps) * partitions,
    'records/s': recordsPerSecond,
  };
}

function summary(table) {
  const spread = (name) => Math.max(...table.map((row) => row[name])) / Math.min(...table.map((row) => row[name]));
  return {
    values: Object.fromEntries(table.map((row) => [`CPU s per million, ${row['million stored']} million stored`, row['CPU s/M']])),
    ratios: {
      'CPU per event, most / least': spread('CPU s/M'),
      'CPU per event from the start, most / least': spread('CPU s/M from the start'),
      'CPU per event from the start without merges, most / least': spread('CPU s/M from the start, without merges'),
      'time of a batch, most / least': spread('ms a batch'),
    },
    table,
  };
}
