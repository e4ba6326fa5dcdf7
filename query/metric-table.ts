/** Aggregates over events, one row per group; what the limit cuts off stands together in `other`. */
import type { Scope } from '../storage/scope.ts';
import { groupKey } from './dimensions.ts';
import { aggregates, dimensionsOf, ranked, values, whole, type FigureQuery, type Row } from './figures.ts';
import { compileFilter } from './filter.ts';

export async function metricTable(scope: Scope, query: FigureQuery) {
  const filter = compileFilter(query.filter);
  const key = groupKey(query.groupBy);
  const rows = await ranked(scope, query, filter);
  const total = await whole(scope, query, filter);
  const kept = rows.map((row) => String(row['m_key']));
  const rest =
    query.groupBy.length === 0
      ? []
      : await scope.events<Row>({
          select: `uniqExact(${key}) AS m_groups, ${aggregates(query.extras)}`,
          range: query.range,
          where: `${filter.sql} AND NOT has({kept:Array(String)}, ${key})`,
          parameters: { ...filter.parameters, kept },
        });
  const otherRows = Number(rest[0]?.['m_groups'] ?? 0);
  return {
    rows: rows.map((row) => ({ dimensions: dimensionsOf(query, String(row['m_key'])), values: values(row, query), compared: null })),
    otherRows,
    other: otherRows > 0 && rest[0] ? values(rest[0], query) : null,
    total: values(total, query),
    resolvedRange: query.range,
    comparedRange: null,
    redactedDimensions: [],
    source: 'EVENTS' as const,
  };
}
