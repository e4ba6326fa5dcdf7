/** Which minutes got events between two states of the ledger: what was judged before may have to be judged again. */
import type { ClickHouse } from './clickhouse.ts';

/** Offset that reading goes on with, by [source epoch, topic, partition] as JSON. */
export type Positions = Readonly<Record<string, number>>;

/** Beginnings of minutes, milliseconds, in rising order. A partition that was not known before counts from its start. */
export async function minutesBetween(clickhouse: ClickHouse, before: Positions, now: Positions): Promise<number[]> {
  const minutes = new Set<number>();
  // A position is where a claim begins: those beyond it are found by the key.
  for (const [place, position] of Object.entries(now)) {
    const from = before[place] ?? 0;
    if (position <= from) continue;
    const [sourceEpoch, topic, partition] = JSON.parse(place) as [number, string, number]; // minutesBetween's caller wrote it
    const rows = await clickhouse.rows<{ minute: string }>(
      `SELECT DISTINCT toUnixTimestamp(toStartOfMinute(timestamp)) AS minute
FROM events
WHERE received_at >= (
    SELECT min(received_at)
    FROM batches
    WHERE source_epoch = {sourceEpoch:UInt16} AND topic = {topic:String} AND kafka_partition = {partition:UInt32} AND first_offset >= {from:Int64}
  )
  AND source_epoch = {sourceEpoch:UInt16}
  AND topic = {topic:String}
  AND kafka_partition = {partition:UInt32}
  AND kafka_offset >= {from:UInt64}
  AND kafka_offset < {position:UInt64}
  AND tenant != ''`,
      { parameters: { sourceEpoch, topic, partition, from, position } },
    );
    for (const { minute } of rows) minutes.add(Number(minute) * 1000);
  }
  return [...minutes].toSorted((a, b) => a - b);
}
