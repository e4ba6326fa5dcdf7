/** Whose a topic is, by what arrived in it: of the tenants of a caller alone, of others too, of others alone. */
import type { ClickHouse } from '../storage/clickhouse.ts';
import { openScope, type Range } from '../storage/scope.ts';
import { always } from './audit-trail.ts';

export type Whose = 'own' | 'shared' | 'foreign';

const inRange = 'received_at >= fromUnixTimestamp64Milli({from:Int64}) AND received_at < fromUnixTimestamp64Milli({to:Int64})';

/** A topic in which nothing arrived that names a tenant may be anybody's: it is shared. */
export async function ownTopics(clickhouse: ClickHouse, tenants: readonly string[], range: Range): Promise<(topic: string) => Whose> {
  if (tenants.includes('*')) return () => 'own';
  type Row = { readonly topic: string; readonly tenant: string };
  const parameters = { ...range };
  const select = 'DISTINCT topic, tenant';
  const rows = [
    ...(await openScope(clickhouse, ['*']).events<Row>({ select, range: always, where: inRange, parameters })),
    ...(await clickhouse.rows<Row>(`SELECT ${select}\nFROM dead_letters\nWHERE ${inRange}`, { parameters })),
    // What retention took was somebody's too.
    ...(await clickhouse.rows<Row>(`SELECT DISTINCT topic, arrayJoin(tenants) AS tenant\nFROM removals\nWHERE ${inRange}`, { parameters })),
  ];
  return (topic) => {
    const seen = rows.filter((row) => row.topic === topic).map(({ tenant }) => tenant);
    if (seen.length === 0) return 'shared';
    if (seen.every((tenant) => tenants.includes(tenant))) return 'own';
    return seen.some((tenant) => tenant === '' || tenants.includes(tenant)) ? 'shared' : 'foreign';
  };
}
