// Fills a topic before anything is measured.
import kafkajs from 'kafkajs';
import { kongValues } from './records.mjs';

const perRequest = 500;

/** Kong records `from` to `from + records`, request by request to each partition in turn. */
export async function produce(brokers, { topic, partitions, records, from = 0, compression = 0 }) {
  const client = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
  const producer = client.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  for (let at = 0; at < records; at += perRequest) {
    const partition = (at / perRequest) % partitions;
    const values = kongValues(Math.min(perRequest, records - at), from + at, records);
    await producer.send({ topic, compression, messages: values.map((value) => ({ value, partition })) });
  }
  await producer.disconnect();
}
