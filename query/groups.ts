/** Groups of events by the values of dimensions: the first of an order, and what is left together. */
import { AuditError } from '../core/errors.ts';
import type { Dimension, MetricOrder } from '../schemas/api.ts';
import type { Counted } from '../storage/counted-rows.ts';
import type { Range, Scope } from '../storage/scope.ts';
import { askedAt, type Asked } from './asked.ts';
import { selectOf, type Column, type Row } from './columns.ts';
import { groupKey } from './dimensions.ts';
import { columnsFor, type Values } from './figures.ts';
import { compileFilter, type Match } from './filter.ts';
import { orderBy } from './orders.ts';

export interface FigureQuery {
  readonly range: Range;
  readonly filter?: Match | null;
  readonly groupBy: readonly Dimension[];
  readonly orderBy?: MetricOrder | null;
  readonly limit: number;
  /** What the operation asks for below metrics or timeSeries. */
  readonly asked: readonly Asked[];
  readonly now: number;
  /** Rows of counters that the statements read in place of events. */
  readonly counted?: Counted | null;
}

/** The whole without dimensions: one group, whose key this is. */
export const wholeKey = '[]';

export const isAsked = ({ asked }: FigureQuery, ...names: readonly string[]) => asked.some(({ name }) => names.includes(name));

/** Columns of what is asked for at these paths. */
export const columnsAt = ({ asked }: FigureQuery, ...paths: readonly string[]) => paths.flatMap((path) => columnsFor(askedAt(asked, path)));

/** What a statement selects for these columns. */
export const columnsOf = ({ counted }: FigureQuery, columns: readonly Column[]) => selectOf(columns, Boolean(counted));

/** Rows of the first groups, with `m_key`; the whole is the one group where there are no dimensions. */
export function firstGroups(scope: Scope, query: FigureQuery, columns: readonly Column[]): Promise<Row[]> {
  if (query.orderBy?.byChange) throw new AuditError('BAD_USER_INPUT', 'byChange orders by a comparison, and none was asked for');
  const order = orderBy(query.orderBy?.by ?? 'REQUESTS');
  const direction = query.orderBy?.direction === 'ASC' ? 'ASC' : 'DESC';
  const isGrouped = query.groupBy.length > 0;
  return askGroups(scope, query, {
    select: [`${groupKey(query.groupBy)} AS m_key`, ...columnsOf(query, [...columns, ...order.columns])],
    tail: `${isGrouped ? 'GROUP BY m_key\n' : ''}ORDER BY ${order.sql} ${direction} NULLS LAST, m_key ASC\nLIMIT ${query.limit}`,
  });
}

/** The row of all groups but these, with their number as `m_groups`. */
export async function otherGroups(scope: Scope, query: FigureQuery, kept: readonly string[], columns: readonly Column[]) {
  const key = groupKey(query.groupBy);
  const [row] = await askGroups(scope, query, {
    select: [`uniqExact(${key}) AS m_groups`, ...columnsOf(query, columns)],
    where: `${key} NOT IN {kept:Array(String)}`,
    parameters: { kept },
  });
  return { ...row, m_groups: Number(row?.['m_groups'] ?? 0) };
}

interface GroupStatement {
  readonly select: readonly string[];
  readonly where?: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly tail?: string;
}

/** Events of the range and filter of the query. */
export function askGroups(
  scope: Scope,
  query: FigureQuery,
  { select, where = '1', parameters, tail = '' }: GroupStatement,
): Promise<Row[]> {
  const filter = compileFilter(query.filter, scope.credentialKeys);
  return scope.events<Row>({
    select: select.join(',\n  '),
    range: query.range,
    where: `${filter.sql} AND ${where}`,
    parameters: { ...filter.parameters, ...parameters },
    tail,
    counted: query.counted ?? null,
  });
}

export function valuesOf(row: Row, range: Range, now: number): Values {
  return { row, seconds: Math.max(1, Math.min(range.to, now) - range.from) / 1_000 };
}

export function dimensionsOf({ groupBy }: FigureQuery, key: string) {
  const parts = JSON.parse(key) as (string | null)[]; // groupKey wrote it
  return groupBy.map((dimension, index) => ({ dimension, value: parts[index] ?? null }));
}
