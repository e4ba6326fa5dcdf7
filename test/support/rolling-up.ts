/** The product's job of the rollups beside a run whose engine may die under it at any time: the next step goes on, as a fresh process would. */
import { setTimeout as sleep } from 'node:timers/promises';
import { closedReader } from '../../app/watermark.ts';
import { systemClock } from '../../core/clock.ts';
import { connect } from '../../storage/clickhouse.ts';
import { rollUp } from '../../storage/rollups.ts';
import type { Place } from './oracle.ts';

export interface RollingUp {
  /** Ends the job, and does what is left once nothing dies any more. Gives the steps that were begun and those that failed. */
  toTheEnd(): Promise<{ readonly steps: number; readonly failed: number }>;
}

export function keepRollingUp(place: () => Place, everySeconds: number): RollingUp {
  const control = new AbortController();
  const { signal } = control;
  const count = { steps: 0, failed: 0 };
  const run = async () => {
    while (!signal.aborted) {
      count.steps += 1;
      await step(place()).catch(() => (count.failed += 1));
      await sleep(everySeconds * 1_000, undefined, { signal }).catch(() => {});
    }
  };
  const ended = run();
  return {
    async toTheEnd() {
      control.abort();
      await ended;
      while ((await step(place())) > 0);
      return count;
    },
  };
}

/** A client of its own, because an engine that was started again is elsewhere. Gives how many hours were made. */
async function step({ server, database }: Place): Promise<number> {
  const clickhouse = connect({ ...server, database });
  try {
    return await rollUp({ clickhouse, closed: closedReader(clickhouse, systemClock) });
  } finally {
    await clickhouse.close();
  }
}
