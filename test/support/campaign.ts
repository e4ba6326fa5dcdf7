/**
 * One test, two sizes: a short form in `npm test`, the full one in `npm run campaign -- PART`. The code is the same;
 * only the numbers that a test takes from here differ. Each run prints its seed, and SEED=… repeats it.
 */
import { appendFileSync } from 'node:fs';

export interface Campaign<Sizes> {
  readonly full: boolean;
  readonly seed: number;
  readonly sizes: Sizes;
  /** Prints what was measured, and keeps it for docs/campaign.md when this is the full form. */
  report(facts: Record<string, unknown>): void;
}

export function campaign<Sizes extends Record<string, number>>(part: string, short: Sizes, full: Sizes): Campaign<Sizes> {
  const isFull = process.env['CAMPAIGN_PART'] === part;
  const seed = Number(process.env['SEED'] ?? (isFull ? Date.now() % 1_000_000 : 1));
  const sizes = isFull ? { ...full, ...smaller() } : short;
  return {
    full: isFull,
    seed,
    sizes,
    report(facts) {
      const line = JSON.stringify({ part, form: isFull ? 'full' : 'short', seed, ...sizes, ...facts });
      console.log(line);
      const file = process.env['CAMPAIGN_REPORT'];
      if (isFull && file !== undefined) appendFileSync(file, `${line}\n`);
    },
  };
}

/** Sizes of the full form that this machine has no time for, as the command line names them: `kills=60`. */
function smaller(): Record<string, number> {
  const given = (process.env['CAMPAIGN_SIZES'] ?? '').split(' ').filter((text) => text !== '');
  return Object.fromEntries(given.map((text) => text.split('=')).map(([name = '', value]) => [name, Number(value)]));
}

/** In the order that `random` gives. */
export const shuffled = <Item>(items: readonly Item[], random: () => number): Item[] =>
  items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);

/** mulberry32: the same seed gives the same numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
