/** Columns of statements over groups of events, and how their values are read back from a row. */

export interface Column {
  /** Starts with m_: an alias would hide the column of the table that has its name. */
  readonly name: string;
  /** An aggregate; with a level the column of which this is a quantile. */
  readonly sql: string;
  /** Between 0 and 1, as JavaScript writes it. */
  readonly level?: string;
  /** The same over rows of counters; not there where those do not tell it. */
  readonly counted?: Counting;
}

export interface Counting {
  readonly sql: string;
  /** Rows that have it: counters are in all, times of first and last in those of hours, latencies in those by route alone. */
  readonly kind: 'counter' | 'time' | 'latency';
}

export type Row = Readonly<Record<string, any>>; // oxlint-disable-line typescript/no-explicit-any -- a row of JSON, read by name

export const column = (name: string, sql: string, counted?: Counting): Column => ({ name: `m_${name}`, sql, ...(counted && { counted }) });
export const quantile = (of: string, level: number): Column => ({
  name: `m_${of}_quantiles`,
  sql: of,
  level: String(level),
  counted: { sql: `${of}_state`, kind: 'latency' },
});

/**
 * What a statement selects for these columns, each of them once, over events or over rows of counters. All quantiles of one
 * column are one call: its state is what costs.
 */
export function selectOf(columns: readonly Column[], isCounted: boolean): readonly string[] {
  const selected = new Map<string, string>();
  const levels = new Map<string, Set<string>>();
  const quantiles = isCounted ? 'quantilesTDigestMerge' : 'quantiles';
  for (const { name, sql: overEvents, level, counted } of columns) {
    const sql = isCounted ? (counted?.sql ?? 'NULL') : overEvents;
    const asked = levels.get(name) ?? new Set();
    if (level !== undefined) levels.set(name, asked.add(level));
    selected.set(name, level === undefined ? sql : quantilesOf(quantiles, sql, [...asked]));
  }
  return [...selected].map(([name, sql]) => `${sql} AS \`${name}\``);
}

const quantilesOf = (quantiles: string, of: string, levels: readonly string[]) =>
  `mapFromArrays([${levels.map((level) => `'${level}'`).join(', ')}], ${quantiles}(${levels.join(', ')})(${of}))`;

/** The column within its own statement, for ORDER BY. */
export const reference = ({ name, level }: Column) => (level === undefined ? name : `${name}['${level}']`);

const read = (row: Row, { name, level }: Column) => (level === undefined ? row[name] : row[name]?.[level]);

/** 0 in a row that is empty, because nothing was found. */
export const countIn = (row: Row, of: Column) => Number(read(row, of) ?? 0);

/** Null where no event has the value. */
export function valueIn(row: Row, of: Column): number | null {
  const value = read(row, of) ?? null;
  return value === null ? null : Number(value);
}
