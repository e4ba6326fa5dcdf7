// How near the whole way comes to the slowest of its parts alone.
import kafkajs from 'kafkajs';
import { measureInsert } from './insert.mjs';
import { measureOurs } from './ours.mjs';
import { measureParse } from './parse.mjs';
import { withKafka, withStore } from './place.mjs';
import { produce } from './produce.mjs';
import { median } from './steady.mjs';

const topic = 'bench';
const partitions = 4;
const mebibyte = 1024 * 1024;

export default {
  title: 'Ours / the slowest part alone',
  how: `Records per second of the whole way as gatetrail start runs it, beside kafkajs alone (reading the topic with our fetch sizes, values
not looked at), JSON.parse alone, and the insert of blocks of 50,000 rows that are ready. Median of the rounds.`,
  sizes: { full: { records: 1_000_000, inserts: 20, rounds: 3 }, quick: { records: 400_000, inserts: 3, rounds: 1 } },
  goals: { 'ours / the slowest part': { atLeast: 0.5 } },
  measure: ({ records, inserts, rounds }, print) =>
    withKafka(async (kafka) => {
      for (const name of [topic, 'gatetrail-records']) await kafka.createTopic(name, partitions);
      await produce(kafka.brokers, { topic, partitions, records });
      const taken = { ours: [], 'kafkajs alone': [], 'JSON.parse alone': [], 'insert alone': [] };
      for (let round = 1; round <= rounds; round += 1) {
        taken['kafkajs alone'].push(await readAlone(kafka.brokers, records));
        taken['JSON.parse alone'].push(measureParse({ records }).recordsPerSecond);
        taken['insert alone'].push((await withStore((store) => measureInsert(store, { inserts }))).rowsPerSecond);
        taken.ours.push((await measureOurs(kafka, { topic, records })).recordsPerSecond);
        for (const [name, rates] of Object.entries(taken)) print(`round ${round}: ${name} ${Math.round(rates.at(-1))} records/s`);
      }
      const medians = Object.fromEntries(Object.entries(taken).map(([name, rates]) => [name, median(rates)]));
      const { ours, ...parts } = medians;
      const values = Object.fromEntries(Object.entries(medians).map(([name, rate]) => [`${name}, records per second`, rate]));
      return { values, ratios: { 'ours / the slowest part': ours / Math.min(...Object.values(parts)) } };
    }),
};

/** Records per second from the first batch to the last. */
async function readAlone(brokers, records) {
  const consumer = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).consumer({
    groupId: `alone-${Date.now()}`,
    maxBytes: 32 * mebibyte,
    maxBytesPerPartition: 8 * mebibyte,
    minBytes: mebibyte,
    maxWaitTimeInMs: 500,
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  let first = null;
  let seen = 0;
  const seconds = await new Promise((resolve, reject) => {
    const eachBatch = async ({ batch }) => {
      first ??= { at: performance.now(), count: batch.messages.length };
      seen += batch.messages.length;
      if (seen >= records) resolve((performance.now() - first.at) / 1000);
    };
    consumer.run({ autoCommit: false, partitionsConsumedConcurrently: 4, eachBatch }).catch(reject);
  });
  await consumer.disconnect();
  return (records - first.count) / seconds;
}
