import { expect, test } from 'vitest';
import fc from 'fast-check';
import kafkajs from 'kafkajs';
import type { NewMessage } from '../../../../ingest/log.ts';
import { appendPlaced, partitionOf } from '../../../../ingest/logs/placement.ts';

const prime = 2_147_483_647; // no remainder hides a bit

// Source: Apache Kafka, clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java, testMurmur2.
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
])('places the key %s by the hash that the Java client gives it', (key, hash) => {
  expect(partitionOf(key, prime)).toBe((hash & 0x7fffffff) % prime);
});

test('places every key where the default partitioner of kafkajs does', () => {
  const partitioner = kafkajs.Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: 7 }, (_, partitionId) => ({ partitionId, leader: 1 }) as never);
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'Z', '0', 'ä', '€', '😀', '\0') }), (key) => {
      const message = { key, value: null };
      expect(partitionOf(key, 7)).toBe(partitioner({ topic: 't', partitionMetadata, message }));
    }),
  );
});

async function place(messages: NewMessage[], limits = { maxRecords: Infinity, maxBytes: Infinity }) {
  const logs: NewMessage[][] = [[], [], [], []];
  const sizes: number[] = [];
  const append = async (partition: number, together: readonly NewMessage[]) => {
    sizes.push(together.length);
    return (logs[partition]?.push(...together) ?? 0) - together.length;
  };
  return { logs, sizes, positions: await appendPlaced(messages, { partitions: 4, ...limits, append }) };
}
const messages = (count: number, key?: (at: number) => string): NewMessage[] =>
  Array.from({ length: count }, (_, at) => ({ value: Buffer.from(`m${at}`), ...(key && { key: key(at) }) }));

test('answers for each message, in the order they came, where it stands; a key keeps its partition and its order', async () => {
  const mixed = messages(100).map((message, at) => (at % 3 === 0 ? message : { ...message, key: `k${at % 5}` }));
  const { logs, positions } = await place(mixed, { maxRecords: 7, maxBytes: 2_000 });
  expect(positions.map(({ partition, offset }) => logs[partition]?.[offset])).toEqual(mixed);
  for (const key of ['k0', 'k1', 'k2', 'k3', 'k4']) {
    const own = mixed.filter((message) => message.key === key);
    expect(logs[partitionOf(key, 4)]?.filter((message) => message.key === key)).toEqual(own);
  }
});

test('spreads what has no key over all partitions, message by message where each comes alone', async () => {
  const placed = new Set<number | undefined>();
  for (const message of messages(4)) placed.add((await place([message])).positions[0]?.partition);
  expect(placed).toEqual(new Set([0, 1, 2, 3]));
});

test('closes a request at its limits, and never leaves one empty for a message that is larger alone', async () => {
  expect((await place(messages(10), { maxRecords: 4, maxBytes: Infinity })).sizes).toEqual([4, 4, 2]);
  expect((await place(messages(3), { maxRecords: Infinity, maxBytes: 1 })).sizes).toEqual([1, 1, 1]);
});
