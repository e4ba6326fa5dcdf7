/** The role `ingest` in this process. */
import { AuditError } from '../core/errors.ts';
import { systemClock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { createDriftWatch } from '../ingest/drift.ts';
import { startIngest } from '../ingest/ingest.ts';
import { defaultLimits } from '../ingest/life.ts';
import type { TopicPartition } from '../ingest/log.ts';
import type { Journal } from '../ingest/logs/journal.ts';
import { durabilityOf } from '../storage/durability.ts';
import { pendingMigrations } from '../storage/migrate.ts';
import { probeTokens } from '../storage/probe.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import { makeDecoder } from './decoder.ts';
import { intakeRoutes } from './intake.ts';
import { tellLag } from './lag.ts';
import { startPatiently } from './patient-start.ts';
import { fullDisk, watchLog } from './readiness.ts';
import { keptOf } from './replays.ts';
import type { RoleContext, Running } from './role.ts';
import type { Metrics } from './telemetry.ts';
import { holderName, openClickHouse, openLog, topicsOf } from './stores.ts';
import { fileTrace } from './trace.ts';
import { closedReader } from './watermark.ts';
import { watched } from './watched.ts';

/** Tries for as long as it takes: readiness says what is awaited, and no record is lost meanwhile. */
export async function openIngest({ config, logger, metrics }: RoleContext): Promise<Running> {
  const clickhouse = watched(openClickHouse(config, 'ingest'), systemClock);
  const log = openLog(config, logger);
  const control = new AbortController();
  const logProblem = watchLog(log, topicsOf(config), control.signal);
  const stopped = new Map<string, string>();
  let ingest: Awaited<ReturnType<typeof startIngest>> | null = null;
  const trace = process.env['INGEST_TRACE_FILE'];
  tellLag(metrics, { log, topics: topicsOf(config), closed: closedReader(clickhouse, systemClock) });
  metrics.onScrape(async () => metrics.bufferedBytes.set(ingest?.bufferedBytes() ?? 0));
  const trimming = log.kind === 'journal' ? startTrimming(log as Journal, config.journal.keep, logger) : null;

  const start = async () => {
    await assertMigrated(clickhouse);
    await probeTokens(clickhouse);
    logger.info({ durability: await durabilityOf(clickhouse), cluster: config.cluster ?? null }, 'what an answered insert survives here');
    ingest = await startIngest({
      clickhouse,
      log,
      topics: topicsOf(config),
      group: config.kafka.groupId,
      startOf: (topic) => config.sources.find((source) => source.topic === topic)?.start ?? 'earliest',
      decoder: await makeDecoder(config, watchDrift(metrics)),
      writer: holderName('ingest'),
      limits: { ...defaultLimits, bytes: config.ingest.batchBytes },
      logger,
      clock: systemClock,
      ...(config.deadLetters.keepBytes && { keep: keptOf(config, clickhouse, logger).keep }),
      onStored({ topic, partition }, claim) {
        for (const result of ['events', 'rejected', 'skipped'] as const) metrics.records.inc({ result }, claim[result]);
        metrics.batchRows.observe(claim.events);
        trimming?.noteStored({ topic, partition }, claim.lastOffset + 1);
      },
      onStopped({ topic, partition }, error) {
        stopped.set(`${topic}/${partition}`, `${error.code}: ${error.message}`);
        metrics.stoppedPartitions.set(stopped.size);
        if (error.code === 'LEDGER_INCONSISTENT') metrics.inconsistentBatches.inc();
      },
      onFailure(error) {
        logger.error({ err: error }, 'ingest cannot go on; the process ends');
        process.exit(1);
      },
      ...(trace !== undefined && { trace: fileTrace(trace) }),
    });
  };

  const starting = startPatiently(start, { signal: control.signal, logger });

  return {
    routes: await intakeRoutes({ config, clickhouse, log, logger }),
    async notReady() {
      const waitsFor = starting.waitsFor();
      const now = waitsFor === null ? [...clickhouse.problems(), ...logProblem(), ...(ingest?.notReady() ?? [])] : [waitsFor];
      return [...new Set([...now, ...fullDisk(config), ...stopped.values()])];
    },
    async stop() {
      control.abort();
      await starting.over;
      await ingest?.stop();
      trimming?.stop();
      await Promise.allSettled([log.close(), clickhouse.close()]);
    },
  };
}

export async function assertMigrated(clickhouse: ClickHouse): Promise<void> {
  const missing = await pendingMigrations(clickhouse);
  if (missing.length > 0)
    throw new AuditError(
      'NOT_READY',
      `The database lacks ${missing.length} migration(s), ${missing[0]} first; gatetrail migrate applies them`,
    );
}

export function watchDrift({ formatDrift, ambiguousRecords }: Pick<Metrics, 'formatDrift' | 'ambiguousRecords'>) {
  return createDriftWatch({
    drifted: (topic, expected, came) => formatDrift.inc({ topic, expected, came }),
    ambiguous: (topic, taken, other) => ambiguousRecords.inc({ topic, taken, other }),
  });
}

/** Forgets records of the journal a while after they were stored: so long a dead letter can be read again. */
function startTrimming(journal: Journal, keepMs: number, logger: Logger) {
  const failed = (error: unknown) => logger.warn({ err: error }, 'the journal was not trimmed; it is tried again');
  const trim = () => void journal.trimStored(systemClock.now() - keepMs).catch(failed);
  const timer = setInterval(trim, Math.max(1_000, Math.min(keepMs, 60_000)));
  return {
    noteStored(place: TopicPartition, below: number): void {
      void journal.noteStored(place, below, systemClock.now()).catch(failed);
    },
    stop: () => clearInterval(timer),
  };
}
