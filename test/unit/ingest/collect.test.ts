/** When a batch closes: at the end of the log after its wait, and behind it only when it is full. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AuditError } from '../../../core/errors.ts';
import { silentLogger } from '../../../core/logger.ts';
import { collect } from '../../../ingest/collect.ts';
import { type BatchLimits, defaultLimits, type Life, limitsOf } from '../../../ingest/life.ts';
import type { Fetched } from '../../../ingest/log.ts';
import { memoryBatches } from '../../support/memory-store.ts';
import { keyOf, messages } from '../../support/writer.ts';

interface Case {
  readonly there: number;
  readonly high: number;
  readonly limits: Partial<BatchLimits>;
  /** So long ago came the first message, which was read ahead. */
  readonly agoMs?: number;
  /** What the log says beyond `there`. */
  readonly failing?: Error;
}

/** A log that gives one message a fetch, up to offset `there`, and says that its end is at `high`. */
async function lastOffsetOf({ there, high, limits, agoMs = 0, failing }: Case): Promise<number> {
  let at = 0;
  const next = async (): Promise<Fetched> => {
    if (failing !== undefined && at === there) throw failing;
    const taken = at < there ? messages(at, ['/a']) : [];
    const from = at;
    at += taken.length;
    return { from, to: at, messages: taken, holes: null, low: 0, high };
  };
  const log = { next, seek: () => {}, revoked: new AbortController().signal };
  const options = { maker: memoryBatches(), limits: { ...defaultLimits, ...limits }, logger: silentLogger };
  const life = { key: keyOf(), log, options } as unknown as Life;
  const batch = await collect(life, { ...(await next()), since: performance.now() - agoMs }, 0);
  return batch.counts.lastOffset;
}

describe('a batch', () => {
  test('of a partition that was read to its end closes when its wait is over', async () => {
    expect(await lastOffsetOf({ there: 50, high: 1, limits: { ms: 0 } })).toBe(0);
  });

  test('waits no longer than that from when its first message came, though the batch before it was still written then', async () => {
    expect(await lastOffsetOf({ there: 50, high: 1, limits: { ms: 5_000 } })).toBe(49);
    expect(await lastOffsetOf({ there: 50, high: 1, limits: { ms: 5_000 }, agoMs: 5_000 })).toBe(0);
  });

  test('of a partition that is behind is no smaller for what has waited', async () => {
    expect(await lastOffsetOf({ there: 50, high: 1000, limits: { rows: 30 }, agoMs: 60_000 })).toBe(29);
  });

  test('of a partition that is behind goes on beyond the wait until it is full', async () => {
    expect(await lastOffsetOf({ there: 50, high: 1000, limits: { ms: 0, rows: 30 } })).toBe(29);
  });

  test('of a partition that was behind closes where it reaches the end', async () => {
    expect(await lastOffsetOf({ there: 50, high: 20, limits: { ms: 0 } })).toBe(19);
  });

  test('closes with what is there when the log does not answer, as when its broker has died', async () => {
    const failing = new AuditError('LOG_UNAVAILABLE', 'the broker has died');
    expect(await lastOffsetOf({ there: 3, high: 1000, limits: {}, failing })).toBe(2);
  });

  test('is not made of a log that is another one, nor after a fault of our own', async () => {
    for (const failing of [new AuditError('LOG_REPLACED', 'another topic'), new TypeError('a fault')])
      await expect(lastOffsetOf({ there: 3, high: 1000, limits: {}, failing })).rejects.toBe(failing);
  });

  test('of a partition that is behind does not wait for ever', async () => {
    expect(await lastOffsetOf({ there: 50, high: 1000, limits: { ms: 0, behindMs: 0 } })).toBe(0);
  });
});

describe('the wait of a partition', () => {
  test('keeps a process at four batches a second, however many partitions it has', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), (partitions) => {
        expect((partitions * 1000) / limitsOf(partitions, defaultLimits).ms).toBeLessThanOrEqual(4);
      }),
    );
  });

  test.each([
    [1, 1_000],
    [4, 1_000],
    [12, 3_000],
    [400, 10_000],
  ])('with %i partitions is %i ms', (partitions, ms) => expect(limitsOf(partitions, defaultLimits).ms).toBe(ms));
});
