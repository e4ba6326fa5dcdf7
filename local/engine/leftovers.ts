/** What a failed write left in the engine's folder: it must not keep the engine from opening, nor lie there unseen. */
import type { Session } from 'chdb';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Orders for mutations that were not written: nobody was told that they were given, and their tables would not open. */
export function removeEmptyMutations(folder: string): void {
  for (const table of below(join(folder, 'store')).flatMap(below))
    for (const file of below(table).filter((path) => /\/mutation_\d+\.txt$/.test(path))) if (statSync(file).size === 0) rmSync(file);
}

function below(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return []; // a file, or a folder that was not made yet
  }
}

/** Parts that were not whole when their table was opened; they lie in its folder `detached`. */
export async function partsAside(session: Session): Promise<string[]> {
  const sql = "SELECT concat(database, '.', table, ' ', name) FROM system.detached_parts WHERE reason LIKE 'broken%' ORDER BY 1";
  const names = (await session.queryAsync(sql, { format: 'TabSeparated' })).text().trim();
  return names === '' ? [] : names.split('\n');
}
