import { describe, expect, test } from 'vitest';
import type { ClickHouse } from '../../../storage/clickhouse.ts';
import { type ClosedPartition, createClosedReader, watermarkOf } from '../../../storage/closed.ts';
import type { Claim } from '../../../storage/ledger.ts';
import { emptyClaim, originClaim } from '../../../storage/positions.ts';
import { memoryStore } from '../../support/memory-store.ts';

const now = Date.parse('2026-11-22T10:00:00Z');
const of = (partition: number, more: Partial<ClosedPartition> = {}): ClosedPartition => ({
  logId: 'log',
  sourceEpoch: 1,
  topic: 'gw',
  partition,
  position: 10,
  isOpen: false,
  emptySince: 0,
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

  test('does not wait for a partition whose batches hold no event one after the other, however far its end is', () => {
    const ends = new Map([['gw/1', 11]]);
    const letters = { ...quiet, lastEventAt: 0, watermark: 0, emptySince: now - 120_000 };
    expect(watermarkOf([of(0), of(1, letters)], now, ends)).toBe(of(0).watermark);
    expect(watermarkOf([of(0), of(1, { ...letters, isOpen: true })], now, ends)).toBe(of(0).watermark);
    // It had events, or other claims, a moment ago: then more of them may come.
    expect(watermarkOf([of(0), of(1, { ...letters, emptySince: now - 119_000 })], now, ends)).toBe(0);
    expect(watermarkOf([of(0), of(1, { ...letters, lastEventAt: now - 119_000 })], now, ends)).toBe(0);
  });

  test('follows the clock while all partitions are quiet, and never goes back for it', () => {
    expect(watermarkOf([of(0, quiet)], now)).toBe(now * 1000 - 60_000_000);
    expect(watermarkOf([of(0, { ...quiet, watermark: now * 1000 })], now)).toBe(now * 1000);
  });
});

/** The columns of the ledger that say something here. */
const rowOf = ({ firstOffset, lastOffset, gapReason, events, maxTimestamp, receivedAt, settled, revision, attempt }: Claim) => ({
  first_offset: String(firstOffset),
  last_offset: String(lastOffset),
  gap_reason: gapReason,
  events,
  max_timestamp_us: String(maxTimestamp),
  received_at_ms: String(receivedAt),
  settled: settled ? 1 : 0,
  revision,
  attempt,
});

describe('the newest claim of a partition', () => {
  const facts = { receivedAt: 1000, writer: 'w', note: '', sequence: 1 };
  const claim: Claim = { ...emptyClaim({ firstOffset: 5, lastOffset: 9 }, facts), events: 5, maxTimestamp: 7 };

  /** A ledger whose newest claim is this one; `holds` is what its read back says, each time it is asked. */
  function reading(newest: Claim, holds: boolean[], floor = 0, at = () => now) {
    const memory = memoryStore();
    memory.claims.push(newest);
    memory.floor = floor;
    const span = { log_id: 'log', source_epoch: 1, topic: 'gw', kafka_partition: 0, newest: String(newest.firstOffset), watermark: '3' };
    const rows = async (sql: string) =>
      sql.startsWith('WITH effective') ? [{ ...span, last_event_at: '1' }] : memory.claims.map((row) => ({ ...span, ...rowOf(row) }));
    const clickhouse = { rows } as unknown as ClickHouse;
    let readBacks = 0;
    const reader = createClosedReader(clickhouse, {
      store: memory.store,
      clock: { now: at },
      holds: () => holds[readBacks++] ?? false,
    });
    const read = async () => (await reader.read()).partitions[0];
    return { memory, read, readBacks: () => readBacks };
  }

  test('is open until it reads back: what is stored ends before it', async () => {
    const { read } = reading(claim, [false, true]);
    expect(await read()).toMatchObject({ isOpen: true, position: 5, watermark: 3 });
    expect(await read()).toMatchObject({ isOpen: false, position: 10, watermark: 7 });
  });

  test('stays closed, and is not read back again, until a revision says something else', async () => {
    const { memory, read, readBacks } = reading(claim, [true]);
    for (let times = 0; times < 3; times += 1) expect(await read()).toMatchObject({ isOpen: false });
    expect(readBacks()).toBe(1);
    memory.claims.push({ ...claim, revision: 1 });
    expect(await read()).toMatchObject({ isOpen: true });
    expect(readBacks()).toBe(2);
  });

  test('has been empty since the first look at which it was read and had no event, one after the other', async () => {
    let at = now;
    const empty = (firstOffset: number, more: Partial<Claim> = {}): Claim => ({
      ...emptyClaim({ firstOffset, lastOffset: firstOffset + 4 }, { ...facts, receivedAt: at }),
      settled: true,
      ...more,
    });
    const { memory, read } = reading(empty(5), [], 0, () => at);
    const since = async (newest: Claim) => {
      memory.claims.splice(0, memory.claims.length, newest);
      return (await read())?.emptySince;
    };
    expect(await since(empty(5))).toBe(now);
    at = now + 60_000;
    expect(await since(empty(5))).toBe(now);
    expect(await since(empty(5, { gapReason: 'RETENTION_OVERRUN' }))).toBe(0);
    expect(await since(empty(5))).toBe(now + 60_000);
    expect(await since(empty(5, { events: 1 }))).toBe(0);
    // What stands still says nothing of what comes behind it.
    expect(await since(empty(5, { receivedAt: at - 120_000 }))).toBe(0);
  });

  test.each<[string, Claim, number]>([
    ['it is settled', { ...claim, settled: true }, 0],
    ['it is below the retention floor', claim, 1001],
    ['it is the origin', originClaim(10, facts), 0],
  ])('is closed without a read back when %s', async (_, newest, floor) => {
    const { read, readBacks } = reading(newest, [], floor);
    expect(await read()).toMatchObject({ isOpen: false, position: 10 });
    expect(readBacks()).toBe(0);
  });

  test('that stands twice, in two versions, is noticed by whoever reads the ledger', async () => {
    const { memory, read } = reading(claim, [true]);
    memory.claims.push({ ...claim, events: 4 });
    await expect(read()).rejects.toMatchObject({ code: 'LEDGER_INCONSISTENT' });
  });
});
