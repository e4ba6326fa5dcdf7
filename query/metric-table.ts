/** Aggregates over events, one row per group; what the limit cuts off stands together in `other`. */
import type { Scope } from '../storage/scope.ts';
import { selectOf } from './columns.ts';
import { askGroups, columnsAt, dimensionsOf, firstGroups, isAsked, otherGroups, valuesOf, type FigureQuery } from './groups.ts';

export async function metricTable(scope: Scope, query: FigureQuery) {
  const isGrouped = query.groupBy.length > 0;
  const rows = await firstGroups(scope, query, columnsAt(query, 'rows.values', ...(isGrouped ? [] : ['total'])));
  const total = isGrouped ? columnsAt(query, 'total') : [];
  const [whole = rows[0] ?? {}] = total.length === 0 ? [] : await askGroups(scope, query, { select: selectOf(total) });
  const kept = rows.map((row) => String(row['m_key']));
  const other =
    isGrouped && isAsked(query, 'other', 'otherRows') ? await otherGroups(scope, query, kept, columnsAt(query, 'other')) : { m_groups: 0 };
  const values = (row: (typeof rows)[number]) => valuesOf(row, query.range, query.now);
  return {
    rows: rows.map((row) => ({ dimensions: dimensionsOf(query, String(row['m_key'])), values: values(row), compared: null })),
    otherRows: other.m_groups,
    other: other.m_groups > 0 ? values(other) : null,
    total: values(whole),
    resolvedRange: query.range,
    comparedRange: null,
    redactedDimensions: [],
    source: 'EVENTS' as const,
  };
}
