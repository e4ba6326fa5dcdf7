// How long a record is on its way at half load: from the moment at which Kafka appended it to the moment at which its row
// can be seen. Of each round of records that is sent the last one of each partition is a sample; the broker tells when it
// was appended, and what is stored is asked for all the time, so that a sample is late by one look at most.
import { openLoad } from './load.mjs';
import { measureOurs } from './ours.mjs';
import { withKafka, withStore } from './place.mjs';
import { kongValues } from './records.mjs';

const topic = 'bench-freshness';
const fullTopic = 'bench-full';
const partitions = 4;
/** Short enough for what a partition gets in one to stay below what a broker takes in one request, 1 MB. */
const roundMs = 50;
const lookMs = 50;

/** A batch closes after a second at most. */
const flushSeconds = 1;

export default {
  title: 'Freshness at half load',
  how: `From the moment at which Kafka appended a record to the moment at which its row can be seen, at half the rate that was
measured right before with the same records, over so many that merges count.`,
  sizes: { full: { records: 3_000_000, freshSeconds: 60 }, quick: { records: 400_000, freshSeconds: 15 } },
  goals: { 'freshness p95 / (flush interval + 0.5 s)': { atMost: 1 } },
  measure: ({ records, freshSeconds }) =>
    withKafka(async (kafka) => {
      for (const name of [fullTopic, 'gatetrail-records']) await kafka.createTopic(name, partitions);
      await fill(kafka.brokers, records);
      const { recordsPerSecond } = await measureOurs(kafka, { topic: fullTopic, records });
      await kafka.createTopic(topic, partitions, { 'message.timestamp.type': 'LogAppendTime' });
      const load = { recordsPerSecond: recordsPerSecond / 2, seconds: freshSeconds };
      const { p50, p95 } = await withStore((store) => measureFreshness(store, kafka, load));
      const values = { 'load, records per second': load.recordsPerSecond, 'p50 s': p50, 'p95 s': p95 };
      return { values, ratios: { 'freshness p95 / (flush interval + 0.5 s)': p95 / (flushSeconds + 0.5) } };
    }),
};

async function fill(brokers, records) {
  const load = await openLoad(brokers, { topic: fullTopic, partitions, values: kongValues(recordsPerFill) });
  for (let sent = 0; sent < records; sent += recordsPerFill) await load.send();
  load.close();
}

const recordsPerFill = 2_000;

/** Seconds at p50 and p95. `recordsPerSecond` is the load. */
async function measureFreshness({ clickhouse, startIngest }, kafka, { recordsPerSecond, seconds }) {
  const ingest = await startIngest({ brokers: kafka.brokers, topics: [topic] });
  const waiting = [];
  const ages = [];
  const seen = new Map(Array.from({ length: partitions }, (_, partition) => [partition, -1]));
  let isSending = true;
  const sending = send(kafka.brokers, { recordsPerSecond, seconds }, waiting).finally(() => (isSending = false));
  sending.catch(() => {}); // it is waited for below, and what was started here has to end before
  const deadline = Date.now() + (seconds + 60) * 1000;
  while (isSending || waiting.length > 0) {
    const askedAt = Date.now();
    // Only what is new: a look through the whole table would be a load of its own.
    const isNew = `topic = '${topic}' AND kafka_offset > ${Math.min(...seen.values())}`;
    const rows = await clickhouse.rows(
      `SELECT kafka_partition AS place, toInt64(max(kafka_offset)) AS last FROM events WHERE ${isNew} GROUP BY place`,
    );
    for (const { place, last } of rows) seen.set(place, Number(last));
    // Answered with what was there by now at the latest.
    const seenAt = Date.now();
    for (const sample of waiting.splice(0)) {
      if (seen.get(sample.partition) >= sample.offset) ages.push((seenAt - sample.appendedAt) / 1000);
      else waiting.push(sample);
    }
    if (seenAt > deadline) throw new Error(`${waiting.length} samples were not seen within a minute after the last record`);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, askedAt + lookMs - Date.now())));
  }
  await sending;
  await ingest.stop();
  const sorted = ages.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { p50: at(0.5), p95: at(0.95), samples: sorted.length };
}

/** At a steady rate, whatever the broker takes for an answer; the first seconds, in which ingest joins its group, leave no samples. */
async function send(brokers, { recordsPerSecond, seconds }, waiting) {
  const perRound = Math.max(partitions, Math.round((recordsPerSecond * roundMs) / 1000));
  const load = await openLoad(brokers, { topic, partitions, values: kongValues(perRound) });
  const rounds = [];
  const startedAt = Date.now();
  for (let round = 0; round * roundMs < seconds * 1000; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, startedAt + round * roundMs - Date.now())));
    const isSample = round * roundMs >= warmUpMs;
    const answered = load.send().then((samples) => waiting.push(...(isSample ? samples : [])));
    answered.catch(() => {}); // told below
    rounds.push(answered);
  }
  await Promise.all(rounds);
  load.close();
  const took = (Date.now() - startedAt) / 1000;
  if (took > seconds * 1.02) throw new Error(`the load of ${seconds} s took ${took.toFixed(1)} s to send: the machine is too small for it`);
}

const warmUpMs = 5_000;
