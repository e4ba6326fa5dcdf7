/** Alerts as they are now, found by what they are: newest first, a page at a time. */
import type { AlertFacts, AlertState } from '../schemas/alert.ts';
import type { AlertView } from './alerts.ts';
import type { ClickHouse } from './clickhouse.ts';

export interface AlertRecord extends AlertView {
  /** When it resolved or lapsed. */
  readonly endedAt: number | null;
}

export interface AlertSearch {
  readonly tenants: readonly string[];
  /** Alerts that were open at some time of it, milliseconds. */
  readonly range?: { readonly from: number; readonly to: number };
  readonly states?: readonly AlertState[] | null;
  /** Over the columns of alert_transitions and `alert`, the facts as JSON. */
  readonly where: { readonly sql: string; readonly parameters: Readonly<Record<string, unknown>> };
  readonly limit: number;
  /** The last alert of the page before. */
  readonly beyond?: { readonly startedAt: number; readonly id: string } | null;
}

interface Row {
  readonly facts: string;
  readonly state: AlertState;
  readonly fired: string | null;
  readonly resolved: string | null;
  readonly lapsed: string | null;
  readonly taken: string | null;
  readonly taken_by: string;
}

export async function searchAlerts(clickhouse: ClickHouse, search: AlertSearch): Promise<AlertRecord[]> {
  const { sql, parameters } = statement(search);
  const rows = await clickhouse.rows<Row>(`${sql}\nORDER BY started DESC, alert_id DESC\nLIMIT ${search.limit}`, { parameters });
  const facts = rows.map((row) => JSON.parse(row.facts) as AlertFacts); // written by addTransitions alone
  const last = await lastSeen(clickhouse, facts);
  return rows.map(({ state, fired, resolved, lapsed, taken, taken_by }, index) => {
    const alert = facts[index] as AlertFacts; // one for each row
    return {
      ...alert,
      state,
      firedAt: number(fired),
      resolvedAt: number(resolved),
      endedAt: number(resolved) ?? number(lapsed),
      lastSeenAt: last.get(alert.id) ?? alert.startedAt,
      acknowledgedBy: taken_by,
      acknowledgedAt: number(taken),
    };
  });
}

export async function countAlerts(clickhouse: ClickHouse, search: Omit<AlertSearch, 'limit' | 'beyond'>): Promise<number> {
  const { sql, parameters } = statement({ ...search, limit: 0 });
  const [row] = await clickhouse.rows<{ n: string }>(`SELECT count() AS n\nFROM (${sql})`, { parameters });
  return Number(row?.n ?? 0);
}

const number = (value: string | null) => (value === null ? null : Number(value));
const when = (kind: string) => `toUnixTimestamp64Milli(minOrNullIf(at, kind = '${kind}'))`;

/** An acknowledgement stands beside the course of the alert: its time is a person's, not the data's. */
function statement({ tenants, range, states, where, beyond }: AlertSearch) {
  const conditions = [
    ...(range ? ['started < {to:Int64}', '(ended IS NULL OR ended >= {from:Int64})'] : []),
    ...(states ? ['has({states:Array(String)}, state)'] : []),
    ...(beyond ? ['(started, alert_id) < ({lastStarted:Int64}, {lastId:String})'] : []),
  ];
  const sql = `SELECT *
FROM (
  SELECT alert_id, any(alert) AS facts, toInt64(JSONExtractInt(any(alert), 'startedAt')) AS started,
    ${when('FIRED')} AS fired, ${when('RESOLVED')} AS resolved, ${when('LAPSED')} AS lapsed, ${when('ACKNOWLEDGED')} AS taken,
    argMinIf(actor, at, kind = 'ACKNOWLEDGED') AS taken_by, coalesce(resolved, lapsed) AS ended,
    multiIf(isNotNull(resolved), 'RESOLVED', isNotNull(lapsed), 'INACTIVE', isNotNull(taken), 'ACKNOWLEDGED', isNotNull(fired), 'FIRING', 'PENDING') AS state
  FROM alert_transitions
  WHERE (has({tenants:Array(String)}, '*') OR tenant IN {tenants:Array(String)})
    AND ${where.sql}
  GROUP BY tenant, alert_id
)
WHERE ${conditions.length === 0 ? '1' : conditions.join('\n  AND ')}`;
  const last = beyond ? { lastStarted: beyond.startedAt, lastId: beyond.id } : {};
  return { sql, parameters: { ...where.parameters, tenants, ...range, ...(states && { states }), ...last } };
}

async function lastSeen(clickhouse: ClickHouse, alerts: readonly AlertFacts[]): Promise<Map<string, number>> {
  if (alerts.length === 0) return new Map();
  const rows = await clickhouse.rows<{ alert_id: string; last: string }>(
    `SELECT alert_id, toUnixTimestamp64Milli(max(bucket)) AS last
FROM findings
WHERE tenant IN {tenants:Array(String)} AND alert_id IN {ids:Array(String)}
GROUP BY alert_id`,
    { parameters: { tenants: [...new Set(alerts.map(({ tenant }) => tenant))], ids: alerts.map(({ id }) => id) } },
  );
  return new Map(rows.map((row) => [row.alert_id, Number(row.last)]));
}
