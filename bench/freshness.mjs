// How long a record is on its way at half load: from the moment at which Kafka appended it to the moment at which its row
// can be seen. Of each round of records that is sent the last one of each partition is a sample; the broker tells when it
// was appended, and what is stored is asked for all the time, so that a sample is late by one look at most.
import kafkajs from 'kafkajs';
import { measureOurs } from './ours.mjs';
import { withKafka, withStore } from './place.mjs';
import { produce } from './produce.mjs';
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
measured right before.`,
  sizes: { full: { records: 600_000, freshSeconds: 60 }, quick: { records: 400_000, freshSeconds: 15 } },
  goals: { 'freshness p95 / (flush interval + 0.5 s)': { atMost: 1 } },
  measure: ({ records, freshSeconds }) =>
    withKafka(async (kafka) => {
      for (const name of [fullTopic, 'gatetrail-records']) await kafka.createTopic(name, partitions);
      await produce(kafka.brokers, { topic: fullTopic, partitions, records });
      const { recordsPerSecond } = await measureOurs(kafka, { topic: fullTopic, records });
      await kafka.createTopic(topic, partitions, { 'message.timestamp.type': 'LogAppendTime' });
      const load = { recordsPerSecond: recordsPerSecond / 2, seconds: freshSeconds };
      const { p50, p95 } = await withStore((store) => measureFreshness(store, kafka, load));
      const values = { 'load, records per second': load.recordsPerSecond, 'p50 s': p50, 'p95 s': p95 };
      return { values, ratios: { 'freshness p95 / (flush interval + 0.5 s)': p95 / (flushSeconds + 0.5) } };
    }),
};

/** Seconds at p50 and p95. `recordsPerSecond` is the load. */
async function measureFreshness({ clickhouse, startIngest }, kafka, { recordsPerSecond, seconds }) {
  const ingest = await startIngest({ brokers: kafka.brokers, topics: [topic] });
  const waiting = [];
  const ages = [];
  let isSending = true;
  const sending = send(kafka.brokers, { recordsPerSecond, seconds }, waiting).finally(() => (isSending = false));
  sending.catch(() => {}); // it is waited for below, and what was started here has to end before
  const deadline = Date.now() + (seconds + 60) * 1000;
  while (isSending || waiting.length > 0) {
    const askedAt = Date.now();
    const rows = await clickhouse.rows(
      `SELECT kafka_partition AS place, toInt64(max(kafka_offset)) AS last FROM events WHERE topic = '${topic}' GROUP BY place`,
    );
    const visible = new Map(rows.map(({ place, last }) => [place, Number(last)]));
    // Answered with what was there by now at the latest.
    const seenAt = Date.now();
    for (const sample of waiting.splice(0)) {
      if ((visible.get(sample.partition) ?? -1) >= sample.offset) ages.push((seenAt - sample.appendedAt) / 1000);
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

/** At a steady rate; the first seconds, in which ingest joins its group, leave no samples. */
async function send(brokers, { recordsPerSecond, seconds }, waiting) {
  const client = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
  const producer = client.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const startedAt = Date.now();
  const perRound = Math.max(partitions, Math.round((recordsPerSecond * roundMs) / 1000));
  const values = kongValues(perRound);
  const messages = values.map((value, at) => ({ value, partition: at % partitions }));
  const lengthOf = (partition) => messages.filter((message) => message.partition === partition).length;
  for (let round = 0; round * roundMs < seconds * 1000; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, startedAt + round * roundMs - Date.now())));
    const answers = await producer.send({ topic, acks: -1, messages });
    if (round * roundMs < warmUpMs) continue;
    for (const { partition, baseOffset, logAppendTime } of answers)
      waiting.push({ partition, offset: Number(baseOffset) + lengthOf(partition) - 1, appendedAt: Number(logAppendTime) });
  }
  await producer.disconnect();
}

const warmUpMs = 5_000;
