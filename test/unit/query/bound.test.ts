import { expect, test } from 'vitest';
import { boundCondition, boundOf } from '../../../query/bound.ts';
import type { ClosedPartition } from '../../../storage/closed.ts';

const at = (topic: string, partition: number, position: number): ClosedPartition => ({
  logId: 'log',
  sourceEpoch: 2,
  topic,
  partition,
  position,
  watermark: 0,
  lastEventAt: 0,
  isOpen: false,
  emptySince: 0,
});

test('positions stand by topic and partition; one that nobody reads stays empty', () => {
  expect(boundOf({ partitions: [at('gw', 2, 7), at('gw', 0, 5), at('edge', 0, 1)] })).toEqual([
    ['gw', 2, [5, null, 7]],
    ['edge', 2, [1]],
  ]);
});

test('where nothing is stored nothing is shown', () => {
  expect(boundCondition([])).toEqual({ sql: '0', parameters: {} });
});

test('only partitions that are read are bound', () => {
  expect(boundCondition([['gw', 2, [5, null, 7]]]).parameters).toEqual({ b0t: 'gw', b0e: 2, b0p: [0, 2], b0o: [5, 7] });
});
