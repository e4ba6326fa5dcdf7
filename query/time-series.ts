/** The same aggregates per interval: empty intervals are there, and the points of a series add up to its total. */
import { AuditError } from '../core/errors.ts';
import type { Scope } from '../storage/scope.ts';
import { groupKey } from './dimensions.ts';
import { aggregates, dimensionsOf, nothing, ranked, values, type FigureQuery, type Row } from './figures.ts';
import { compileFilter } from './filter.ts';
import { intervals } from './intervals.ts';

export async function timeSeries(scope: Scope, query: FigureQuery & { interval?: string | null; timeZone: string; maxPoints: number }) {
  const filter = compileFilter(query.filter);
  const buckets = intervals(query);
  if (buckets.starts.length > query.maxPoints) {
    throw new AuditError(
      'BAD_USER_INPUT',
      `The range has ${buckets.starts.length} intervals, ${query.maxPoints} are allowed: ask for longer ones`,
    );
  }
  const top = query.groupBy.length === 0 ? [] : await ranked(scope, query, filter);
  const kept = query.groupBy.length === 0 ? ['[]'] : top.map((row) => String(row['m_key']));
  const key =
    query.groupBy.length === 0 ? "'[]'" : `if(has({kept:Array(String)}, ${groupKey(query.groupBy)}), ${groupKey(query.groupBy)}, '')`;
  const ask = (select: string, tail: string) =>
    scope.events<Row>({
      select: `${select}, ${aggregates(query.extras)}`,
      range: query.range,
      where: filter.sql,
      parameters: { ...filter.parameters, kept, starts: buckets.starts },
      tail,
    });
  const index = 'arrayFirstIndex(start -> start > toUnixTimestamp64Milli(timestamp), {starts:Array(Int64)})';
  const rows = await ask(
    `${key} AS m_key, toInt64(if(${index} = 0, toInt64(length({starts:Array(Int64)})), toInt64(${index}) - 1)) AS m_bucket`,
    'GROUP BY m_key, m_bucket',
  );
  const totals = new Map((await ask(`${key} AS m_key`, 'GROUP BY m_key')).map((row) => [String(row['m_key']), row]));
  const found = new Map(rows.map((row) => [`${row['m_bucket']} ${row['m_key']}`, row]));
  const series = (name: string) => ({
    dimensions: name === '' ? [] : dimensionsOf(query, name),
    total: values(totals.get(name) ?? nothing, query),
    points: buckets.starts.map((at, place) => {
      const end = buckets.starts[place + 1] ?? buckets.end;
      const span = { from: Math.max(at, query.range.from), to: Math.min(end, query.range.to) };
      return {
        at,
        isPartial: end > query.now,
        values: values(found.get(`${place + 1} ${name}`) ?? nothing, { ...query, range: span }),
        compared: null,
      };
    }),
  });
  return {
    interval: buckets.interval,
    series: kept.map(series),
    other: totals.has('') ? series('') : null,
    resolvedRange: query.range,
    comparedRange: null,
    redactedDimensions: [],
    source: 'EVENTS' as const,
  };
}
