/** How the loop of a partition cuts what it reads into batches. Taking over, gaps and races are shown on the real engine. */
import { expect, test } from 'vitest';
import { silentLogger } from '../../../core/logger.ts';
import type { BatchLimits } from '../../../ingest/life.ts';
import { runPartition } from '../../../ingest/partition.ts';
import { createWriter } from '../../../ingest/write.ts';
import { memoryBatches, memoryStore } from '../../support/memory-store.ts';
import { memoryPartition } from '../../support/partition.ts';

const unlimited: BatchLimits = { rows: 1_000_000, bytes: 1 << 30, ms: 50 };

/** Reads everything, and gives the ranges that were claimed. */
async function rangesOf(values: readonly string[], limits: Partial<BatchLimits>): Promise<[first: number, last: number, events: number][]> {
  const memory = memoryStore();
  const maker = memoryBatches();
  const writer = createWriter({ ...memory, maker, writer: 'w', logger: silentLogger, retryMs: 0 });
  const partition = memoryPartition();
  partition.append(values);
  partition.revokeAtEnd();
  await runPartition(partition, {
    ...memory,
    maker,
    writer,
    logId: 'log',
    start: 'earliest',
    logger: silentLogger,
    limits: { ...unlimited, ...limits },
    databaseClock: { now: () => 1_790_000_000_000 },
    onStored: () => {},
    onStopped: (_key, error) => {
      throw error;
    },
  });
  const distinct = new Set(memory.events.map(({ position }) => position));
  expect(distinct.size).toBe(memory.events.length);
  return memory.claims.filter(({ firstOffset }) => firstOffset >= 0).map((claim) => [claim.firstOffset, claim.lastOffset, claim.events]);
}

test('a batch closes at its number of rows, between two messages', async () => {
  expect(await rangesOf(['e3', 'e3', 'e3', 'e3', '/a'], { rows: 5 })).toEqual([
    [0, 1, 6],
    [2, 3, 6],
    [4, 4, 1],
  ]);
});

test('a batch closes at the bytes of its messages', async () => {
  expect(await rangesOf(['/aaaa', '/bbbb', '/cccc'], { bytes: 10 })).toEqual([
    [0, 1, 2],
    [2, 2, 1],
  ]);
});

test('a batch closes at what its messages hold, however small they come', async () => {
  expect(await rangesOf(['e3000', 'e3000', 'e3000'], { bytes: 5000 })).toEqual([
    [0, 0, 3000],
    [1, 1, 3000],
    [2, 2, 3000],
  ]);
});

test('a message that is too much beside the others begins the next batch', async () => {
  expect(await rangesOf(['/a', 'e60000', 'e60000', '/b'], { rows: 100_000 })).toEqual([
    [0, 1, 60_001],
    [2, 3, 60_001],
  ]);
});
