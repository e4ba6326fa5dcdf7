// node bench/steady-producer.mjs BROKER TOPIC: Kong records without end, at most so far ahead of what its parent says is stored.
import kafkajs from 'kafkajs';
import { kongValues } from './records.mjs';

const [broker, topic] = process.argv.slice(2);
const perRequest = 500;
const maxAhead = 400_000;
const values = kongValues(40_000);

let stored = 0;
process.on('message', (rows) => {
  stored = rows;
});
process.once('disconnect', () => process.exit());

const client = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING });
const producer = client.producer({ allowAutoTopicCreation: false });
await producer.connect();
const admin = client.admin();
await admin.connect();
const partitions = (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length;
await admin.disconnect();

for (let sent = 0; ; sent += perRequest) {
  while (sent - stored > maxAhead) await new Promise((resolve) => setTimeout(resolve, 100));
  const at = sent % values.length;
  const partition = (sent / perRequest) % partitions;
  await producer.send({ topic, messages: values.slice(at, at + perRequest).map((value) => ({ value, partition })) });
}
