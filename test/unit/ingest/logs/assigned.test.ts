/** What of its client a partition of Kafka believes; the client itself is in test/integration/log and test/faults. */
import { expect, test } from 'vitest';
import { recordOverheadBytes } from '../../../../ingest/buffer.ts';
import { type Arrival, Assigned } from '../../../../ingest/logs/assigned.ts';

function assign({ low = 0, high = 1_000, readAheadBytes = 1_000, stuckAfterMs = 40 } = {}) {
  const told: string[] = [];
  const state = { isAway: false };
  const client = {
    fetchFrom: (offset: number) => void told.push(`from ${offset}`),
    setPaused: (isPaused: boolean) => void told.push(isPaused ? 'pause' : 'resume'),
    commit: async () => {},
    async bounds() {
      if (state.isAway) throw new Error('Kafka is away');
      return { topic: 't', partition: 0, low, high };
    },
    onStuck: (error: Error) => void told.push(error.message),
  };
  return { told, state, partition: new Assigned({ topic: 't', partition: 0, client, readAheadBytes, stuckAfterMs }) };
}

/** A message at each of the offsets, fetched for `fetchedAt`. */
function arrival(fetchedAt: number, offsets: number[], facts: Partial<Arrival> = {}): Arrival {
  const messages = offsets.map((offset) => ({ offset, timestamp: 0, value: Buffer.alloc(100), headers: {} }));
  return { fetchedAt, end: (offsets.at(-1) ?? fetchedAt) + 1, messages, high: 1_000, hole: 'COMPACTION', ...facts };
}
const atOnce = { maxWaitMs: 0, maxBytes: 1e6 };

test('a fetch for another position than the wanted one is never handed out, and the wanted one is asked for again', async () => {
  const { partition, told } = assign();
  partition.seek(5);
  partition.seek(10);
  expect(await partition.arrived(arrival(5, [5, 6, 7]))).toBe(false);
  expect(told).toEqual(['from 5', 'resume', 'from 10', 'from 10']);
  expect(await partition.arrived(arrival(10, [10, 11]))).toBe(true);
  expect(await partition.next(atOnce)).toMatchObject({ from: 10, to: 12, holes: null });
});

test('a fetch may hold any number of messages', async () => {
  const { partition } = assign({ high: 500_000, readAheadBytes: 1e9 });
  partition.seek(0);
  const message = { timestamp: 0, value: Buffer.alloc(1), headers: {} };
  const messages = Array.from({ length: 500_000 }, (_, offset) => ({ ...message, offset }));
  expect(await partition.arrived({ ...arrival(0, []), messages, end: 500_000, high: 500_000 })).toBe(true);
  expect((await partition.next({ maxWaitMs: 0, maxBytes: 1e9 })).messages).toHaveLength(500_000);
});

test('a jump over offsets is believed when asking again leads to the same place, and not before', async () => {
  const { partition } = assign();
  partition.seek(10);
  expect(await partition.arrived(arrival(20, [20]))).toBe(false);
  expect(await partition.arrived(arrival(30, [30]))).toBe(false);
  expect(await partition.next(atOnce)).toMatchObject({ from: 10, to: 10 });
  expect(await partition.arrived(arrival(30, [30]))).toBe(true);
  expect(await partition.next(atOnce)).toMatchObject({ from: 10, to: 31, holes: 'COMPACTION' });
});

test('a jump of a position that the log does not have pauses, and hands out nothing', async () => {
  const { partition, told } = assign({ low: 50, high: 60 });
  partition.seek(10);
  expect(await partition.arrived(arrival(50, [50]))).toBe(false);
  expect(told.at(-1)).toBe('pause');
  expect(await partition.next(atOnce)).toMatchObject({ from: 10, to: 10, messages: [], low: 50, high: 60 });
});

