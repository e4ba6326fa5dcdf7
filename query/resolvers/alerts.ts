/** Alerts, what stands behind them, and their rules. */
import { eventFilter } from '../../storage/alert-changes.ts';
import type { AlertRecord } from '../../storage/alert-search.ts';
import { createAlertsView, eventRange } from '../alerts.ts';
import { eventColumns, orderKey, type EventRow } from '../audit-trail.ts';
import { viewEvent } from '../event-view.ts';
import { compileFilter } from '../filter.ts';
import type { Guard, ReadContext, ReadOptions } from '../guard.ts';
import type { Resolvers } from '../resolver-types.ts';

export function alertResolvers(options: ReadOptions, { guarded, nested, scopeOf, rangeOf, pageSize }: Guard) {
  const alerts = createAlertsView({ ...options, rules: options.rules ?? [] });

  function eventsOf(alert: AlertRecord, context: ReadContext, question: { select: string; tail?: string }) {
    const { sql, parameters } = compileFilter({ ...eventFilter(alert), tenant: { eq: alert.tenant } });
    return scopeOf(context).events<EventRow>({ ...question, range: eventRange(alert), where: sql, parameters });
  }

  return {
    Query: {
      alerts: guarded(
        (args, { caller }) => {
          const input = args.range ?? { relative: 'P7D' };
          const page = {
            range: rangeOf(input),
            input,
            filter: args.filter ?? null,
            first: pageSize(args.first),
            after: args.after ?? null,
          };
          return alerts.list(caller.tenants, page);
        },
        { rows: ({ edges }) => edges.length },
      ),
      alert: guarded(({ id }, { caller }) => alerts.find(caller.tenants, id)),
      alertRules: guarded(({ filter }, { caller }) => alerts.rules(caller.tenants, filter ?? null), { rows: ({ length }) => length }),
    },
    Mutation: {
      acknowledgeAlert: guarded(
        async ({ id, note }, { caller }) => {
          const alert = await alerts.acknowledge(caller.tenants, id, { actor: caller.name, note: note ?? null });
          const userErrors = alert === null ? [{ field: ['id'], code: 'NOT_FOUND', message: 'There is no such alert' }] : [];
          return { alert, userErrors };
        },
        { roles: ['admin', 'analyst', 'operator'] },
      ),
    },
    Alert: {
      rule: nested((alert, _, { caller }) => alerts.ruleOf(caller.tenants, alert)),
      subject: ({ subject }) => [subject],
      eventCount: nested(async (alert, _, context) => Number((await eventsOf(alert, context, { select: 'count() AS n' }))[0]?.['n'] ?? 0)),
      evidence: nested(
        guarded(
          async (args, context, _, alert) => {
            const tail = `ORDER BY ${orderKey.join(', ')}\nLIMIT ${pageSize(args.first)}`;
            return (await eventsOf(alert, context, { select: eventColumns, tail })).map(viewEvent);
          },
          { rows: ({ length }) => length, target: ({ id }) => id },
        ),
      ),
      eventFilter,
      eventRange,
      timeline: nested((alert, args) => alerts.timeline(alert, pageSize(args.first))),
      notifications: nested(
        guarded((args, _, __, alert) => alerts.notifications(alert, pageSize(args.first)), {
          roles: ['admin', 'analyst', 'operator'],
          rows: ({ length }) => length,
          target: ({ id }) => id,
        }),
      ),
      acknowledgedBy: ({ acknowledgedBy }) => (acknowledgedBy === '' ? null : acknowledgedBy),
    },
    AuditEvent: { alerts: nested((event, args) => alerts.behind(event, pageSize(args.first))) },
  } satisfies Resolvers;
}
