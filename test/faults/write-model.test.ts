/**
 * The product's own loop of a partition, in any history of crashes, zombies, lost answers, late requests, moves, dropped days
 * and forgotten tokens that a list of commands can make: at the end every message stands once, where its claim says.
 */
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { campaign } from '../support/campaign.ts';
import { kinds } from '../support/light-batches.ts';
import { type Command, createWorld, type Fate } from '../support/write-model.ts';

const { full, seed, sizes, report } = campaign('write-model', { runs: 1_000, seconds: 12 }, { runs: 100_000, seconds: 1_700 });

/** The campaign that takes rules out looks longer, and wants no shortest history. */
const isRuleRemoved = process.env['RULE_REMOVED'] !== undefined;
const { runs, seconds } = isRuleRemoved ? { runs: 20_000, seconds: 120 } : sizes;

const who = fc.nat(3);
const which = fc.nat(5);
const version = fc.constantFrom('old' as const, 'new' as const);
const fate = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Fate>('answered') },
  { weight: 4, arbitrary: fc.constantFrom<Fate>('slow', 'lost request', 'lost answer', 'held', 'burnt') },
);
const messages = fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 6 });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('append' as const), kinds: messages }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hole' as const), count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('trim' as const), count: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replace' as const), kinds: messages }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('assign' as const),
      to: fc.oneof(version, version, fc.nat(3)),
      rows: fc.integer({ min: 1, max: 5 }),
      isTold: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('tell' as const), who }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('crash' as const), who }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('step' as const), who, fate }) },
  { weight: 20, arbitrary: fc.record({ do: fc.constant('insert' as const), who, fate }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('land' as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sleep' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('time' as const), ms: fc.constantFrom(100, 5_000, 61_000, 86_400_000) }) },
  ...(['window', 'floor', 'drop'] as const).map((name) => ({ weight: 1, arbitrary: fc.record({ do: fc.constant(name) }) })),
);

async function faultsOf(commands: readonly Command[], last: 'old' | 'new'): Promise<string[]> {
  const world = createWorld();
  try {
    await world.obey({ do: 'append', kinds: ['one'] });
    await world.obey({ do: 'assign', to: 'old', rows: 3, isTold: true });
    for (const each of commands) await world.obey(each);
    await world.calm(last);
  } finally {
    world.end();
  }
  return world.faults;
}

let done = 0;
const startedAt = performance.now();

test('every message is stored once or lettered once, in order, and nothing is committed before', async () => {
  const history = fc.tuple(fc.array(command, { maxLength: 40, size: 'max' }), version);
  await fc.assert(
    fc.asyncProperty(history, async ([commands, last]) => {
      if (performance.now() - startedAt > seconds * 1_000) return;
      done += 1;
      expect(await faultsOf(commands, last)).toEqual([]);
    }),
    { numRuns: runs, seed, endOnFailure: isRuleRemoved },
  );
});

afterAll(() => {
  report({ done, perSecond: Math.round(done / ((performance.now() - startedAt) / 1_000)) });
  // A busy machine shortens the short form; the full one has to do what it says.
  if (full) expect(done).toBeGreaterThanOrEqual(sizes.runs);
});