test('records that the client passed over are a hole where they begin at the wanted offset, and elsewhere nothing', async () => {
  const { partition } = assign();
  partition.seek(10);
  partition.passedOver(8, 20);
  partition.passedOver(Number.NaN, 20);
  expect(await partition.next(atOnce)).toMatchObject({ from: 10, to: 10 });
  partition.passedOver(10, 12);
  expect(await partition.next(atOnce)).toMatchObject({ from: 10, to: 12, messages: [], holes: 'TRANSACTION_MARKER' });
});

test('what lies between two messages is handed out with the first of them, under one reason', async () => {
  const { partition } = assign();
  partition.seek(0);
  await partition.arrived(arrival(0, [0, 4, 5]));
  expect(await partition.next({ maxWaitMs: 0, maxBytes: 100 })).toMatchObject({ from: 0, to: 4, holes: 'COMPACTION' });
  expect(await partition.next(atOnce)).toMatchObject({ from: 4, to: 6, holes: null });
});

test('what waits is bounded, with what stands around each value: full pauses, and half empty resumes', async () => {
  const { partition, told } = assign({ readAheadBytes: 4 * (100 + recordOverheadBytes) });
  partition.seek(0);
  await partition.arrived(arrival(0, [0, 1, 2]));
  expect(told.at(-1)).toBe('resume');
  await partition.arrived(arrival(3, [3]));
  expect(told.at(-1)).toBe('pause');
  expect(partition.bufferedBytes).toBe(4 * (100 + recordOverheadBytes));
  await partition.next({ maxWaitMs: 0, maxBytes: 100 });
  expect(told.at(-1)).toBe('pause');
  await partition.next({ maxWaitMs: 0, maxBytes: 200 });
  expect(told.at(-1)).toBe('resume');
});

test('what is handed out says when the first of it came', async () => {
  const { partition } = assign();
  partition.seek(0);
  await partition.arrived(arrival(0, [0]));
  const between = performance.now();
  await partition.arrived(arrival(1, [1]));
  expect((await partition.next(atOnce)).since).toBeLessThanOrEqual(between);
  await partition.arrived(arrival(2, [2]));
  expect((await partition.next(atOnce)).since).toBeGreaterThanOrEqual(between);
});

test('when the assignment is over nothing that waited is handed out, nothing new is taken and nothing is committed', async () => {
  const { partition } = assign();
  partition.seek(0);
  await partition.arrived(arrival(0, [0, 1, 5]));
  await partition.next({ maxWaitMs: 0, maxBytes: 1 });
  partition.revoke();
  expect(await partition.next({ maxWaitMs: 60_000, maxBytes: 1e6 })).toMatchObject({ from: 1, to: 1, messages: [] });
  expect(await partition.arrived(arrival(1, [1]))).toBe(false);
  await expect(partition.commit(1)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
});

test('a client that gives nothing of what is there is asked anew once, and then it is said', async () => {
  const { partition, told } = assign({ high: 13 });
  partition.seek(10);
  while (!partition.revoked.aborted) await partition.next({ maxWaitMs: 11, maxBytes: 1 });
  expect(told).toEqual(['from 10', 'resume', 'from 10', expect.stringContaining('Kafka has 3 record(s) of t/0 from offset 10')]);
});

test('nothing is said where nothing is to be had, where nobody asks, or where Kafka itself is away', async () => {
  const idle = assign({ high: 10 });
  idle.partition.seek(10);
  const away = assign();
  away.partition.seek(10);
  for (let times = 0; times < 12; times += 1) {
    await idle.partition.next({ maxWaitMs: 11, maxBytes: 1 });
    away.state.isAway = times % 4 === 3;
    await away.partition.next({ maxWaitMs: 11, maxBytes: 1 }).catch(() => {});
  }
  const slow = assign();
  slow.partition.seek(10);
  await slow.partition.next(atOnce);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await slow.partition.next(atOnce);
  for (const { told } of [idle, away, slow]) expect(told.filter((one) => one.startsWith('Kafka'))).toEqual([]);
});
