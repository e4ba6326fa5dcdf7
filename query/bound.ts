/**
 * How far the data was stored when a walk through pages began: offsets by partition, never a time. What is stored later
 * stays out of the walk, however old it is and however late a writer comes back.
 */
import type { Closed } from '../storage/closed.ts';
import type { Condition } from './filter.ts';

/** Topic, current source epoch, and the first offset that is not stored, by partition; null is a partition nobody reads. */
export type Bound = readonly (readonly [topic: string, sourceEpoch: number, positions: readonly (number | null)[]])[];

export function boundOf({ partitions }: Pick<Closed, 'partitions'>): Bound {
  const topics = new Map<string, [string, number, (number | null)[]]>();
  for (const { topic, sourceEpoch, partition, position } of partitions) {
    const key = `${topic} ${sourceEpoch}`;
    const entry = topics.get(key) ?? [topic, sourceEpoch, []];
    while (entry[2].length <= partition) entry[2].push(null);
    entry[2][partition] = position;
    topics.set(key, entry);
  }
  return [...topics.values()];
}

/** Earlier lives of a topic are over: nobody writes them any more. */
export function boundCondition(bound: Bound): Condition {
  const parameters: Record<string, unknown> = {};
  const cases = bound.map(([topic, epoch, positions], at) => {
    const known = [...positions.entries()].filter(([, position]) => position !== null);
    parameters[`b${at}t`] = topic;
    parameters[`b${at}e`] = epoch;
    parameters[`b${at}p`] = known.map(([partition]) => partition);
    parameters[`b${at}o`] = known.map(([, position]) => position);
    const stored = `transform(kafka_partition, {b${at}p:Array(UInt32)}, {b${at}o:Array(UInt64)}, toUInt64(0))`;
    return `(topic = {b${at}t:String} AND (source_epoch < {b${at}e:UInt16} OR (source_epoch = {b${at}e:UInt16} AND kafka_offset < ${stored})))`;
  });
  return { sql: cases.length === 0 ? '0' : `(${cases.join(' OR ')})`, parameters };
}
