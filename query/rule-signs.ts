/** Signs of life around rules: when each last fired, and which tenants sent nothing lately. */
import type { ClickHouse } from '../storage/clickhouse.ts';
import { openScope } from '../storage/scope.ts';

const silentAfterMs = 3_600_000;

export async function lastFired(clickhouse: ClickHouse, tenants: readonly string[]): Promise<Map<string, number>> {
  const rows = await clickhouse.rows<{ rule_id: string; last: string }>(
    `SELECT rule_id, toUnixTimestamp64Milli(max(at)) AS last
FROM alert_transitions
WHERE kind = 'FIRED' AND (has({tenants:Array(String)}, '*') OR tenant IN {tenants:Array(String)})
GROUP BY rule_id`,
    { parameters: { tenants } },
  );
  return new Map(rows.map((row) => [row.rule_id, Number(row.last)]));
}

/** Of the caller's tenants those that sent nothing in the last hour; for whoever sees all, `any gateway` when nobody did. */
export async function silentTenants(clickhouse: ClickHouse, tenants: readonly string[], now: number): Promise<string[]> {
  const rows = await openScope(clickhouse, tenants).events<{ tenant: string }>({
    select: 'DISTINCT tenant',
    range: { from: now - 24 * silentAfterMs, to: now + silentAfterMs },
    where: 'received_at >= fromUnixTimestamp64Milli({since:Int64})',
    parameters: { since: now - silentAfterMs },
  });
  if (tenants.includes('*')) return rows.length === 0 ? ['any gateway'] : [];
  return tenants.filter((tenant) => !rows.some((row) => row.tenant === tenant));
}
