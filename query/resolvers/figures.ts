/** Metrics and series, with the figures that the operation asks for. */
import type { GraphQLResolveInfo } from 'graphql/index.js'; // the file that Node takes for 'graphql': a bundler takes another copy
import { AuditError } from '../../core/errors.ts';
import type { Dimension, QueryMetricsArgs } from '../../schemas/api.ts';
import { askedBelow } from '../asked.ts';
import { figures, type Values } from '../figures.ts';
import { freshnessOf } from '../freshness.ts';
import type { Guard, ReadLimits, ReadOptions } from '../guard.ts';
import type { FigureQuery } from '../groups.ts';
import { metricTable } from '../metric-table.ts';
import { latencies, quantileFigures, type Spread } from '../quantiles.ts';
import type { Resolvers } from '../resolver-types.ts';
import { timeSeries } from '../time-series.ts';

export function figureResolvers(options: ReadOptions, { guarded, scopeOf, rangeOf }: Guard) {
  const { clock, limits } = options;
  const queryOf = (args: QueryMetricsArgs, info: GraphQLResolveInfo, limit: number): FigureQuery => ({
    range: rangeOf(args.range),
    filter: args.filter ?? null,
    groupBy: few(args.groupBy ?? []),
    orderBy: args.orderBy ?? null,
    limit: groupLimit(limit, limits),
    asked: askedBelow(info),
    now: clock.now(),
  });
  return {
    Query: {
      metrics: guarded(
        async (args, context, info) => ({
          ...(await metricTable(scopeOf(context), queryOf(args, info, args.limit ?? 100))),
          freshness: () => freshnessOf(options),
        }),
        { rows: ({ rows }) => rows.length },
      ),
      timeSeries: guarded(
        async (args, context, info) => {
          const time = { interval: args.interval ?? null, timeZone: args.timeZone ?? 'UTC', maxPoints: limits.maxPoints };
          const series = await timeSeries(scopeOf(context), { ...queryOf(args, info, args.limit ?? 10), ...time });
          return { ...series, freshness: () => freshnessOf(options) };
        },
        { rows: ({ series }) => series.length },
      ),
    },
    MetricValues: {
      ...valuesOf(figures),
      latency: ({ row }: Values): Spread => ({ row, latency: latencies.latency }),
      upstreamLatency: ({ row }: Values): Spread => ({ row, latency: latencies.upstreamLatency }),
      gatewayLatency: ({ row }: Values): Spread => ({ row, latency: latencies.gatewayLatency }),
    },
    Quantiles: valuesOf(quantileFigures),
  } satisfies Resolvers;
}

function valuesOf<Table extends Readonly<Record<string, { readonly value: unknown }>>>(table: Table) {
  const entries = Object.entries(table).map(([name, { value }]) => [name, value]);
  return Object.fromEntries(entries) as { readonly [Name in keyof Table]: Table[Name]['value'] }; // the same names
}

const maxDimensions = 32;

/** As many as there are, so that each may be asked for: facets need a statement for each. @throws BAD_USER_INPUT */
export function few(dimensions: readonly Dimension[]): readonly Dimension[] {
  if (dimensions.length <= maxDimensions) return dimensions;
  throw new AuditError('BAD_USER_INPUT', `At most ${maxDimensions} dimensions, got ${dimensions.length}`);
}

/** @throws BAD_USER_INPUT beyond limits.maxGroups */
export function groupLimit(limit: number, { maxGroups }: ReadLimits): number {
  if (limit >= 1 && limit <= maxGroups) return limit;
  throw new AuditError('BAD_USER_INPUT', `limit is 1 to ${maxGroups}, got ${limit}`);
}
