/** Lets writers take their steps one at a time, in an order that a test chooses: a step is one insert, or one look at what is stored. */
import type { BatchStore } from '../../storage/batch-store.ts';
import type { Ledger } from '../../storage/ledger.ts';

/** A writer that takes no step any more, as after `kill -9`. */
export class Died extends Error {
  override readonly name = 'Died';
}

export interface Turns {
  /** The parts of a writer whose steps wait for their turn; `dieAt`: the step that it does not live to take. */
  take<Parts extends { readonly ledger: Ledger; readonly store: BatchStore }>(parts: Parts, dieAt?: number): Parts;
  /** Any other step, taken in its turn. */
  step<Answer>(work: () => Promise<Answer>): Promise<Answer>;
  /** Runs the writers to their ends. `choose` gives which of those that wait goes on. */
  run(writers: readonly (() => Promise<unknown>)[], choose: (waiting: number) => number): Promise<void>;
}

export function createTurns(): Turns {
  const waiting: (() => void)[] = [];
  let taken = () => {};

  async function step<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      taken();
    }
  }

  return {
    step,
    take(parts, dieAt = Infinity) {
      let steps = 0;
      const turn =
        <Arguments extends unknown[], Answer>(work: (...args: Arguments) => Promise<Answer>) =>
        async (...args: Arguments): Promise<Answer> => {
          steps += 1;
          if (steps > dieAt) throw new Died();
          return step(() => work(...args));
        };
      const { ledger, store } = parts;
      return {
        ...parts,
        ledger: { ...ledger, insertClaim: turn(ledger.insertClaim), insertRevision: turn(ledger.insertRevision) },
        store: {
          ...store,
          insertDeadLetters: turn(store.insertDeadLetters),
          insertEvents: turn(store.insertEvents),
          found: turn(store.found),
        },
      };
    },
    async run(writers, choose) {
      let running = writers.length;
      const failures: unknown[] = [];
      const lives = writers.map(async (writer) => {
        try {
          await writer();
        } catch (error) {
          if (!(error instanceof Died)) failures.push(error);
        } finally {
          running -= 1;
        }
      });
      // A writer that is neither waiting nor ended is between two steps: it will wait or end by itself.
      while (running > 0) {
        for (let looks = 0; waiting.length < running; looks += 1) await aMoment(looks);
        if (running === 0) break;
        const [next] = waiting.splice(choose(waiting.length), 1);
        await new Promise<void>((resolve) => {
          taken = resolve;
          next?.();
        });
      }
      await Promise.all(lives);
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** Soon at first, as a store in memory answers; an engine on the same machine needs the processor that looking would take. */
const aMoment = (looks: number) => new Promise<void>((resolve) => (looks < 100 ? void setImmediate(resolve) : void setTimeout(resolve, 2)));

/** Every order there is: runs `one` again and again, each time with other choices, until none is left. Gives how many there were. */
export async function everyOrder(one: (choose: (waiting: number) => number) => Promise<void>): Promise<number> {
  let orders = 0;
  for (let path: number[] | null = []; path !== null; orders += 1) {
    const options: number[] = [];
    const chosen: number[] = [];
    const prefix: readonly number[] = path;
    await one((waiting) => {
      const choice = prefix[options.length] ?? 0;
      options.push(waiting);
      chosen.push(choice);
      return choice;
    });
    while (chosen.length > 0 && (chosen.at(-1) ?? 0) + 1 >= (options[chosen.length - 1] ?? 0)) chosen.pop();
    const last = chosen.pop();
    path = last === undefined ? null : [...chosen, last + 1];
  }
  return orders;
}
