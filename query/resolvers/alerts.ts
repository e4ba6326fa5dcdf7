/** Alerts and rules, as far as this process knows them. */
import { AuditError } from '../../core/errors.ts';
import type { AlertsView } from '../alerts-view.ts';
import type { Guard, ReadOptions } from '../guard.ts';

export function alertResolvers(options: ReadOptions, { guarded, rangeOf }: Guard) {
  const alerts = (): AlertsView => {
    if (options.alerts) return options.alerts;
    throw new AuditError('NOT_READY', 'This process does not know alerts');
  };
  return {
    Query: {
      alerts: guarded((args, { caller }) => {
        const range = rangeOf(args['range'] ?? { relative: 'P7D' });
        const query = { ...range, filter: args['filter'] ?? null, first: args['first'] ?? 50, after: args['after'] ?? null };
        return alerts().list(caller.tenants, query);
      }),
      alert: guarded(({ id }, { caller }) => alerts().find(caller.tenants, id)),
      alertRules: guarded(({ filter }) => alerts().rules(filter ?? null)),
    },
    Mutation: {
      acknowledgeAlert: guarded(
        async ({ id, note }, { caller }) => {
          const alert = await alerts().acknowledge(caller.tenants, id, { actor: caller.name, note: note ?? null });
          const userErrors = alert === null ? [{ field: ['id'], code: 'NOT_FOUND', message: 'There is no such alert' }] : [];
          return { alert, userErrors };
        },
        { roles: ['admin', 'analyst', 'operator'] },
      ),
    },
  };
}
