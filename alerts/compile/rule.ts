/**
 * A rule as ClickHouse SQL. The window slides exactly: it is judged at each request that counts, over the span that ends
 * there. Answers are gathered in steps of event time, so that any cut of the range at steps gives the same rows.
 * Bounds are bound parameters; nothing asks the clock.
 */
import type { Rule, Selection } from '../../sigma/document.ts';
import { addressText } from '../../storage/address-text.ts';

/** Steps of event time, milliseconds. Cursors stand on multiples of it. */
export const stepMs = 5_000;
/** Lower bound of the Wilson interval at 95 %. */
const z = 1.959963985;

export interface CompiledRule {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** `limits` by group replace the number of the condition. */
export function compileRule(rule: Rule, limits: ReadonlyMap<string, number>): CompiledRule {
  const counted = matches(rule.selections);
  const smallest = Math.min(rule.count.value, ...limits.values());
  const more = rule.count.operator === 'gt' ? '>' : '>=';
  const group = groupColumn(rule);
  const window = `(PARTITION BY tenant, grp ORDER BY us RANGE BETWEEN ${rule.timespanMs * 1000 - 1} PRECEDING AND CURRENT ROW)`;
  const value = rule.type === 'ratio' ? wilson('hits', 'total') : 'toFloat64(hits)';
  const breach =
    rule.type === 'ratio'
      ? `hits ${more} threshold AND total >= {minimum:Float64} AND value ${rule.share?.operator === 'gt' ? '>' : '>='} {share:Float64}`
      : `hits ${more} threshold`;
  const sql = `SELECT tenant, grp, toString(intDiv(us, ${stepMs * 1000}) * ${stepMs}) AS bucket,
  toString(min(opens)) AS first_us, max(hits) AS events, toFloat64(max(hits)) AS peak, max(value) AS peak_value, any(threshold) AS bar
FROM (
  SELECT tenant, grp, us, counts, sum(counts) OVER ${window} AS hits, count() OVER ${window} AS total, min(us) OVER ${window} AS opens,
    ${value} AS value,
    transform(grp, {groups:Array(String)}, {limits:Array(Float64)}, {count:Float64}) AS threshold
  FROM (
    SELECT tenant, ${group} AS grp, toUnixTimestamp64Micro(timestamp) AS us, toUInt64(${counted}) AS counts
    FROM events
    WHERE timestamp >= fromUnixTimestamp64Milli({readFrom:Int64}, 'UTC')
      AND timestamp < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
      AND received_at >= fromUnixTimestamp64Milli({arrivedFrom:Int64}, 'UTC')
      AND grp != ''${rule.type === 'ratio' ? '' : `\n      AND ${counted}`}
      AND (tenant, grp) IN (
        SELECT tenant, ${group} AS grp
        FROM events
        WHERE timestamp >= fromUnixTimestamp64Milli({readFrom:Int64}, 'UTC')
          AND timestamp < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
          AND received_at >= fromUnixTimestamp64Milli({arrivedFrom:Int64}, 'UTC')
          AND ${counted}
        GROUP BY tenant, grp
        HAVING count() ${more} {smallest:Float64}
      )
  )
)
WHERE us >= {from:Int64} * 1000
  AND ${breach}
GROUP BY tenant, grp, bucket
ORDER BY toUInt64(bucket), tenant, grp`;
  return {
    sql,
    parameters: {
      groups: ['', ...limits.keys()],
      limits: [rule.count.value, ...limits.values()],
      count: rule.count.value,
      smallest,
      minimum: rule.minDenominator,
      share: rule.share?.value ?? 0,
    },
  };
}

/** What a rule groups by, as text. */
export function groupColumn({ groupBy }: Pick<Rule, 'groupBy'>): string {
  return groupBy === 'client_address' ? addressText : 'consumer_name';
}

/** Values were read as digits and letters only. */
export function matches(selections: readonly Selection[]): string {
  const tests = selections
    .filter(({ values }) => !values.includes('*'))
    .map(({ column, values }) =>
      column === 'http_response_status_code'
        ? `ifNull(${column}, 0) IN (${values.join(', ')})`
        : `${column} IN (${values.map((each) => `'${each}'`).join(', ')})`,
    );
  return tests.length === 0 ? 'true' : tests.join(' AND ');
}

function wilson(hits: string, total: string): string {
  const share = `(${hits} / ${total})`;
  const square = z * z;
  return `((${share} + ${square} / (2 * ${total}) - ${z} * sqrt((${share} * (1 - ${share}) + ${square} / (4 * ${total})) / ${total})) / (1 + ${square} / ${total}))`;
}
