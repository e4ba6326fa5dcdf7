/** Leaves out a range of a partition for good: the gap, its reason and who said so are a row of the chain, like every batch. */
import { AuditError } from '../core/errors.ts';
import { systemClock } from '../core/clock.ts';
import { silentLogger } from '../core/logger.ts';
import { createBatchMaker } from '../ingest/batch.ts';
import type { Log } from '../ingest/log.ts';
import { createWriter } from '../ingest/write.ts';
import { openBatchStore } from '../storage/batch-store.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import { openLedger } from '../storage/ledger.ts';
import { createDatabaseClock, emptyClaim } from '../storage/positions.ts';
import type { Config } from './settings.ts';
import { makeDecoder } from './decoder.ts';
import { holderName } from './stores.ts';
import { closedReader } from './watermark.ts';

export interface Reset {
  readonly topic: string;
  readonly partition: number;
  /** The offset that is read next. */
  readonly to: number;
  readonly reason: string;
}

export interface Stores {
  readonly config: Config;
  readonly clickhouse: ClickHouse;
  readonly log: Log;
}

/** Gives where ingest goes on now. @throws BAD_USER_INPUT, NOT_FOUND, NOT_READY, CLOCK_SKEW */
export async function resetPosition({ topic, partition, to, reason }: Reset, { config, clickhouse, log }: Stores) {
  const logId = await log.id();
  const { partitions } = await closedReader(clickhouse, systemClock).read();
  const place = partitions.find((each) => each.logId === logId && each.topic === topic && each.partition === partition);
  if (place === undefined)
    throw new AuditError('NOT_FOUND', `Ingest has read nothing of ${topic}/${partition}; positions list shows what it reads`);
  if (place.isOpen)
    throw new AuditError(
      'NOT_READY',
      `The batch at offset ${place.position} of ${topic}/${partition} is not stored whole. Start ingest, which completes it, then stop it and reset again`,
    );
  const high = (await log.bounds([topic])).find((each) => each.partition === partition)?.high ?? 0;
  if (to <= place.position || to > high)
    throw new AuditError(
      'BAD_USER_INPUT',
      `--to: expected an offset above ${place.position}, where ingest goes on (what is stored stays), and at most ${high}, the end of ${topic}/${partition}; got ${to}`,
    );
  const key = { logId, sourceEpoch: place.sourceEpoch, topic, partition };
  const ledger = openLedger(clickhouse);
  const store = openBatchStore(clickhouse);
  const tail = await ledger.tail(key);
  const clock = createDatabaseClock(store, systemClock);
  await clock.measure();
  const writer = holderName('positions');
  const gap = emptyClaim(
    { firstOffset: place.position, lastOffset: to - 1 },
    {
      receivedAt: Math.max(clock.now(), tail?.receivedAt ?? 0),
      writer,
      sequence: (tail?.sequence ?? 0) + 1,
      note: reason,
      gapReason: 'OPERATOR_RESET',
    },
  );
  const maker = createBatchMaker(await makeDecoder(config));
  const claims = createWriter({ ledger, store, maker, writer, logger: silentLogger });
  const { kind } = await claims.claimOnly({ key, revoked: new AbortController().signal }, gap);
  if (kind !== 'stored')
    throw new AuditError(
      'NOT_READY',
      `Another process went on with ${topic}/${partition} meanwhile; nothing was left out. Stop ingest, then reset again`,
    );
  return { topic, sourceEpoch: key.sourceEpoch, partition, position: to, isOpen: false };
}
