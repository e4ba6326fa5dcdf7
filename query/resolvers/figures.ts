/** Metrics and series, with the figures that the operation asks for. */
import { getArgumentValues, TypeInfo, visit, visitWithTypeInfo, type FieldNode, type GraphQLResolveInfo } from 'graphql/index.js'; // the file that Node takes for 'graphql': a bundler takes another copy
import { AuditError } from '../../core/errors.ts';
import type { QueryMetricsArgs } from '../../schemas/api.ts';
import type { Extras, FigureQuery } from '../figures.ts';
import { freshnessOf } from '../freshness.ts';
import type { Guard, ReadLimits, ReadOptions } from '../guard.ts';
import type { Resolvers } from '../resolver-types.ts';
import { metricTable } from '../metric-table.ts';
import { timeSeries } from '../time-series.ts';

export function figureResolvers(options: ReadOptions, { guarded, scopeOf, rangeOf }: Guard) {
  const { clock, limits } = options;
  const figures = (args: QueryMetricsArgs, info: GraphQLResolveInfo, limit: number): FigureQuery => ({
    range: rangeOf(args.range),
    filter: args.filter ?? null,
    groupBy: args.groupBy ?? [],
    orderBy: args.orderBy ?? null,
    limit: groupLimit(limit, limits),
    extras: extrasOf(info),
    now: clock.now(),
  });
  return {
    Query: {
      metrics: guarded(
        async (args, context, info) => ({
          ...(await metricTable(scopeOf(context), figures(args, info, args.limit ?? 100))),
          freshness: () => freshnessOf(options),
        }),
        { rows: ({ rows }) => rows.length },
      ),
      timeSeries: guarded(
        async (args, context, info) => {
          const time = { interval: args.interval ?? null, timeZone: args.timeZone ?? 'UTC', maxPoints: limits.maxPoints };
          const series = await timeSeries(scopeOf(context), { ...figures(args, info, args.limit ?? 10), ...time });
          return { ...series, freshness: () => freshnessOf(options) };
        },
        { rows: ({ series }) => series.length },
      ),
    },
  } satisfies Resolvers;
}

/** @throws BAD_USER_INPUT beyond limits.maxGroups */
export function groupLimit(limit: number, { maxGroups }: ReadLimits): number {
  if (limit >= 1 && limit <= maxGroups) return limit;
  throw new AuditError('BAD_USER_INPUT', `limit is 1 to ${maxGroups}, got ${limit}`);
}

/** Values that `within`, `distinct` and `quantile` are asked for anywhere in the operation: they become columns of one statement. */
function extrasOf(info: GraphQLResolveInfo): Extras {
  const found = { within: new Set<number>(), distinct: new Set<string>(), levels: new Set<number>() };
  const types = new TypeInfo(info.schema);
  const collect = (node: FieldNode) => {
    const field = types.getFieldDef();
    if (!field || !['within', 'distinct', 'quantile'].includes(node.name.value)) return;
    const args = getArgumentValues(field, node, info.variableValues);
    if (node.name.value === 'within') found.within.add(Number(args['ms']));
    if (node.name.value === 'distinct') found.distinct.add(String(args['of']));
    if (node.name.value === 'quantile') found.levels.add(level(Number(args['level'])));
  };
  const visitor = visitWithTypeInfo(types, { Field: collect });
  for (const part of [info.operation, ...Object.values(info.fragments)]) visit(part, visitor);
  return { within: [...found.within], distinct: [...found.distinct], levels: [...found.levels] };
}

function level(value: number): number {
  if (value >= 0 && value <= 1) return value;
  throw new AuditError('BAD_USER_INPUT', `level is between 0 and 1, got ${value}`);
}
