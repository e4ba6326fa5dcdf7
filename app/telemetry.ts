/** What a process says of itself: a log on stderr, one JSON line each, and metrics in base units with few labels. */
import { pino } from 'pino';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { Logger } from '../core/logger.ts';

export function createLogger(level: string, role: string): Logger {
  const redact = ['password', '*.password', 'secret', '*.secret', 'authorization', '*.authorization', 'headers', '*.headers'];
  return pino({ level, base: { role }, redact, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }));
}

export interface Metrics {
  /** Text of `GET /metrics`. */
  text(): Promise<string>;
  /** Called before each text: what is asked for only then. A failure leaves the others standing. */
  onScrape(look: () => Promise<void>): void;
  readonly type: string;
  readonly records: Counter<'result'>;
  readonly batchRows: Histogram;
  readonly formatDrift: Counter<'topic' | 'expected' | 'came'>;
  readonly ambiguousRecords: Counter<'topic' | 'taken' | 'other'>;
  readonly stoppedPartitions: Gauge;
  readonly inconsistentBatches: Counter;
  readonly lagRecords: Gauge<'topic' | 'partition'>;
  readonly bufferedBytes: Gauge;
}

export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const looks: (() => Promise<void>)[] = [];
  collectDefaultMetrics({ register: registry });
  new Gauge({ name: 'gatetrail_build_info', help: 'Always 1; the version is a label', labelNames: ['version'], registers }).set(
    { version },
    1,
  );
  return {
    async text() {
      await Promise.allSettled(looks.map((look) => look()));
      return registry.metrics();
    },
    onScrape: (look) => void looks.push(look),
    type: registry.contentType,
    records: new Counter({
      name: 'gatetrail_ingest_records_total',
      help: 'Records by what became of them',
      labelNames: ['result'],
      registers,
    }),
    batchRows: new Histogram({
      name: 'gatetrail_ingest_batch_rows',
      help: 'Events of a stored batch',
      buckets: [1, 10, 100, 1_000, 5_000, 10_000, 20_000, 50_000],
      registers,
    }),
    formatDrift: new Counter({
      name: 'gatetrail_ingest_format_drift_total',
      help: 'Records of another format than the first 50 in a row of their topic and gateway; read all the same',
      labelNames: ['topic', 'expected', 'came'],
      registers,
    }),
    ambiguousRecords: new Counter({
      name: 'gatetrail_ingest_ambiguous_records_total',
      help: 'Records that another format matches too, of those that came before a format was expected or are not of it',
      labelNames: ['topic', 'taken', 'other'],
      registers,
    }),
    stoppedPartitions: new Gauge({ name: 'gatetrail_ingest_stopped_partitions', help: 'Partitions that stand still for good', registers }),
    inconsistentBatches: new Counter({
      name: 'gatetrail_ingest_inconsistent_batches_total',
      help: 'Batches whose claim and events contradict each other; must stay 0',
      registers,
    }),
    lagRecords: new Gauge({
      name: 'gatetrail_consumer_lag_records',
      help: 'Records of the log that are not stored yet',
      labelNames: ['topic', 'partition'],
      registers,
    }),
    bufferedBytes: new Gauge({
      name: 'gatetrail_ingest_buffered_bytes',
      help: 'Memory of records that were fetched ahead and wait to be written',
      registers,
    }),
  };
}
