/** How often a consumer group was put together anew, as the broker itself notes it. */
import kafkajs from 'kafkajs';
import { until } from './gatetrail.ts';

const { Kafka, logLevel } = kafkajs;

export interface Generations {
  /** Of the group's last generation; each rebalance has one. */
  readonly last: number;
  close(): Promise<void>;
}

const groupMetadata = 2;

/** Source of the layout: Apache Kafka, GroupMetadataKey.json and GroupMetadataValue.json. */
export async function watchGenerations(brokers: string[], group: string): Promise<Generations> {
  const consumer = new Kafka({ brokers, clientId: 'test-generations', logLevel: logLevel.NOTHING }).consumer({
    groupId: `watches-${group}`,
    maxWaitTimeInMs: 200, // else it cannot be closed for 5 s
  });
  let last = 0;
  await consumer.connect();
  // Kafka makes that topic when the first group asks for its coordinator.
  const subscribed = () =>
    consumer.subscribe({ topic: '__consumer_offsets', fromBeginning: true }).then(
      () => true,
      () => false,
    );
  await until(subscribed, Boolean, 60_000);
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message: { key, value } }) => {
      if (key === null || value === null || key.readInt16BE(0) !== groupMetadata || textAt(key, 2) !== group) return;
      last = Math.max(last, value.readInt32BE(4 + value.readInt16BE(2)));
    },
  });
  return {
    get last() {
      return last;
    },
    close: () => consumer.disconnect(),
  };
}

const textAt = (bytes: Buffer, at: number) => bytes.toString('utf8', at + 2, at + 2 + bytes.readInt16BE(at));
