/** Counts of the values of single dimensions. */
import type { Dimension } from '../schemas/api.ts';
import type { Scope } from '../storage/scope.ts';
import { dimensionExpression } from './dimensions.ts';
import type { FigureQuery } from './groups.ts';
import { compileFilter } from './filter.ts';
import { columns } from './figures.ts';
import { countedFor } from './source.ts';

export async function facets(scope: Scope, query: Pick<FigureQuery, 'range' | 'filter' | 'limit'> & { dimensions: readonly Dimension[] }) {
  const filter = compileFilter(query.filter, scope.credentialKeys);
  return Promise.all(
    query.dimensions.map(async (dimension) => {
      const counted = await countedFor(scope, { ...query, groupBy: [dimension], columns: [columns.requests] });
      const requests = counted ? columns.requests.counted?.sql : columns.requests.sql;
      const rows = await scope.events<{ m_value: string | null; m_count: string; m_all: string }>({
        select: `${dimensionExpression(dimension)} AS m_value, ${requests} AS m_count, sum(m_count) OVER () AS m_all`,
        range: query.range,
        where: filter.sql,
        parameters: filter.parameters,
        counted,
        tail: `GROUP BY m_value\nORDER BY m_count DESC, m_value ASC\nLIMIT ${query.limit}`,
      });
      const shown = rows.map((row) => ({ value: row.m_value, count: Number(row.m_count) }));
      const otherCount = Number(rows[0]?.m_all ?? 0) - shown.reduce((sum, { count }) => sum + count, 0);
      return { dimension, values: shown, otherCount, redacted: false };
    }),
  );
}
