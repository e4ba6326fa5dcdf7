/** Runs ingest in this process over a real Kafka until it has read its topics to their ends, and counts what it was handed. */
import { systemClock } from '../../core/clock.ts';
import { deriveKey } from '../../core/keys.ts';
import { type Logger, silentLogger } from '../../core/logger.ts';
import { createDecoder, loadGateways } from '../../ingest/pipeline.ts';
import { type IngestOptions, startIngest } from '../../ingest/ingest.ts';
import type { AssignedPartition, Log } from '../../ingest/log.ts';
import { openKafka } from '../../ingest/logs/kafka.ts';
import { defaultLimits } from '../../ingest/life.ts';
import type { ClickHouse } from '../../storage/clickhouse.ts';
import type { Ledger, PartitionKey } from '../../storage/ledger.ts';
import { until } from './gatetrail.ts';

export interface ReadOptions {
  readonly brokers: readonly string[];
  readonly clickhouse: ClickHouse;
  readonly topics: readonly string[];
  readonly group: string;
  readonly writer?: string;
  readonly position?: NonNullable<IngestOptions['position']>;
  readonly logger?: Logger;
}

export interface Reading {
  /** Messages that the loop was handed, again or for the first time. */
  readonly handedOut: number;
  /** `topic/partition: CODE` of those that stand still. */
  readonly stopped: readonly string[];
}

/** From the start to the end that the topics have now; a partition that stands still counts as read. */
export async function readToEnd(options: ReadOptions): Promise<Reading> {
  const reader = await startReader(options);
  try {
    return await reader.end();
  } finally {
    await reader.stop();
  }
}

export interface Reader {
  /** Resolves when everything that the topics hold at this moment is stored. */
  end(): Promise<Reading>;
  stop(): Promise<void>;
}

export async function startReader({
  brokers,
  writer = `reader-${Math.random()}`,
  logger = silentLogger,
  ...options
}: ReadOptions): Promise<Reader> {
  const log = openKafka({ brokers, clientId: 'test', logger });
  const positions = new Map<string, number>();
  const stopped = new Map<string, string>();
  let handedOut = 0;
  let failure: unknown = null;
  const ingest = await startIngest({
    ...options,
    log: watched(log, ({ topic, partition }, { to, messages }) => {
      handedOut += messages;
      positions.set(`${topic}/${partition}`, to);
    }),
    startOf: () => 'earliest',
    decoder: createDecoder({
      sources: [],
      defaultTenant: 'default',
      intakeTopic: 'in',
      gateways: await loadGateways(),
      allowedQueryKeys: new Set(),
      pseudonyms: deriveKey('a secret of the tests', 'pseudonyms'),
      credentials: deriveKey('a secret of the tests', 'credentials'),
      version: 'test',
    }),
    writer,
    limits: { ...defaultLimits, rows: 500, ms: 200 },
    logger,
    clock: systemClock,
    onStored: () => {},
    onStopped: ({ topic, partition }, { code }) => stopped.set(`${topic}/${partition}`, code),
    onFailure: (error) => (failure = error),
  });
  return {
    async end() {
      const ends = await log.bounds(options.topics);
      const open = () =>
        ends.filter(({ topic, partition, high }) => {
          const place = `${topic}/${partition}`;
          return !stopped.has(place) && (positions.get(place) ?? -1) < high;
        });
      await until(
        async () => ({ failure, open: open() }),
        (now) => now.failure !== null || now.open.length === 0,
        90_000,
      );
      if (failure !== null) throw failure;
      return { handedOut, stopped: [...stopped].map(([place, code]) => `${place}: ${code}`).toSorted() };
    },
    async stop() {
      await ingest.stop();
      await log.close();
    },
  };
}

type Watch = (place: AssignedPartition, handed: { readonly to: number; readonly messages: number }) => void;

/** A position is passed on when the loop asks again after nothing came: it does so once what it has is stored. */
function watched(log: Log, watch: Watch): Log {
  const partitionOf = (inner: AssignedPartition, idle: { at: number | null } = { at: null }): AssignedPartition => ({
    topic: inner.topic,
    partition: inner.partition,
    revoked: inner.revoked,
    seek: (offset) => inner.seek(offset),
    commit: (offset) => inner.commit(offset),
    bounds: () => inner.bounds(),
    async next(wanted) {
      const wasIdleAt = idle.at;
      if (wasIdleAt !== null) watch(inner, { to: wasIdleAt, messages: 0 });
      // Nobody reads on here: the end is found five times as soon.
      const fetched = await inner.next({
        ...wanted,
        maxWaitMs: wanted.maxWaitMs > 1_000 ? wanted.maxWaitMs : Math.min(200, wanted.maxWaitMs),
      });
      idle.at = fetched.to === fetched.from && fetched.from <= fetched.high ? fetched.to : null;
      watch(inner, { to: idle.at !== null && wasIdleAt === idle.at ? idle.at : -1, messages: fetched.messages.length });
      return fetched;
    },
  });
  return { ...log, consume: (wanted) => log.consume({ ...wanted, onAssigned: (partition) => wanted.onAssigned(partitionOf(partition)) }) };
}

/** Starts at the origin and steps from claim to claim, as one that knows nothing of the end of the chain. */
export function forgetful(ledger: Ledger): NonNullable<IngestOptions['position']> {
  const next = new Map<string, number>();
  return async (key: PartitionKey) => {
    const place = `${key.topic}/${key.partition}`;
    const [claim] = await ledger.claimsFrom(key, next.get(place) ?? -1, 1);
    next.set(place, (claim?.lastOffset ?? -1) + 1);
    return claim ?? null;
  };
}
