// The whole way: from Kafka through the role `ingest` in a process of its own into the engine in another, from the first
// row that can be seen to the last. What waits in the topic was produced before, so that nothing but the two works.
import kafkajs from 'kafkajs';
import { cpuOf } from './place.mjs';
import { kongValues } from './records.mjs';

const topic = 'bench';
const partitions = 4;

export async function measureFullPath({ clickhouse, engine, kafka, start }, { records }) {
  for (const name of [topic, 'gatetrail-records']) await kafka.createTopic(name, partitions);
  await produce(kafka.brokers, records);
  const ingest = await start('ingest', { GATETRAIL_KAFKA_BROKERS: kafka.brokers.join(','), GATETRAIL_KAFKA_TOPICS: topic });
  // Without a condition the engine answers from what it knows of the parts: looking costs the engine nothing.
  const stored = async () => Number((await clickhouse.rows('SELECT count() AS n FROM events'))[0].n);
  const first = await sample({ stored, engine, ingest }, (rows) => rows > 0);
  const last = await sample({ stored, engine, ingest }, (rows) => rows >= records);
  await ingest.stop();
  if (last.rows !== records) throw new Error(`${records} records were produced, ${last.rows} rows are there`);
  const rows = last.rows - first.rows;
  if (rows === 0) throw new Error('all rows came at once: too few records to measure');
  const perMillion = (name) => ((last[name] - first[name]) / rows) * 1e6;
  return {
    recordsPerSecond: rows / ((last.at - first.at) / 1000),
    ingestCpuPerMillion: perMillion('ingestCpu'),
    engineCpuPerMillion: perMillion('engineCpu'),
    cpuPerMillion: perMillion('ingestCpu') + perMillion('engineCpu'),
  };
}

async function sample({ stored, engine, ingest }, isThere) {
  const deadline = Date.now() + 300_000;
  for (;;) {
    const rows = await stored();
    if (isThere(rows)) return { rows, at: performance.now(), ingestCpu: cpuOf(ingest.pid), engineCpu: cpuOf(engine.pid) };
    if (Date.now() > deadline) throw new Error(`not stored within 5 minutes: ${rows} rows are there`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function produce(brokers, records) {
  const client = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
  const producer = client.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const perRequest = 500;
  for (let at = 0; at < records; at += perRequest) {
    const partition = (at / perRequest) % partitions;
    await producer.send({ topic, messages: kongValues(Math.min(perRequest, records - at), at).map((value) => ({ value, partition })) });
  }
  await producer.disconnect();
}
