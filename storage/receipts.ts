/** What became of appended messages: how many events and dead letters stand at their positions. No content is read. */
import { slices } from '../core/grouped.ts';
import type { ClickHouse } from './clickhouse.ts';
import { counted } from './dead-letters.ts';

export interface Receipt {
  readonly events: number;
  readonly rejected: number;
  /** Dead letters by code. */
  readonly reasons: Readonly<Record<string, number>>;
}

export interface PartitionOffsets {
  readonly topic: string;
  readonly sourceEpoch: number;
  readonly partition: number;
  /** In rising order. */
  readonly offsets: readonly number[];
}

/** Runs of offsets that one statement names: they travel in the URL. */
const runsPerStatement = 250;

/** Counts what stands at the offsets now; whoever needs the whole waits until the ledger covers them. */
export async function receiptOf(clickhouse: ClickHouse, { offsets, ...place }: PartitionOffsets): Promise<Receipt> {
  const reasons: Record<string, number> = {};
  let events = 0;
  let rejected = 0;
  for (const chunk of slices(runsOf(offsets), runsPerStatement)) {
    for (const { code, n } of await countAt(clickhouse, place, chunk)) {
      if (code === '') events += Number(n);
      else {
        rejected += Number(n);
        reasons[code] = (reasons[code] ?? 0) + Number(n);
      }
    }
  }
  return { events, rejected, reasons };
}

async function countAt(clickhouse: ClickHouse, place: Omit<PartitionOffsets, 'offsets'>, runs: readonly [number, number][]) {
  const isThere = `topic = {topic:String}
  AND source_epoch = {epoch:UInt16}
  AND kafka_partition = {partition:UInt32}
  AND kafka_offset BETWEEN {low:UInt64} AND {high:UInt64}
  AND arrayExists((a, b) -> kafka_offset BETWEEN a AND b, {starts:Array(UInt64)}, {ends:Array(UInt64)})`;
  return clickhouse.rows<{ code: string; n: string }>(
    `SELECT '' AS code, count() AS n
FROM events
WHERE tenant != '' AND ${isThere}
UNION ALL
SELECT code, count() AS n
FROM dead_letters FINAL
WHERE ${counted(isThere)}
GROUP BY code`,
    {
      parameters: {
        topic: place.topic,
        epoch: place.sourceEpoch,
        partition: place.partition,
        low: runs[0]?.[0] ?? 0,
        high: runs.at(-1)?.[1] ?? 0,
        starts: runs.map(([first]) => first),
        ends: runs.map(([, last]) => last),
      },
    },
  );
}

function runsOf(offsets: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const offset of offsets) {
    const run = runs.at(-1);
    if (run && run[1] + 1 === offset) run[1] = offset;
    else runs.push([offset, offset]);
  }
  return runs;
}
