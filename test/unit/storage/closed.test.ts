import { describe, expect, test } from 'vitest';
import { type ClosedPartition, watermarkOf } from '../../../storage/closed.ts';

const now = Date.parse('2026-11-22T10:00:00Z');
const of = (partition: number, more: Partial<ClosedPartition> = {}): ClosedPartition => ({
  logId: 'log',
  sourceEpoch: 1,
  topic: 'gw',
  partition,
  position: 10,
  isOpen: false,
  watermark: now * 1000 - 5_000_000,
  lastEventAt: now - 1000,
  ...more,
});
const quiet = { lastEventAt: now - 120_000, watermark: now * 1000 - 120_000_000 };

describe('the watermark', () => {
  test('is unknown before anything is read', () => {
    expect(watermarkOf([], now)).toBe(0);
  });

  test('is that of the partition which is furthest behind', () => {
    expect(watermarkOf([of(0), of(1, { watermark: 7 })], now)).toBe(7);
  });

  test('does not wait for a partition without events for two minutes', () => {
    expect(watermarkOf([of(0), of(1, quiet)], now)).toBe(now * 1000 - 5_000_000);
  });

  test('waits for a quiet partition that is behind the end of the log, or whose batch is open', () => {
    const ends = new Map([['gw/1', 11]]);
    expect(watermarkOf([of(0), of(1, quiet)], now, ends)).toBe(quiet.watermark);
    expect(watermarkOf([of(0), of(1, { ...quiet, isOpen: true })], now)).toBe(quiet.watermark);
  });

  test('follows the clock while all partitions are quiet, and never goes back for it', () => {
    expect(watermarkOf([of(0, quiet)], now)).toBe(now * 1000 - 60_000_000);
    expect(watermarkOf([of(0, { ...quiet, watermark: now * 1000 })], now)).toBe(now * 1000);
  });
});
