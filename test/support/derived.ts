/** What is summed up from events must say the same as the events: each check names the differences that it finds. */
import type { Place } from './oracle.ts';
import { rollupDrift } from './rollup-drift.ts';
import { sqlRows } from './sql.ts';

type Check = (place: Place) => Promise<readonly string[]>;

/** Whatever else is derived from events joins here. The job of the rollups must have come to the end of the ledger. */
const checks: readonly Check[] = [aggregateProjections, async ({ server, database }) => (await rollupDrift(server, database)).drift];

export async function derivedFaults(place: Place): Promise<string[]> {
  const found: string[] = [];
  for (const check of checks) found.push(...(await check(place)));
  return found;
}

/** Each aggregate projection of `events`, read with force, against the same statement over the rows. */
async function aggregateProjections({ server, database }: Place): Promise<string[]> {
  const projections = await sqlRows<{ name: string; query: string }>(
    server,
    `SELECT name, query FROM system.projections WHERE database = '${database}' AND table = 'events' AND type = 'Aggregate'`,
  );
  const faults: string[] = [];
  for (const { name, query } of projections) {
    // States of quantiles depend on the order in which they were merged; everything else is exact.
    const rows = query.replace(/\bGROUP BY\b/, 'FROM events GROUP BY');
    const sum = async (settings: string) =>
      JSON.stringify(
        await sqlRows(
          server,
          `SELECT count() AS groups, sum(cityHash64(* EXCEPT ('State'))) AS sum FROM (${rows}) SETTINGS ${settings}`,
          database,
        ),
      );
    const [projected, raw] = [
      await sum('optimize_use_projections = 1, force_optimize_projection = 1'),
      await sum('optimize_use_projections = 0'),
    ];
    if (projected !== raw) faults.push(`projection ${name} says ${projected}, the events ${raw}`);
  }
  return faults;
}
