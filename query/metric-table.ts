/** Aggregates over events, one row per group; what the limit cuts off stands together in `other`. */
import type { Scope } from '../storage/scope.ts';
import { askGroups, columnsAt, columnsOf, dimensionsOf, firstGroups, isAsked, otherGroups, valuesOf, type FigureQuery } from './groups.ts';
import { orderBy } from './orders.ts';
import { countedFor } from './source.ts';

export async function metricTable(scope: Scope, asked: FigureQuery) {
  const columns = [...columnsAt(asked, 'rows.values', 'total', 'other'), ...orderBy(asked.orderBy?.by ?? 'REQUESTS').columns];
  const query = { ...asked, counted: await countedFor(scope, { ...asked, columns }) };
  const isGrouped = query.groupBy.length > 0;
  const rows = await firstGroups(scope, query, columnsAt(query, 'rows.values', ...(isGrouped ? [] : ['total'])));
  const total = isGrouped ? columnsAt(query, 'total') : [];
  const [whole = rows[0] ?? {}] = total.length === 0 ? [] : await askGroups(scope, query, { select: columnsOf(query, total) });
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
    source: query.counted?.source ?? ('EVENTS' as const),
  };
}
