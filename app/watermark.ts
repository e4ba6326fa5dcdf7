/** How far stored data reaches, for the alerts: over closed claims alone, and with the ends of the log where they can be asked. */
import type { Clock } from '../core/clock.ts';
import type { Watermark } from '../alerts/pipeline.ts';
import type { Log } from '../ingest/log.ts';
import { judge } from '../ingest/judge.ts';
import { openBatchStore } from '../storage/batch-store.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import { type Closed, type ClosedReader, createClosedReader } from '../storage/closed.ts';
import { minutesBetween, type Positions } from '../storage/new-minutes.ts';

export function closedReader(clickhouse: ClickHouse, clock: Clock): ClosedReader {
  return createClosedReader(clickhouse, {
    store: openBatchStore(clickhouse),
    clock,
    holds: (claim, found) => judge(claim, found).kind === 'complete',
  });
}

interface Options {
  readonly log: Log;
  readonly topics: readonly string[];
  readonly clock: Clock;
}

export function openWatermark(clickhouse: ClickHouse, { log, topics, clock }: Options): Watermark {
  const closed = closedReader(clickhouse, clock);
  return {
    async eventTime() {
      const { watermark } = await closed.read(await endsOf(log, topics));
      return watermark === 0 ? null : watermark / 1000;
    },
    async newMinutes(mark) {
      const now = positionsOf(await closed.read());
      const before = mark === '' ? null : (JSON.parse(mark) as Positions); // our own mark
      return { minutes: before === null ? [] : await minutesBetween(clickhouse, before, now), mark: JSON.stringify(now) };
    },
  };
}

/** Where each partition of the log ends, by `TOPIC/PARTITION`. */
export async function endsOf(log: Log, topics: readonly string[]): Promise<ReadonlyMap<string, number>> {
  return new Map((await log.bounds(topics)).map(({ topic, partition, high }) => [`${topic}/${partition}`, high]));
}

function positionsOf({ partitions }: Closed): Positions {
  return Object.fromEntries(
    partitions.map(({ sourceEpoch, topic, partition, position }) => [JSON.stringify([sourceEpoch, topic, partition]), position]),
  );
}
