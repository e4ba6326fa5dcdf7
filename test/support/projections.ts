/** Whether what is summed up inside the parts of `events` is what the rows say. */
import { sqlRows, sqlText, type SqlServer } from './sql.ts';

/** Gives the table a projection where the schema has none, so that a test can see whether it would drift. */
export async function ensureProjection(server: SqlServer, database: string): Promise<void> {
  if ((await projections(server, database)).length > 0) return;
  await sqlText(
    server,
    'ALTER TABLE events ADD PROJECTION by_tenant (SELECT tenant, topic, count(), sum(kafka_offset), sum(message_index) GROUP BY tenant, topic)',
    database,
  );
}

/** Names of the aggregate projections that say something else than the rows; must be empty. */
export async function projectionFaults(server: SqlServer, database: string): Promise<string[]> {
  const faults: string[] = [];
  for (const { name, query } of await projections(server, database)) {
    const from = query.replace(/\s+(?=GROUP BY|ORDER BY|$)/, ' FROM events ');
    const ask = (settings: string) => sqlText(server, `SELECT * FROM (${from}) ORDER BY ALL SETTINGS ${settings}`, database);
    const summed = await ask(`optimize_use_projections = 1, force_optimize_projection_name = '${name}'`);
    if (summed !== (await ask('optimize_use_projections = 0'))) faults.push(name);
  }
  return faults;
}

const projections = (server: SqlServer, database: string) =>
  sqlRows<{ name: string; query: string }>(
    server,
    "SELECT name, query FROM system.projections WHERE database = currentDatabase() AND table = 'events' AND type = 'Aggregate'",
    database,
  );
