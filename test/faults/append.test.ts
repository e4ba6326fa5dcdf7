/** Appending to a real Kafka over a connection that takes requests and loses their answers: what is acknowledged is in the log. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Kafka, logLevel } from 'kafkajs';
import { silentLogger } from '../../core/logger.ts';
import type { Log } from '../../ingest/log.ts';
import { openKafka } from '../../ingest/logs/kafka.ts';
import { startKafka, type TestKafka } from '../support/kafka.ts';
import { type KafkaProxy, startKafkaProxy } from '../support/kafka-proxy.ts';

let proxy: KafkaProxy;
let kafka: TestKafka;
let log: Log;

beforeAll(async () => {
  proxy = await startKafkaProxy();
  // The broker names the proxy as its address, so that no request can go round it.
  kafka = await startKafka({ partitions: 1, properties: { 'advertised.listeners': `PLAINTEXT://${proxy.address}` } });
  const [host = '', port = ''] = (kafka.brokers[0] ?? '').split(':');
  proxy.target = { host, port: Number(port) };
  log = openKafka({ brokers: [proxy.address], clientId: 'test', logger: silentLogger });
  await kafka.createTopic('gw', 1);
});
afterAll(async () => {
  await log?.close();
  await kafka?.stop();
  proxy?.close();
});

const lines = (...texts: string[]) => texts.map((text) => ({ value: Buffer.from(text) }));

/** Everything in the topic, by a client that is not the product's. */
async function stored(count: number): Promise<string[]> {
  const consumer = new Kafka({ brokers: [proxy.address], logLevel: logLevel.NOTHING }).consumer({ groupId: `g-${Math.random()}` });
  await consumer.connect();
  await consumer.subscribe({ topics: ['gw'], fromBeginning: true });
  const texts: string[] = [];
  await new Promise<void>((resolve) => {
    setTimeout(resolve, 10_000);
    void consumer.run({
      eachMessage: async ({ message }) => {
        texts.push(String(message.value));
        if (texts.length >= count) resolve();
      },
    });
  });
  await consumer.disconnect();
  return texts;
}

test('what is appended after an append whose answer was lost is in the log too, and not taken for a copy of it', async () => {
  if (kafka.branch !== 'maven') return; // a broker that is not ours does not name our proxy as its address
  await log.append('gw', lines('warm'));
  proxy.isDeaf = true;
  await expect(log.append('gw', lines('first 1', 'first 2'))).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  proxy.isDeaf = false;
  const positions = await log.append('gw', lines('second 1', 'second 2'));
  const texts = await stored(5);
  expect(positions.map(({ offset }) => texts[offset])).toEqual(['second 1', 'second 2']);
  expect(texts.slice(0, 3)).toEqual(['warm', 'first 1', 'first 2']);
});

test('appends that come while another is tried again are all in the log, each at the position it was told', async () => {
  if (kafka.branch !== 'maven') return; // see above
  const before = (await log.bounds(['gw']))[0]?.high ?? 0;
  proxy.isDeaf = true;
  const appends = Array.from({ length: 6 }, (_, at) => log.append('gw', lines(`n${at}`)));
  setTimeout(() => (proxy.isDeaf = false), 700);
  const answers = await Promise.allSettled(appends);
  const acknowledged = answers.map((answer, at) => ({ text: `n${at}`, answer })).filter(({ answer }) => answer.status === 'fulfilled');
  const texts = await stored(before + 6);
  expect(acknowledged.length).toBeGreaterThan(0);
  for (const { text, answer } of acknowledged) if (answer.status === 'fulfilled') expect(texts[answer.value[0]?.offset ?? -1]).toBe(text);
});
