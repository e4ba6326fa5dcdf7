// What a compressed topic costs to read through the product's own log, beside one that is not compressed.
import { withKafka } from './place.mjs';
import { produce } from './produce.mjs';
import { median } from './steady.mjs';

const codecs = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 };
const partitions = 4;
const maxBytes = 16 * 1024 * 1024;

export default {
  title: 'Reading a compressed topic / a plain one',
  how: `The same Kong records in topics of ${partitions} partitions, 500 a batch, read through \`ingest/logs/kafka.ts\` in turns: CPU of this
process per million records, nothing parsed. Median of the rounds; the first one warms up.`,
  sizes: { full: { records: 200_000, rounds: 5 }, quick: { records: 60_000, rounds: 1 } },
  goals: Object.fromEntries(['gzip', 'snappy', 'lz4', 'zstd'].map((name) => [`${name} / none`, { atMost: 2.5 }])),
  measure: ({ records, rounds }, print) =>
    withKafka(async (kafka) => {
      const { openKafka } = await import('../dist/ingest/logs/kafka.js');
      const { silentLogger } = await import('../dist/core/logger.js');
      const log = openKafka({ brokers: kafka.brokers, clientId: 'bench', logger: silentLogger }); // knows the codecs from here on
      for (const [topic, compression] of Object.entries(codecs)) {
        await kafka.createTopic(topic, partitions);
        await produce(kafka.brokers, { topic, partitions, records, compression });
      }
      const taken = Object.fromEntries(Object.keys(codecs).map((name) => [name, []]));
      for (let round = 0; round <= rounds; round += 1) {
        for (const topic of Object.keys(codecs)) {
          const cpu = await readAll(log, { topic, records, group: `bench-${topic}-${round}`, logger: silentLogger });
          if (round > 0) taken[topic].push(cpu);
          if (round > 0) print(`round ${round}: ${topic} ${cpu.toFixed(2)} CPU s per million`);
        }
      }
      await log.close();
      const medians = Object.fromEntries(Object.entries(taken).map(([name, values]) => [name, median(values)]));
      const { none, ...others } = medians;
      return {
        values: Object.fromEntries(Object.entries(medians).map(([name, value]) => [`${name}, CPU s per million`, value])),
        ratios: Object.fromEntries(Object.entries(others).map(([name, value]) => [`${name} / none`, value / none])),
      };
    }),
};

/** CPU seconds per million records, from the assignment, before anything is fetched, to the last record. */
async function readAll(log, { topic, records, group, logger }) {
  let seen = 0;
  let before = null;
  const { promise, resolve, reject } = deferred();
  const follow = async (partition) => {
    before ??= process.cpuUsage();
    partition.seek(0);
    while (!partition.revoked.aborted) {
      const { messages } = await partition.next({ maxWaitMs: 500, maxBytes });
      seen += messages.length;
      if (seen >= records) resolve(process.cpuUsage(before));
    }
  };
  const onAssigned = (partition) => void follow(partition).catch((error) => (partition.revoked.aborted ? undefined : reject(error)));
  const consumer = await log.consume({ topics: [topic], group, onAssigned, onFailure: reject, readAheadBytes: maxBytes, logger });
  const { user, system } = await promise;
  await consumer.stop();
  return (user + system) / records;
}

function deferred() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
