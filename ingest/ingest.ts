/** The role `ingest`: every assigned partition of every topic, from the log to ClickHouse. */
import { type Clock, sleep } from '../core/clock.ts';
import { AuditError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { openBatchStore } from '../storage/batch-store.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import { type Claim, openLedger, type PartitionKey } from '../storage/ledger.ts';
import { createDatabaseClock, type DatabaseClock } from '../storage/positions.ts';
import { createBatchMaker } from './batch.ts';
import { readAheadBytes } from './buffer.ts';
import type { Decoder } from './decoder.ts';
import type { AssignedPartition, Log } from './log.ts';
import { type BatchLimits, defaultLimits, limitsOf, type PartitionOptions } from './life.ts';
import { runPartition } from './partition.ts';
import { createWriter, type Step, type WriterOptions } from './write.ts';

export interface IngestOptions {
  readonly clickhouse: ClickHouse;
  readonly log: Log;
  readonly topics: readonly string[];
  readonly group: string;
  readonly startOf: (topic: string) => 'earliest' | 'latest';
  readonly decoder: Decoder;
  /** Unique per process. */
  readonly writer: string;
  readonly limits?: BatchLimits;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly onStored: (key: PartitionKey, claim: Claim) => void;
  readonly onStopped: (key: PartitionKey, error: AuditError) => void;
  readonly onFailure: (error: unknown) => void;
  readonly keep?: WriterOptions['keep'];
  readonly trace?: (step: Step, topic: string, partition: number) => void;
  /** A test makes the writer forget the ledger here. */
  readonly position?: NonNullable<PartitionOptions['position']>;
}

export interface Ingest {
  /** Why no batch is claimed, as `CODE: message`, where that is not the fault of a server. */
  notReady(): readonly string[];
  /** Memory of the records that were fetched ahead and wait. */
  bufferedBytes(): number;
  /** Finishes the batches that are being written, then leaves the log. */
  stop(): Promise<void>;
}

const clockIsFreshMs = 5_000;

export async function startIngest(options: IngestOptions): Promise<Ingest> {
  const ledger = openLedger(options.clickhouse);
  const store = openBatchStore(options.clickhouse);
  const maker = createBatchMaker(options.decoder);
  const limits = options.limits ?? defaultLimits;
  const logId = await options.log.id();
  const databaseClock = createDatabaseClock(store, options.clock);
  await databaseClock.measure();
  const over = new AbortController();
  void keepMeasuring(databaseClock, over.signal, options.logger);
  const running = new Set<Promise<void>>();

  const onAssigned = (partition: AssignedPartition) => {
    const trace = (step: Step) => options.trace?.(step, partition.topic, partition.partition);
    const { keep, logger } = options;
    const writer = createWriter({ ledger, store, maker, writer: options.writer, logger, trace, ...(keep && { keep }) });
    const life = runPartition(partition, {
      ...options,
      logId,
      ledger,
      store,
      maker,
      writer,
      databaseClock,
      get limits() {
        return limitsOf(running.size, limits);
      },
      start: options.startOf(partition.topic),
      trace,
    })
      .catch(options.onFailure)
      .finally(() => running.delete(life));
    running.add(life);
  };

  const consumer = await options.log.consume({ ...options, onAssigned, readAheadBytes: readAheadBytes(limits) }).catch((error: unknown) => {
    over.abort(); // whoever tries again begins with another clock
    throw error;
  });
  return {
    bufferedBytes: () => consumer.bufferedBytes(),
    notReady() {
      try {
        databaseClock.now();
        return [];
      } catch (error) {
        return [error instanceof AuditError ? `${error.code}: ${error.message}` : messageOf(error)];
      }
    },
    async stop() {
      await consumer.stop();
      await Promise.allSettled(running);
      over.abort();
    },
  };
}

async function keepMeasuring(clock: DatabaseClock, over: AbortSignal, logger: Logger): Promise<void> {
  for (await sleep(clockIsFreshMs, over); !over.aborted; await sleep(clockIsFreshMs, over))
    await clock.measure().catch((error: unknown) => logger.debug({ err: error }, 'the clock of ClickHouse was not read'));
}
