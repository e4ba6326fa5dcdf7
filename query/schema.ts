/** All resolvers, one file per part of the schema. Values of a type stand in its object: most types need no resolver. */
import { createGuard, type ReadOptions } from './guard.ts';
import type { MutationResolvers, QueryResolvers, Resolvers } from './resolver-types.ts';
import { alertResolvers } from './resolvers/alerts.ts';
import { callerResolvers } from './resolvers/caller.ts';
import { eventResolvers } from './resolvers/events.ts';
import { figureResolvers } from './resolvers/figures.ts';
import { keyResolvers } from './resolvers/keys.ts';
import { stateResolvers } from './resolvers/state.ts';

/** Every query and mutation has its resolver here. */
export function createResolvers(
  options: ReadOptions,
): Resolvers & { Query: Required<QueryResolvers>; Mutation: Required<MutationResolvers> } {
  const guard = createGuard(options);
  const [events, figures, alerts] = [eventResolvers(options, guard), figureResolvers(options, guard), alertResolvers(options, guard)];
  const [state, caller, keys] = [stateResolvers(options, guard), callerResolvers(options, guard), keyResolvers(options, guard)];
  return {
    Query: { ...events.Query, ...figures.Query, ...alerts.Query, ...state.Query, ...caller.Query },
    Mutation: { ...alerts.Mutation, ...state.Mutation, ...keys.Mutation },
    MetricValues: figures.MetricValues,
    Quantiles: figures.Quantiles,
    Alert: alerts.Alert,
    AuditEvent: alerts.AuditEvent,
    CatalogueConsumer: state.CatalogueConsumer,
  };
}
