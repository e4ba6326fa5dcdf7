/**
 * Which rows an answer is made from: those of hours, those of minutes, or the events. Counters say the same wherever they
 * are read; so rows of hours and minutes are taken wherever they have all that is asked for.
 */
import type { Dimension } from '../schemas/api.ts';
import { cut, hoursIn, minuteKeys, minutes, type Counted, type CountedSource } from '../storage/counted-rows.ts';
import { byConsumer, byRoute } from '../storage/rollup-tables.ts';
import type { Range, Scope } from '../storage/scope.ts';
import type { Column, Counting } from './columns.ts';
import { dimensionColumns } from './dimensions.ts';
import { columnsOf, type Match } from './filter.ts';
import { parseSearch } from './search.ts';

export interface Need {
  readonly range: Range;
  readonly filter?: Match | null;
  readonly groupBy: readonly Dimension[];
  readonly columns: readonly Column[];
  /** Where the intervals of a series begin. */
  readonly starts?: readonly number[];
}

interface Candidate {
  readonly source: CountedSource;
  /** Columns of events that its rows have. */
  readonly keys: ReadonlySet<string>;
  readonly kinds: readonly Counting['kind'][];
  /** Whole units below which the events are as quick. */
  readonly least: number;
}

const status = 'http_response_status_code';
const candidates: readonly Candidate[] = [
  { source: hoursIn(byRoute), keys: new Set(['tenant', ...byRoute.keys, status]), kinds: ['counter', 'time', 'latency'], least: 3 },
  { source: hoursIn(byConsumer), keys: new Set(['tenant', ...byConsumer.keys]), kinds: ['counter', 'time'], least: 3 },
  { source: minutes, keys: new Set(['tenant', ...minuteKeys, status]), kinds: ['counter'], least: 10 },
];

/** Each span costs a look of its own. */
const maxSpans = 20;
/** Of so many events quantiles are taken from the events: that is quick, and states of few samples are coarse. */
const quantileEvents = 1_000_000;

/** Null: the events themselves. */
export async function countedFor(scope: Scope, need: Need): Promise<Counted | null> {
  const used = [...new Set([...need.groupBy.flatMap(dimensionColumns), ...filterColumns(need.filter ?? {})])];
  for (const candidate of candidates.filter((each) => covers(each, need, used))) {
    const { source } = candidate;
    if (wholeUnits(cut(source, used, need.range)) < candidate.least) continue;
    const counted = cut(source, used, need.range, source.source === 'HOURS' ? await scope.stale(need.range) : []);
    if (wholeUnits(counted) < candidate.least || counted.raw.length > maxSpans) continue;
    if (need.columns.some(({ level }) => level !== undefined) && (await requestsIn(scope, need.range, counted)) < quantileEvents)
      return null;
    return counted;
  }
  return null;
}

const wholeUnits = ({ whole, unitMs }: Counted) => whole.reduce((sum, { from, to }) => sum + (to - from), 0) / unitMs;

async function requestsIn(scope: Scope, range: Range, counted: Counted): Promise<number> {
  const [row] = await scope.events<{ n: string }>({ select: 'sum(requests) AS n', range, counted: { ...counted, raw: [] } });
  return Number(row?.n ?? 0);
}

function covers({ source, keys, kinds }: Candidate, { columns, starts = [] }: Need, used: readonly string[]): boolean {
  return (
    columns.every(({ counted }) => counted !== undefined && kinds.includes(counted.kind)) &&
    used.every((name) => keys.has(name)) &&
    // The first one may lie before the range, and then parts nothing.
    starts.slice(1).every((start) => start % source.unitMs === 0)
  );
}

/** Columns of events that a filter looks at; something that is no column where it tells events of one row of counters apart. */
function filterColumns(filter: Match): readonly string[] {
  return Object.entries(filter).flatMap(([name, value]) => {
    if (value === null || value === undefined) return [];
    if (name === 'and' || name === 'or') return (value as Match[]).flatMap(filterColumns); // the schema has checked the shapes
    if (name === 'not') return filterColumns(value as Match);
    if (name === 'search') return filterColumns(parseSearch(String(value)));
    if (name === 'status') return Object.entries(value).every(partsClasses) ? [status] : [name];
    return columnsOf(name) ?? [name];
  });
}

/** `status: {gte: 500}` is true of the whole class or of none of it. */
function partsClasses([operator, operand]: [string, unknown]): boolean {
  if (operand === null || operand === undefined || operator === 'exists') return true;
  return (operator === 'gte' || operator === 'lt') && Number(operand) % 100 === 0;
}
