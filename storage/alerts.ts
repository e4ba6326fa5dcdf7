/** The tables of alerts, read and written through here alone. Each write may be repeated: ids come from data. */
import type { AlertFacts, AlertState, CursorRow, FindingRow, OutboxRow, TransitionRow } from '../schemas/alert.ts';
import type { ClickHouse } from './clickhouse.ts';

/** An alert as it is now. */
export interface AlertView extends AlertFacts {
  readonly state: AlertState;
  readonly firedAt: number | null;
  readonly resolvedAt: number | null;
  readonly lastSeenAt: number;
  readonly acknowledgedBy: string;
  readonly acknowledgedAt: number | null;
}
export interface AlertQuery {
  readonly tenants: readonly string[];
  readonly ids?: readonly string[];
  readonly states?: readonly AlertState[];
  readonly limit: number;
}
export interface AlertStore {
  list(query: AlertQuery): Promise<AlertView[]>;
  one(tenants: readonly string[], id: string): Promise<AlertView | null>;
  transitions(tenants: readonly string[], alertId: string): Promise<TransitionRow[]>;
  notifications(tenants: readonly string[], alertId: string): Promise<OutboxRow[]>;
  cursors(): Promise<CursorRow[]>;
  /** Rows that are not sent, failed or spoken for. */
  open(): Promise<OutboxRow[]>;
  lastQueued(): Promise<Map<string, number>>;
  /** Alerts that somebody was told of by `before`, that are not over and that nobody took. Times are the clock's, milliseconds. */
  firing(before: number): Promise<{ readonly alert: AlertFacts; readonly toldAt: number }[]>;
  addFindings(rows: readonly FindingRow[]): Promise<void>;
  addTransitions(rows: readonly TransitionRow[]): Promise<void>;
  putOutbox(rows: readonly OutboxRow[]): Promise<void>;
  saveCursor(row: CursorRow): Promise<void>;
}

/** `*` stands for all tenants. */
const ofTenants = "(has({tenants:Array(String)}, '*') OR tenant IN {tenants:Array(String)})";
const time = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
const ms = (column: string) => `toUnixTimestamp64Milli(${column})`;

