/** Alerts for the API: pages, single ones, the rules behind them and how these are doing. The evaluator is another process. */
import type { PurposeKey } from '../core/keys.ts';
import type { Clock } from '../core/clock.ts';
import type { TransitionRow, OutboxRow } from '../schemas/alert.ts';
import type { AlertConnectionTotalCountArgs, AlertFilter, RuleFilter } from '../schemas/api.ts';
import type { RuleDocument } from '../schemas/rule.ts';
import { acknowledgeAlert, selectionOf } from '../storage/alert-changes.ts';
import { countAlerts, searchAlerts, type AlertRecord } from '../storage/alert-search.ts';
import { openAlertStore } from '../storage/alerts.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import type { Range } from '../storage/scope.ts';
import { compileAlertFilter } from './alert-filter.ts';
import { healthOf, ruleBehind, viewRule } from './alert-rules.ts';
import { lastFired, silentTenants } from './rule-signs.ts';
import { countUpTo } from './count.ts';
import { questionOf, readCursor, writeCursor } from './cursor.ts';
import type { EventView } from './event-view.ts';

export interface AlertsOptions {
  readonly clickhouse: ClickHouse;
  readonly rules: readonly RuleDocument[];
  readonly cursorKeys: readonly [PurposeKey, ...PurposeKey[]];
  readonly clock: Clock;
}

export interface AlertPage {
  readonly range: Range;
  /** The range as it was asked for: a cursor belongs to it. */
  readonly input: unknown;
  readonly filter: AlertFilter | null;
  readonly first: number;
  readonly after: string | null;
}

/** Steps in which rules judge: an alert counts events to the end of the last one in which its condition held. */
const stepMs = 5_000;

export function createAlertsView({ clickhouse, rules, cursorKeys, clock }: AlertsOptions) {
  const store = openAlertStore(clickhouse);

  async function find(tenants: readonly string[], id: string): Promise<AlertRecord | null> {
    const where = { sql: 'alert_id = {id:String}', parameters: { id } };
    return (await searchAlerts(clickhouse, { tenants, where, limit: 1 }))[0] ?? null;
  }

  return {
    find,
    async list(tenants: readonly string[], { input, filter, first, after, ...page }: AlertPage) {
      const question = questionOf(['alerts', tenants, input, filter]);
      const cursor = after === null ? null : readCursor(cursorKeys, question, after);
      const range = cursor?.range ?? page.range;
      const search = { tenants, range, states: filter?.states ?? null, where: compileAlertFilter(filter) };
      const beyond = cursor && { startedAt: Number(cursor.key[0]), id: String(cursor.key[1]) };
      const found = await searchAlerts(clickhouse, { ...search, limit: first + 1, beyond });
      const edges = found.slice(0, first).map((node) => ({
        node,
        cursor: writeCursor(cursorKeys[0], question, { key: [node.startedAt, node.id], range, bound: null }),
      }));
      return {
        edges,
        nodes: edges.map(({ node }) => node),
        pageInfo: {
          hasNextPage: found.length > first,
          hasPreviousPage: cursor !== null, // what the cursor names stands before this page
          startCursor: edges[0]?.cursor ?? null,
          endCursor: edges.at(-1)?.cursor ?? null,
        },
        totalCount: async (args: AlertConnectionTotalCountArgs) => countUpTo(await countAlerts(clickhouse, search), args),
      };
    },
    async rules(tenants: readonly string[], filter: RuleFilter | null) {
      const cursors = new Map((await store.cursors()).map((cursor) => [cursor.ruleId, cursor]));
      const silent = await silentTenants(clickhouse, tenants, clock.now());
      const fired = await lastFired(clickhouse, tenants);
      const health = (rule: RuleDocument) => healthOf(cursors.get(rule.id), silent, clock.now());
      const { kinds, enabled, states, search } = filter ?? {};
      const phrase = search?.toLowerCase() ?? '';
      return rules
        .filter((rule) => !kinds || kinds.includes(rule.kind))
        .filter(() => enabled !== false)
        .filter((rule) => !states || states.includes(health(rule).state))
        .filter((rule) => [rule.id, rule.title, rule.description, ...rule.tags].some((text) => text.toLowerCase().includes(phrase)))
        .map((rule) => ({ ...viewRule(rule), lastFiredAt: fired.get(rule.id) ?? null, health: health(rule) }));
    },
    async ruleOf(tenants: readonly string[], alert: AlertRecord) {
      const cursor = (await store.cursors()).find(({ ruleId }) => ruleId === alert.ruleId);
      const fired = await lastFired(clickhouse, tenants);
      const health = async () => healthOf(cursor, await silentTenants(clickhouse, tenants, clock.now()), clock.now());
      return { ...ruleBehind(alert, rules), lastFiredAt: fired.get(alert.ruleId) ?? null, health };
    },
    timeline: async (alert: AlertRecord, first: number) =>
      (await store.transitions([alert.tenant], alert.id))
        .toSorted((a, b) => a.at - b.at)
        .slice(0, first)
        .map(viewTransition),
    notifications: async (alert: AlertRecord, first: number) =>
      (await store.notifications([alert.tenant], alert.id)).slice(0, first).map((row) => ({ ...viewNotification(row), alert })),
    /** Null where there is no such alert for these tenants. */
    async acknowledge(tenants: readonly string[], id: string, by: { actor: string; note: string | null }) {
      if (!(await find(tenants, id))) return null;
      await acknowledgeAlert(store, id, { tenants, actor: by.actor, note: by.note ?? '', at: clock.now() });
      return find(tenants, id);
    },
    /** Alerts whose events the event is one of, newest first. */
    async behind(event: EventView, first: number): Promise<AlertRecord[]> {
      const { client, principal } = event;
      const names = [principal.consumerName, principal.consumerId].filter((name) => name !== null);
      const sql = `((JSONExtractString(alert, 'subject', 'name') = 'consumer' AND has({names:Array(String)}, JSONExtractString(alert, 'subject', 'value')))
    OR (JSONExtractString(alert, 'subject', 'name') = 'clientAddress' AND JSONExtractString(alert, 'subject', 'value') = {address:String}))
    AND JSONExtractInt(alert, 'eventsFrom') <= {at:Int64}`;
      const parameters = { names, address: client.address ?? '', at: event.timestamp };
      const found = await searchAlerts(clickhouse, { tenants: [event.tenant], where: { sql, parameters }, limit: 1_000 });
      return found.filter((alert) => event.timestamp < eventRange(alert).to && counts(alert, event)).slice(0, first);
    },
  };
}

export const eventRange = (alert: AlertRecord): Range => ({ from: alert.eventsFrom, to: alert.lastSeenAt + stepMs });

function counts(alert: AlertRecord, { request, response }: EventView): boolean {
  const { status, method } = selectionOf(alert);
  return (!status || status.in.includes(response.status ?? 0)) && (!method || method.in.includes(request.method ?? ''));
}

const orNull = (text: string) => (text === '' ? null : text);

function viewTransition({ at, kind, from, to, reason, actor, note }: TransitionRow) {
  return { at, kind, from: kind === 'OPENED' ? null : from, to, reason, actor: orNull(actor), note: orNull(note) };
}

function viewNotification(row: OutboxRow) {
  const waits = row.status === 'QUEUED' || row.status === 'RETRYING';
  return {
    ...row,
    recipient: orNull(row.recipient),
    nextAttemptAt: waits ? row.dueAt : null,
    messageId: orNull(row.messageId),
    lastError: orNull(row.lastError),
    reason: orNull(row.reason),
    silence: null,
  };
}
