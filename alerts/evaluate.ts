/** Judges a rule over [from, to) of event time: live, catching up and tested backwards alike. */
import type { ClickHouse } from '../storage/clickhouse.ts';
import type { Rule } from '../sigma/document.ts';
import { compileRule, stepMs } from './compile/rule.ts';

/** The condition held for `group` within the step that begins at `bucket`. Times are milliseconds. */
export interface Breach {
  readonly tenant: string;
  readonly group: string;
  readonly bucket: number;
  /** First request of the earliest window that breached. */
  readonly firstEvent: number;
  readonly value: number;
  readonly threshold: number;
}

/** A batch may have arrived this much before the time it holds says: storage refuses more. */
const clockAheadMs = 300_000;

export async function evaluate(
  clickhouse: ClickHouse,
  rule: Rule,
  range: { from: number; to: number },
  limits: ReadonlyMap<string, number>,
): Promise<Breach[]> {
  if (range.to <= range.from) return [];
  const { sql, parameters } = compileRule(rule, limits);
  const readFrom = range.from - rule.timespanMs;
  const rows = await clickhouse.rows<{ tenant: string; grp: string; bucket: string; first_us: string; peak: number; bar: number }>(sql, {
    parameters: { ...parameters, ...range, readFrom, arrivedFrom: readFrom - clockAheadMs },
    settings: { max_execution_time: 25 },
  });
  return rows.map((row) => ({
    tenant: row.tenant,
    group: row.grp,
    bucket: Number(row.bucket),
    firstEvent: Math.floor(Number(row.first_us) / 1000),
    value: row.peak,
    threshold: row.bar,
  }));
}

/** The last step that is wholly below `time`. */
export function floorToStep(time: number): number {
  return Math.floor(time / stepMs) * stepMs;
}
