/** Metrics and series, with the figures that the operation asks for. */
import type { GraphQLResolveInfo } from 'graphql/index.js'; // the file that Node takes for 'graphql': a bundler takes another copy
import { AuditError } from '../../core/errors.ts';
import { askedBelow, type Asked } from '../asked.ts';
import type { Row } from '../columns.ts';
import { figures, type Values } from '../figures.ts';
import { freshnessOf } from '../freshness.ts';
import type { Arguments, Guard, ReadLimits, ReadOptions } from '../guard.ts';
import type { FigureQuery } from '../groups.ts';
import { metricTable } from '../metric-table.ts';
import { latencies, quantileFigures } from '../quantiles.ts';
import { timeSeries } from '../time-series.ts';

export function figureResolvers(options: ReadOptions, { guarded, scopeOf, rangeOf }: Guard) {
  const { clock, limits } = options;
  const queryOf = (args: Arguments, info: GraphQLResolveInfo, limit: number): FigureQuery => ({
    range: rangeOf(args['range']),
    filter: args['filter'],
    groupBy: args['groupBy'] ?? [],
    orderBy: args['orderBy'],
    limit: groupLimit(limit, limits),
    asked: askedBelow(info),
    now: clock.now(),
  });
  return {
    Query: {
      metrics: guarded(
        async (args, context, info) => ({
          ...(await metricTable(scopeOf(context), queryOf(args, info, args['limit'] ?? 100))),
          freshness: () => freshnessOf(options),
        }),
        { rows: ({ rows }) => rows.length },
      ),
      timeSeries: guarded(
        async (args, context, info) => {
          const time = { interval: args['interval'], timeZone: args['timeZone'] ?? 'UTC', maxPoints: limits.maxPoints };
          const series = await timeSeries(scopeOf(context), { ...queryOf(args, info, args['limit'] ?? 10), ...time });
          return { ...series, freshness: () => freshnessOf(options) };
        },
        { rows: ({ series }) => series.length },
      ),
    },
    MetricValues: { ...eachOf(figures, ({ value }) => value), ...eachOf(latencies, (latency) => ({ row }: Values) => ({ row, latency })) },
    Quantiles: eachOf(
      quantileFigures,
      ({ column, read }) =>
        ({ row, latency }: Spread, args: Asked['args']) =>
          read(row, column(latency, args)),
    ),
  };
}

/** Parent of the fields of Quantiles. */
interface Spread {
  readonly row: Row;
  readonly latency: string;
}

function eachOf<From, To>(table: Readonly<Record<string, From>>, change: (entry: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(table).map(([name, entry]) => [name, change(entry)]));
}

/** @throws BAD_USER_INPUT beyond limits.maxGroups */
export function groupLimit(limit: number, { maxGroups }: ReadLimits): number {
  if (limit >= 1 && limit <= maxGroups) return limit;
  throw new AuditError('BAD_USER_INPUT', `limit is 1 to ${maxGroups}, got ${limit}`);
}
