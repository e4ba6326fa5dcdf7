/** How the loop of a partition cuts what it reads into batches, and what stops it. Races are shown on the real engine. */
import { describe, expect, test } from 'vitest';
import { AuditError } from '../../../core/errors.ts';
import { silentLogger } from '../../../core/logger.ts';
import type { BatchLimits, PartitionOptions } from '../../../ingest/life.ts';
import { runPartition } from '../../../ingest/partition.ts';
import { createWriter, type Step, type WriterOptions } from '../../../ingest/write.ts';
import { claimToken, type Claim } from '../../../storage/ledger.ts';
import { memoryBatches, memoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { memoryPartition, type MemoryPartition } from '../../support/partition.ts';
import { keyOf, rangeOf } from '../../support/writer.ts';

const now = 1_790_000_000_000;
const unlimited: BatchLimits = { rows: 1_000_000, bytes: 1 << 30, ms: 50, behindMs: 50 };

interface Running {
  readonly memory?: MemoryStore;
  readonly limits?: Partial<BatchLimits>;
  readonly more?: Partial<PartitionOptions>;
  readonly writer?: Partial<WriterOptions>;
}

/** Reads the log to its end, or until the partition stands still: then gives the code. */
async function read(
  partition: MemoryPartition,
  { memory = memoryStore(), limits, more, writer }: Running = {},
): Promise<string | undefined> {
  const maker = memoryBatches();
  let stoppedBy: string | undefined;
  partition.revokeAtEnd();
  await runPartition(partition, {
    ...memory,
    maker,
    writer: createWriter({ ...memory, maker, writer: 'w', logger: silentLogger, retryMs: 0, ...writer }),
    logId: 'log',
    start: 'earliest',
    logger: silentLogger,
    limits: { ...unlimited, ...limits },
    databaseClock: { now: () => now },
    onStored: () => {},
    onStopped(_key, error) {
      stoppedBy = error.code;
    },
    ...more,
  });
  return stoppedBy;
}

function logOf(values: readonly string[]): MemoryPartition {
  const partition = memoryPartition();
  partition.append(values);
  return partition;
}

/** Reads everything, and gives the ranges that were claimed. */
async function rangesOf(
  values: readonly string[],
  limits: Partial<BatchLimits>,
  maker = memoryBatches(),
): Promise<[first: number, last: number, events: number][]> {
  const memory = memoryStore();
  expect(await read(logOf(values), { memory, limits, more: { maker } })).toBeUndefined();
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

test('a batch closes at the bytes of its messages also where nothing of them is stored', async () => {
  expect(await rangesOf(['skip', 'skip', 'skip'], { bytes: 8 })).toEqual([
    [0, 1, 0],
    [2, 2, 0],
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
  expect(await rangesOf(['/a', 'e6', 'e6', '/b'], { rows: 10 }, memoryBatches('test', 10))).toEqual([
    [0, 1, 7],
    [2, 3, 7],
  ]);
});

test('a record that a gateway sent again is a second event at a second offset', async () => {
  expect(await rangesOf(['/a', '/a'], {})).toEqual([[0, 1, 2]]);
});

describe('a batch', () => {
  test('is committed to the log after it was read back, and goes through its steps in this order', async () => {
    const steps: Step[] = [];
    const trace = (step: Step) => void steps.push(step);
    const partition = logOf(['/a', 'bad']);
    await read(partition, { more: { trace }, writer: { trace } });
    expect(steps.slice(steps.indexOf('decode'), steps.indexOf('commit') + 1)).toEqual([
      'decode',
      'claim',
      'dead letters',
      'events',
      'read back',
      'commit',
    ]);
    expect(partition.committed).toBe(2);
  });

  test('that is not read back is not committed', async () => {
    const memory = memoryStore();
    const partition = logOf(['/a']);
    memory.fail('events', 'lost request');
    const found = memory.store.found.bind(memory.store);
    Object.assign(memory.store, {
      found(...args: Parameters<typeof found>) {
        if (memory.claims.length === 2) partition.revoke();
        return found(...args);
      },
    });
    await read(partition, { memory });
    expect(memory.claims).toHaveLength(2);
    expect(partition.committed).toBe(-1);
  });

  test.each([
    ['does not take its commit', () => Promise.reject(new Error('not running'))],
    ['never answers its commit', () => new Promise<void>(() => {})],
  ])('counts as stored though the log %s, and the next one follows', async (_, commit) => {
    const partition = { ...logOf(['/a', '/b']), commit };
    const memory = memoryStore();
    expect(await read(partition, { memory, limits: { rows: 1 } })).toBeUndefined();
    expect(memory.events).toHaveLength(2);
  });

  test('says why offsets of its range hold no message, and ends behind them', async () => {
    const memory = memoryStore();
    const partition = logOf(['/a', '/b']);
    partition.appendHole(3, 'TRANSACTION_MARKER');
    await read(partition, { memory });
    expect(memory.claims.at(-1)).toMatchObject({
      firstOffset: 0,
      lastOffset: 4,
      messages: 2,
      gapReason: 'TRANSACTION_MARKER',
      lastSha256: '',
    });
  });

  test('never arrives before the batch ahead of it, whatever the clock does', async () => {
    const memory = memoryStore();
    let clock = now;
    await read(logOf(['/a', '/b', '/c']), { memory, limits: { rows: 1 }, more: { databaseClock: { now: () => (clock -= 1000) } } });
    expect(new Set(memory.claims.map(({ receivedAt }) => receivedAt))).toEqual(new Set([now - 1000]));
    expect(memory.claims).toHaveLength(4);
  });
});

describe('a claim that another writer left open', () => {
  async function left(memory: MemoryStore, values: readonly string[], receivedAt = now): Promise<Claim> {
    const { counts } = memoryBatches().make(keyOf(), rangeOf(0, values), receivedAt);
    const claim = { ...counts, note: '', settled: false, attempt: 0, writer: 'dead', revision: 0, sequence: 1 };
    await memory.ledger.insertClaim(keyOf(), claim, claimToken(keyOf(), 0));
    return claim;
  }

  test('is completed before anything is added to the chain', async () => {
    const memory = memoryStore();
    await left(memory, ['/a', 'bad']);
    await read(logOf(['/a', 'bad', '/c']), { memory });
    expect(memory.events.map(({ position }) => position)).toEqual(['0/0', '2/0']);
    expect([...memory.deadLetters.keys()]).toEqual(['test 1/0']);
  });

  test('and whose messages the log lost at its end stops the partition', async () => {
    const memory = memoryStore();
    await left(memory, ['/a', '/b', '/c']);
    expect(await read(logOf(['/a', '/b']), { memory })).toBe('LOG_REPLACED');
    expect(memory.events).toEqual([]);
  });

  test('and whose messages are lost while they are read again stops the partition, instead of waiting for ever', async () => {
    const memory = memoryStore();
    await left(memory, ['/a', '/b', '/c']);
    const partition = logOf(['/a', '/b', '/c']);
    const isComplete = async () => (partition.cut(2), false);
    const writer = { ...createWriter({ ...memory, maker: memoryBatches(), writer: 'w', logger: silentLogger }), isComplete };
    expect(await read(partition, { memory, more: { writer } })).toBe('LOG_REPLACED');
  });

  test('over the first of the messages that were just read is completed as it stands: its range, its arrival, nothing fetched again', async () => {
    const memory = memoryStore();
    const partition = logOf(['/a', '/b', '/c']);
    const insertClaim = memory.ledger.insertClaim.bind(memory.ledger);
    Object.assign(memory.ledger, {
      async insertClaim(...args: Parameters<typeof insertClaim>) {
        const isFirst = args[1].firstOffset === 0 && args[1].writer === 'w';
        if (isFirst) await left(memory, ['/a'], now + 7);
        return insertClaim(...args);
      },
    });
    const made: [first: number, last: number, messages: number, receivedAt: number][] = [];
    const batches = memoryBatches();
    const maker: typeof batches = {
      ...batches,
      make(key, range, receivedAt, refusal) {
        made.push([range.firstOffset, range.lastOffset, range.messages.length, receivedAt]);
        return batches.make(key, range, receivedAt, refusal);
      },
    };
    await read(partition, { memory, more: { maker } });
    expect(made).toEqual([[0, 0, 1, now + 7]]);
    expect(partition.handedOut).toBe(3 + 2);
    expect(memory.events.map(({ position }) => position)).toEqual(['0/0', '1/0', '2/0']);
    expect(memory.claims.map(({ firstOffset, lastOffset }) => [firstOffset, lastOffset])).toEqual([
      [-1, -1],
      [0, 0],
      [1, 2],
    ]);
  });

  test('over messages that retention has taken meanwhile is completed as it stands where its writer still had them', async () => {
    const memory = memoryStore();
    await read(logOf(['/a']), { memory });
    const partition = logOf(['/a', '/b', '/c', '/d']);
    const insertClaim = memory.ledger.insertClaim.bind(memory.ledger);
    let isFirst = true;
    Object.assign(memory.ledger, {
      async insertClaim(...[key, claim, token]: Parameters<typeof insertClaim>) {
        const { counts } = memoryBatches().make(keyOf(), rangeOf(1, ['/b', '/c']), now);
        if (isFirst) await insertClaim(key, { ...claim, ...counts, writer: 'other' }, token);
        isFirst = false;
        return insertClaim(key, claim, token);
      },
    });
    partition.trim(3);
    await read(partition, { memory });
    const [origin, first, others, revised] = memory.claims;
    expect([origin?.firstOffset, first?.firstOffset]).toEqual([-1, 0]);
    expect(others).toMatchObject({ firstOffset: 1, lastOffset: 2, writer: 'other', events: 2 });
    expect(revised).toMatchObject({ firstOffset: 1, revision: 1, gapReason: 'RETENTION_OVERRUN' });
    expect(memory.claims.at(-1)).toMatchObject({ firstOffset: 3, events: 1 });
  });
});

test('reading goes on after the last claim of the ledger, and only the message at its end is fetched again, to know the log', async () => {
  const memory = memoryStore();
  await read(logOf(['/a', '/b', '/c']), { memory });
  const next = logOf(['/a', '/b', '/c', '/d', '/e']);
  await read(next, { memory, writer: { writer: 'v' } });
  expect(next.handedOut).toBe(1 + 2);
  expect(memory.claims.map(({ firstOffset, lastOffset, sequence }) => [firstOffset, lastOffset, sequence])).toEqual([
    [-1, -1, 0],
    [0, 2, 1],
    [3, 4, 2],
  ]);
});

describe('the first writers of a partition', () => {
  test('agree on where it starts, though each would begin elsewhere', async () => {
    const memory = memoryStore();
    const [early, later] = [logOf(['/a', '/b', '/c']), logOf(['/a', '/b', '/c'])];
    later.trim(2);
    await Promise.all([read(early, { memory }), read(later, { memory, writer: { writer: 'v' } })]);
    expect(memory.claims.filter(({ firstOffset }) => firstOffset === -1)).toHaveLength(1);
    const positions = memory.events.filter(({ batchEvents }) => batchEvents > 0).map(({ position }) => position);
    expect(new Set(positions).size).toBe(positions.length);
    expect(positions).toContain('2/0');
  });
});

describe('a partition', () => {
  test('stands still when its log is shorter than the ledger, before anything is read of it', async () => {
    const memory = memoryStore();
    await read(logOf(['/a', '/b', '/c']), { memory });
    const shorter = logOf(['/a', '/b']);
    const next = () => Promise.reject(new TypeError('nothing may be read'));
    expect(await read({ ...shorter, next }, { memory })).toBe('LOG_REPLACED');
  });

  test('stands still when another message is at the end of the ledger', async () => {
    const memory = memoryStore();
    await read(logOf(['/a', '/b']), { memory });
    expect(await read(logOf(['/a', '/other', '/c']), { memory })).toBe('LOG_REPLACED');
    expect(memory.events).toHaveLength(2);
  });

  test('stands still when its log loses its end while it is read', async () => {
    const partition = logOf(['/a', '/b']);
    expect(await read(partition, { more: { onStored: () => partition.cut(1) } })).toBe('LOG_REPLACED');
  });

  test('claims nothing while the clocks differ, and goes on when they agree', async () => {
    const memory = memoryStore();
    let [asked, claimed] = [0, 0];
    const databaseClock = {
      now() {
        asked += 1;
        claimed = memory.claims.length;
        if (asked < 3) throw new AuditError('CLOCK_SKEW', 'the clocks differ');
        return now;
      },
    };
    await read(logOf(['/a']), { memory, more: { databaseClock } });
    expect(memory.events).toHaveLength(1);
    expect([asked >= 3, claimed <= 1]).toEqual([true, true]);
  });

  test('waits for a server that is away, and goes on', async () => {
    const memory = memoryStore();
    const tail = memory.ledger.tail.bind(memory.ledger);
    let away = 2;
    const down = new AuditError('BACKEND_UNAVAILABLE', 'no answer');
    Object.assign(memory.ledger, { tail: (...args: Parameters<typeof tail>) => (away-- > 0 ? Promise.reject(down) : tail(...args)) });
    expect(await read(logOf(['/a']), { memory })).toBeUndefined();
    expect(memory.events).toHaveLength(1);
  });

  test('ends the process at what nobody expected, instead of passing it over', async () => {
    const memory = memoryStore();
    Object.assign(memory.ledger, { tail: () => Promise.reject(new TypeError('a bug')) });
    await expect(read(logOf(['/a']), { memory })).rejects.toBeInstanceOf(TypeError);
  });

  test('stands still, with its code, when a batch does not read back as claimed', async () => {
    const memory = memoryStore();
    const insertEvents = memory.store.insertEvents.bind(memory.store);
    Object.assign(memory.store, {
      async insertEvents(block: Buffer, token: string) {
        await insertEvents(block, `${token}:behind our back`);
        await insertEvents(block, token);
      },
    });
    expect(await read(logOf(['/a', '/b']), { memory, limits: { rows: 1 } })).toBe('LEDGER_INCONSISTENT');
    expect(memory.claims).toHaveLength(2);
  });
});
