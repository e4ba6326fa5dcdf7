/** The figures of Quantiles: over the events that have the latency, milliseconds, null where none has. */
import { AuditError } from '../core/errors.ts';
import type { Asked } from './asked.ts';
import { column, countIn, quantile, valueIn, type Column, type Row } from './columns.ts';

/** Fields of MetricValues that are Quantiles, and the column each is over. */
export const latencies: Readonly<Record<string, string>> = {
  latency: 'duration_ms',
  upstreamLatency: 'upstream_duration_ms',
  gatewayLatency: 'gateway_duration_ms',
};

interface QuantileFigure {
  readonly column: (latency: string, args: Asked['args']) => Column;
  readonly read: (row: Row, column: Column) => number | null;
}

export const overAll = (aggregate: string, latency: string) => column(`${latency}_${aggregate}`, `${aggregate}(${latency})`);

const atLevel = (level: number): QuantileFigure => ({ column: (latency) => quantile(latency, level), read: valueIn });
const aggregated = (aggregate: string): QuantileFigure => ({ column: (latency) => overAll(aggregate, latency), read: valueIn });

export const quantileFigures: Readonly<Record<string, QuantileFigure>> = {
  p50: atLevel(0.5),
  p90: atLevel(0.9),
  p95: atLevel(0.95),
  p99: atLevel(0.99),
  quantile: { column: (latency, { level }) => quantile(latency, checked(Number(level))), read: valueIn },
  max: aggregated('max'),
  mean: aggregated('avg'),
  sum: aggregated('sum'),
  samples: { ...aggregated('count'), read: countIn },
};

function checked(level: number): number {
  if (level >= 0 && level <= 1) return level;
  throw new AuditError('BAD_USER_INPUT', `level is between 0 and 1, got ${level}`);
}
