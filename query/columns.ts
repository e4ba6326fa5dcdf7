/** Columns of statements over groups of events, and how their values are read back from a row. */

export interface Column {
  readonly name: string;
  /** An aggregate; with a level the column that this is a quantile of. */
  readonly sql: string;
  readonly level?: number;
}

export type Row = Readonly<Record<string, any>>; // oxlint-disable-line typescript/no-explicit-any -- a row of JSON, read by name

/** What a statement selects for these columns, each of them once. All quantiles of one column are one call, whose state costs most. */
export function selectOf(columns: readonly Column[]): readonly string[] {
  const selected = new Map<string, string>();
  const levels = new Map<string, Set<number>>();
  for (const { name, sql, level } of columns) {
    if (level === undefined) selected.set(name, sql);
    else levels.set(sql, (levels.get(sql) ?? new Set()).add(level));
  }
  for (const [column, asked] of levels) {
    const keys = [...asked].map((level) => `'${level}'`);
    selected.set(quantile(column, 0).name, `mapFromArrays([${keys.join(', ')}], quantiles(${[...asked].join(', ')})(${column}))`);
  }
  return [...selected].map(([name, sql]) => `${sql} AS ${alias({ name })}`);
}

export const aggregate = (name: string, column: string): Column => ({ name: `${column}_${name}`, sql: `${name}(${column})` });
export const quantile = (column: string, level: number): Column => ({ name: `${column}_quantiles`, sql: column, level });

/** As a statement names the column: apart from the columns of the table, which an alias would hide. */
export const alias = ({ name, level }: Pick<Column, 'name' | 'level'>) => `\`m_${name}\`${level === undefined ? '' : `['${level}']`}`;

const read = (row: Row, { name, level }: Column) => (level === undefined ? row[`m_${name}`] : row[`m_${name}`]?.[String(level)]);

/** 0 in a row that is empty, because nothing was found. */
export const countIn = (row: Row, column: Column) => Number(read(row, column) ?? 0);

/** Null where no event has the value. */
export function valueIn(row: Row, column: Column): number | null {
  const value = read(row, column) ?? null;
  return value === null ? null : Number(value);
}