export function openAlertStore(clickhouse: ClickHouse): AlertStore {
  const put = async (table: string, rows: readonly object[]) => {
    if (rows.length > 0) await clickhouse.insertRows(table, rows);
  };
  async function transitionsOf(condition: string, parameters: object): Promise<TransitionRow[]> {
    const rows = await clickhouse.rows<
      Omit<TransitionRow, 'at' | 'from' | 'to' | 'alert'> & { ms: string; from_state: AlertState; to_state: AlertState; alert: string }
    >(
      `SELECT id, ${ms('at')} AS ms, kind, from_state, to_state, reason, actor, note, alert
FROM alert_transitions FINAL
WHERE ${condition}
ORDER BY alert_id, at, kind, id`,
      { parameters: { ...parameters } },
    );
    return rows.map(({ ms: at, from_state, to_state, alert, ...row }) => ({
      ...row,
      at: Number(at),
      from: from_state,
      to: to_state,
      alert: JSON.parse(alert) as AlertFacts,
    })); // written by addTransitions alone
  }
  async function outboxOf(condition: string, parameters: object = {}): Promise<OutboxRow[]> {
    const rows = await clickhouse.rows<Record<string, string | number | null>>(
      `SELECT id, transition_id AS transitionId, alert_id AS alertId, tenant, rule_id AS ruleId, kind, channel, recipient, status,
  ${ms('queued_at')} AS queuedAt, ${ms('due_at')} AS dueAt, ${ms('sent_at')} AS sentAt, attempts, message_id AS messageId,
  last_error AS lastError, reason, lead, version
FROM outbox FINAL
WHERE ${condition}
ORDER BY queued_at, id`,
      { parameters: { ...parameters } },
    );
    return rows.map(
      (row) =>
        ({
          ...row,
          queuedAt: Number(row['queuedAt']),
          dueAt: Number(row['dueAt']),
          sentAt: row['sentAt'] === null ? null : Number(row['sentAt']),
          version: Number(row['version']),
        }) as OutboxRow, // the columns are named as the fields, and written by putOutbox alone
    );
  }

  const store: AlertStore = {
    async list({ tenants, ids, states, limit }) {
      const rows = await transitionsOf(`${ofTenants}${ids ? ' AND alert_id IN {ids:Array(String)}' : ''}`, {
        tenants,
        ids,
      });
      const seen = await clickhouse.rows<{ alert_id: string; last: string }>(
        `SELECT alert_id, ${ms('max(bucket)')} AS last FROM findings WHERE ${ofTenants} GROUP BY alert_id`,
        { parameters: { tenants } },
      );
      const last = new Map(seen.map((row) => [row.alert_id, Number(row.last)]));
      const byAlert = group(rows);
      return [...byAlert.values()]
        .map((each) => view(each, last))
        .filter((alert) => states === undefined || states.includes(alert.state))
        .toSorted((a, b) => b.startedAt - a.startedAt || (a.id < b.id ? 1 : -1))
        .slice(0, limit);
    },
    one: async (tenants, id) => (await store.list({ tenants, ids: [id], limit: 1 }))[0] ?? null,
    transitions: (tenants, alertId) => transitionsOf(`${ofTenants} AND alert_id = {alertId:String}`, { tenants, alertId }),
    notifications: (tenants, alertId) => outboxOf(`${ofTenants} AND alert_id = {alertId:String}`, { tenants, alertId }),
    async cursors() {
      const rows = await clickhouse.rows<Record<string, string | number>>(
        `SELECT rule_id AS ruleId, rule_version AS ruleVersion, ${ms('evaluated_to')} AS evaluatedTo, mark, memory, state, detail,
  duration_ms AS durationMs, ${ms('saved_at')} AS savedAt, version
FROM rule_cursors FINAL
ORDER BY rule_id`,
      );
      return rows.map(
        (row) =>
          ({
            ...row,
            evaluatedTo: Number(row['evaluatedTo']),
            savedAt: Number(row['savedAt']),
            version: Number(row['version']),
          }) as CursorRow,
      ); // the columns are named as the fields
    },
    open: () => outboxOf("status IN ('QUEUED', 'RETRYING')"),
    async lastQueued() {
      const rows = await clickhouse.rows<{ tenant: string; rule_id: string; last: string }>(
        `SELECT tenant, rule_id, ${ms('max(queued_at)')} AS last FROM outbox GROUP BY tenant, rule_id`,
      );
      return new Map(rows.map((row) => [`${row.tenant}\n${row.rule_id}`, Number(row.last)]));
    },
    async firing(before) {
      // A first mail that no server ever took counts from when it was queued: the repeat may get through. One that still
      // waits is news itself.
      const rows = await clickhouse.rows<{ facts: string; told_ms: string }>(
        `SELECT any(alert) AS facts, any(told) AS told_ms
FROM alert_transitions
INNER JOIN (
  SELECT alert_id, toUnixTimestamp64Milli(coalesce(min(sent_at), min(queued_at))) AS told
  FROM outbox FINAL
  WHERE kind = 'FIRING' AND status NOT IN ('QUEUED', 'RETRYING')
  GROUP BY alert_id
  HAVING told <= {before:Int64}
) AS first_mails USING (alert_id)
GROUP BY alert_id
HAVING countIf(kind = 'FIRED') > 0 AND countIf(kind IN ('RESOLVED', 'ACKNOWLEDGED')) = 0`,
        { parameters: { before } },
      );
      return rows.map((row) => ({ alert: JSON.parse(row.facts) as AlertFacts, toldAt: Number(row.told_ms) })); // written by addTransitions alone
    },
    addFindings: (rows) =>
      put(
        'findings',
        rows.map((row) => ({
          id: row.id,
          alert_id: row.alertId,
          fingerprint: row.fingerprint,
          tenant: row.tenant,
          rule_id: row.ruleId,
          rule_version: row.ruleVersion,
          group_value: row.group,
          bucket: time(row.bucket),
          first_event: time(row.firstEvent),
          value: row.value,
          threshold: row.threshold,
          events: row.events,
          late: row.late ? 1 : 0,
        })),
      ),
    addTransitions: (rows) =>
      put(
        'alert_transitions',
        rows.map(({ alert, from, to, at, ...row }) => ({
          ...row,
          at: time(at),
          from_state: from,
          to_state: to,
          alert_id: alert.id,
          fingerprint: alert.fingerprint,
          tenant: alert.tenant,
          rule_id: alert.ruleId,
          rule_version: alert.ruleVersion,
          alert: JSON.stringify(alert),
        })),
      ),
    putOutbox: (rows) =>
      put(
        'outbox',
        rows.map((row) => ({
          id: row.id,
          transition_id: row.transitionId,
          alert_id: row.alertId,
          tenant: row.tenant,
          rule_id: row.ruleId,
          kind: row.kind,
          channel: row.channel,
          recipient: row.recipient,
          status: row.status,
          queued_at: time(row.queuedAt),
          due_at: time(row.dueAt),
          sent_at: time(row.sentAt),
          attempts: row.attempts,
          message_id: row.messageId,
          last_error: row.lastError,
          reason: row.reason,
          lead: row.lead,
          version: row.version,
        })),
      ),
    saveCursor: (row) =>
      put('rule_cursors', [
        {
          rule_id: row.ruleId,
          rule_version: row.ruleVersion,
          evaluated_to: time(row.evaluatedTo),
          mark: row.mark,
          memory: row.memory,
          state: row.state,
          detail: row.detail,
          duration_ms: row.durationMs,
          saved_at: time(row.savedAt),
          version: row.version,
        },
      ]),
  };
  return store;
}

function group(rows: readonly TransitionRow[]): Map<string, TransitionRow[]> {
  const groups = new Map<string, TransitionRow[]>();
  for (const row of rows) groups.set(row.alert.id, [...(groups.get(row.alert.id) ?? []), row]);
  return groups;
}

/** An acknowledgement stands beside the course of the alert: its time is a person's, not the data's. */
function view(rows: readonly TransitionRow[], last: ReadonlyMap<string, number>): AlertView {
  const of = (kind: TransitionRow['kind']) => rows.find((row) => row.kind === kind);
  const [first] = rows;
  if (!first) throw new Error('an alert has at least one transition');
  const [resolved, acknowledged, fired, lapsed] = [of('RESOLVED'), of('ACKNOWLEDGED'), of('FIRED'), of('LAPSED')];
  const state = resolved ? 'RESOLVED' : lapsed ? 'INACTIVE' : acknowledged ? 'ACKNOWLEDGED' : fired ? 'FIRING' : 'PENDING';
  return {
    ...first.alert,
    state,
    firedAt: fired?.at ?? null,
    resolvedAt: resolved?.at ?? null,
    lastSeenAt: last.get(first.alert.id) ?? first.alert.startedAt,
    acknowledgedBy: acknowledged?.actor ?? '',
    acknowledgedAt: acknowledged?.at ?? null,
  };
}
