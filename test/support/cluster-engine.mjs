// The engine's own judgement of statements for a cluster, in a process of its own: `node cluster-engine.mjs FOLDER CONFIG` reads
// a JSON array of statements and prints what became of each. The configuration names clusters and macros, and no Keeper.
import { readFileSync } from 'node:fs';
import { Session } from 'chdb';

const [folder, config] = process.argv.slice(2);
const session = new Session(folder, { connectionArgs: [`--config-file=${config}`] });
const outcomes = [];
for (const statement of JSON.parse(readFileSync(0, 'utf8'))) {
  try {
    outcomes.push({ text: (await session.queryAsync(statement, { format: 'TabSeparated' })).text().trim() });
  } catch (error) {
    outcomes.push({ error: error.message });
  }
}
session.close();
process.stdout.write(JSON.stringify(outcomes), () => process.exit(0));
