/** The figures of Quantiles: over the events that have the latency, milliseconds, null where none has. */
import { AuditError } from '../core/errors.ts';
import type { Asked } from './asked.ts';
import { column, countIn, quantile, valueIn, type Column, type Row } from './columns.ts';

/** Fields of MetricValues that are Quantiles, and the column each is over. */
export const latencies = {
  latency: 'duration_ms',
  upstreamLatency: 'upstream_duration_ms',
  gatewayLatency: 'gateway_duration_ms',
} as const;

/** What the figures of one latency are read from. */
export interface Spread {
  readonly row: Row;
  readonly latency: string;
}

interface QuantileFigure<Value> {
  readonly column: (latency: string, args: Asked['args']) => Column;
  readonly value: (spread: Spread, args: Asked['args']) => Value;
}

type Aggregate = 'max' | 'avg' | 'sum' | 'count';

/** Over rows of counters; null, as over events, where no event has the latency. */
const counted: Readonly<Record<Aggregate, (latency: string) => string>> = {
  max: (latency) => `max(${latency}_max)`,
  avg: (latency) => `if(sum(${latency}_samples) = 0, NULL, sum(${latency}_sum) / sum(${latency}_samples))`,
  sum: (latency) => `if(sum(${latency}_samples) = 0, NULL, sum(${latency}_sum))`,
  count: (latency) => `sum(${latency}_samples)`,
};

export const overAll = (aggregate: Aggregate, latency: string) =>
  column(`${latency}_${aggregate}`, `${aggregate}(${latency})`, { sql: counted[aggregate](latency), kind: 'latency' });

function figure<Value>(of: QuantileFigure<Value>['column'], read: (row: Row, of: Column) => Value): QuantileFigure<Value> {
  return { column: of, value: ({ row, latency }, args) => read(row, of(latency, args)) };
}
const atLevel = (levelOf: (args: Asked['args']) => number) => figure((latency, args) => quantile(latency, levelOf(args)), valueIn);
const aggregated = (aggregate: Aggregate) => figure((latency) => overAll(aggregate, latency), valueIn);

export const quantileFigures = {
  p50: atLevel(() => 0.5),
  p90: atLevel(() => 0.9),
  p95: atLevel(() => 0.95),
  p99: atLevel(() => 0.99),
  quantile: atLevel(({ level }) => checked(Number(level))),
  max: aggregated('max'),
  mean: aggregated('avg'),
  sum: aggregated('sum'),
  samples: figure((latency) => overAll('count', latency), countIn),
};

function checked(level: number): number {
  if (level >= 0 && level <= 1) return level;
  throw new AuditError('BAD_USER_INPUT', `level is between 0 and 1, got ${level}`);
}
