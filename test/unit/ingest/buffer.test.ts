/** The bound that operators size their machines by. */
import { expect, test } from 'vitest';
import { bufferBound } from '../../../ingest/buffer.ts';
import { defaultLimits } from '../../../ingest/life.ts';

const mebibyte = 1024 * 1024;

test.each([
  ['the defaults with 4 partitions', defaultLimits.bytes, 4, 928],
  ['one partition', 16 * mebibyte, 1, 136],
  ['no partition yet', 16 * mebibyte, 0, 64],
  ['batches that are smaller than a fetch', mebibyte, 4, 84],
  ['many small ones', 4 * mebibyte, 64, 1_344],
  ['sixteen partitions, which share what eight would have', defaultLimits.bytes, 16, 1_984],
  ['the defaults with 64 partitions', defaultLimits.bytes, 64, 4_672],
])('of %s', (_, bytes, partitions, expected) => {
  expect(bufferBound({ bytes }, partitions)).toBe(expected * mebibyte);
});
