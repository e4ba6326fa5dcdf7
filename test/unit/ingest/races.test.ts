/** Two versions of the reader that store one batch at the same time, in every order of their steps: one of them counts, whole. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../../core/logger.ts';
import type { Batch } from '../../../ingest/batch.ts';
import { createWriter } from '../../../ingest/write.ts';
import type { Claim } from '../../../storage/ledger.ts';
import { type Fault, memoryBatches, memoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { allReadings, positionsIn, type Readings } from '../../support/readings.ts';
import { createTurns, everyOrder } from '../../support/turns.ts';
import { assignmentOf, keyOf, rangeOf } from '../../support/writer.ts';

const key = keyOf();
const at = 1_790_000_000_000;

const makers = { old: memoryBatches('old'), new: memoryBatches('new') };

/** Made once for each reader and its text: that takes longer than to store them. */
const batches = new Map<string, Batch>();

function batchOf(version: keyof Readings, readings: Readings): Batch {
  const name = `${version} ${readings[version].join()}`;
  const batch = batches.get(name) ?? makers[version].make(key, rangeOf(0, readings[version]), at);
  batches.set(name, batch);
  return batch;
}

function race(readings: Readings) {
  const memory = memoryStore();
  const turns = createTurns();
  let inconsistent = 0;
  const partsOf = (version: keyof Readings) => ({
    ledger: memory.ledger,
    store: memory.store,
    maker: makers[version],
    logger: silentLogger,
    retryMs: 0,
    onInconsistent: () => (inconsistent += 1),
  });

  /** Claims the position, and completes the claim of another where it was lost. */
  const writer = (version: keyof Readings, name: string, dieAt?: number) => {
    const own = createWriter({ ...turns.take(partsOf(version), dieAt), writer: name });
    return async (): Promise<Claim | null> => {
      const outcome = await own.write(assignmentOf(), batchOf(version, readings), 1);
      if (outcome.kind === 'late') return null;
      return outcome.kind === 'stored' ? outcome.claim : own.complete(assignmentOf(), outcome.claim, batchOf(version, readings));
    };
  };

  /** Another owner takes over; then tables and ledger must say one thing. */
  async function judged(version: keyof Readings): Promise<Claim> {
    const next = createWriter({ ...partsOf(version), writer: 'next' });
    const outcome = await next.write(assignmentOf(), batchOf(version, readings), 1);
    if (outcome.kind === 'late') throw new Error('nobody went on');
    if (outcome.kind === 'lost') await next.complete(assignmentOf(), outcome.claim, batchOf(version, readings));
    const [claim] = await memory.ledger.claimsFrom(key, 0, 1);
    if (claim === undefined) throw new Error('the claim is gone');
    expect(inconsistent).toBe(0);
    expectOneReading(memory, claim, readings);
    expect(await next.isComplete(key, claim)).toBe(true);
    return claim;
  }
  return { memory, turns, writer, judged };
}

function expectOneReading(memory: MemoryStore, claim: Claim, readings: Readings): void {
  const version = claim.normaliser as keyof Readings;
  const events = memory.events.filter(({ batchEvents }) => batchEvents > 0);
  const letters = [...memory.deadLetters.keys()].filter((letter) => letter.startsWith(`${version} `));
  expect(events.every(({ normaliser }) => normaliser === version)).toBe(true);
  const stored = [...events.map(({ position }) => position), ...letters.map((letter) => letter.slice(version.length + 1))].toSorted();
  expect(stored).toEqual(positionsIn(readings[version]));
  expect(claim).toMatchObject({ events: events.length, rejected: letters.length });
  expect(claim.records).toBe(claim.events + claim.rejected + claim.skipped);
}

describe('two versions of the reader that store one batch at the same time', () => {
  test.each(allReadings)('agree on one of them in every order of their steps: %s', async (_, readings) => {
    const orders = await everyOrder(async (choose) => {
      const { turns, writer, judged } = race(readings);
      const claims: (Claim | null)[] = [];
      const ending = (life: () => Promise<Claim | null>) => async () => void claims.push(await life());
      await turns.run([ending(writer('old', 'a')), ending(writer('new', 'b'))], choose);
      const counted = await judged('old');
      // Where no event decides, whoever was first may have ended before the other's revision.
      if (counted.events > 0) expect(claims).toEqual([counted, counted]);
    });
    expect(orders).toBeGreaterThan(20);
  });

  const fault = fc.constantFrom<Fault>('lost request', 'lost answer', 'held', 'burnt');
  const life = fc.record({ version: fc.constantFrom<keyof Readings>('old', 'new'), dieAt: fc.option(fc.nat(10), { nil: undefined }) });

  test('agree, three at once, whoever dies at whichever step and whatever becomes of the inserts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          readings: fc.constantFrom(...allReadings.map(([, readings]) => readings)),
          lives: fc.array(life, { minLength: 2, maxLength: 3 }),
          choices: fc.array(fc.nat(5), { maxLength: 40 }),
          faults: fc.record({ batches: fc.array(fault, { maxLength: 3 }), events: fc.array(fault, { maxLength: 3 }) }),
          next: fc.constantFrom<keyof Readings>('old', 'new'),
        }),
        async ({ readings, lives, choices, faults, next }) => {
          const { memory, turns, writer, judged } = race(readings);
          memory.fail('batches', ...faults.batches);
          memory.fail('events', ...faults.events);
          const writers = lives.map(({ version, dieAt }, at_) => writer(version, `w${at_}`, dieAt));
          await turns.run(writers, (waiting) => (choices.shift() ?? 0) % waiting);
          const counted = await judged(next);
          memory.deliver();
          expectOneReading(memory, counted, readings);
        },
      ),
      { numRuns: 300 },
    );
  });
});
