/** The same aggregates per interval: empty intervals are there, and the points of a series add up to its total. */
import type { Scope } from '../storage/scope.ts';
import type { Row } from './columns.ts';
import { groupKey } from './dimensions.ts';
import {
  askGroups,
  columnsAt,
  columnsOf,
  dimensionsOf,
  firstGroups,
  isAsked,
  otherGroups,
  valuesOf,
  wholeKey,
  type FigureQuery,
} from './groups.ts';
import { orderBy } from './orders.ts';
import { countedFor } from './source.ts';
import { intervalOf, intervals, type Intervals } from './intervals.ts';

export interface SeriesQuery extends FigureQuery {
  readonly interval?: string | null;
  readonly timeZone: string;
  readonly maxPoints: number;
}

/** Key of the points of all groups but the first: no group has it. */
const otherKey = '';

export async function timeSeries(scope: Scope, asked: SeriesQuery) {
  const buckets = intervals(asked);
  const query = { ...asked, counted: await countedFor(scope, { ...asked, columns: columnsIn(asked), starts: buckets.starts }) };
  const totals = await seriesTotals(scope, query);
  const kept = totals.map((row) => String(row['m_key']));
  const isOtherAsked = query.groupBy.length > 0 && isAsked(query, 'other');
  const other = isOtherAsked ? await otherGroups(scope, query, kept, columnsAt(query, 'other.total')) : { m_groups: 0 };
  const found = await pointRows(scope, query, { kept, buckets });
  const series = (key: string, total: Row) => ({
    dimensions: key === otherKey ? [] : dimensionsOf(query, key),
    total: valuesOf(total, query.range, query.now),
    points: pointsOf(query, buckets, found.get(key)),
  });
  return {
    interval: buckets.interval,
    series: totals.map((row) => series(String(row['m_key']), row)),
    other: other.m_groups > 0 ? series(otherKey, other) : null,
    resolvedRange: query.range,
    comparedRange: null,
    redactedDimensions: [],
    source: query.counted?.source ?? ('EVENTS' as const),
  };
}

const columnsIn = (query: SeriesQuery) => [
  ...columnsAt(query, 'series.total', 'series.points.values', 'other.total', 'other.points.values'),
  ...orderBy(query.orderBy?.by ?? 'REQUESTS').columns,
];

/** One row per series, in their order. The one series without dimensions is there whatever is found. */
async function seriesTotals(scope: Scope, query: SeriesQuery): Promise<readonly Row[]> {
  const columns = columnsAt(query, 'series.total');
  if (query.groupBy.length === 0 && columns.length === 0) return [{ m_key: wholeKey }];
  return firstGroups(scope, query, columns);
}

interface Wanted {
  readonly kept: readonly string[];
  readonly buckets: Intervals;
}

/** Rows of the intervals in which something was found, by key of the series and number of the interval. */
async function pointRows(scope: Scope, query: SeriesQuery, { kept, buckets }: Wanted) {
  const columns = columnsAt(query, 'series.points.values', 'other.points.values');
  const found = new Map<string, Map<number, Row>>();
  if (columns.length === 0) return found;
  const key = groupKey(query.groupBy);
  const isKept = query.groupBy.length === 0 ? '1' : `${key} IN {kept:Array(String)}`;
  const rows = await askGroups(scope, query, {
    select: [`if(${isKept}, ${key}, '${otherKey}') AS m_key`, `${intervalOf(buckets)} AS m_interval`, ...columnsOf(query, columns)],
    where: isAsked(query, 'other') ? '1' : isKept,
    parameters: { kept },
    tail: 'GROUP BY m_key, m_interval',
  });
  for (const row of rows) {
    const name = String(row['m_key']);
    const points = found.get(name) ?? new Map<number, Row>();
    found.set(name, points.set(Number(row['m_interval']), row));
  }
  return found;
}

function pointsOf({ range, now }: SeriesQuery, { starts, end: last }: Intervals, found: ReadonlyMap<number, Row> | undefined) {
  return starts.map((at, place) => {
    const end = starts[place + 1] ?? last;
    const span = { from: Math.max(at, range.from), to: Math.min(end, range.to) };
    return { at, isPartial: end > now, values: valuesOf(found?.get(place) ?? {}, span, now), compared: null };
  });
}
