/** Places of the ledger, and what of it lies beyond a position in each: found by the key, however long the ledger is. */
import type { Parameters } from './clickhouse.ts';
import type { PartitionKey } from './ledger.ts';

export const placeOf = ({ logId, sourceEpoch, topic, partition }: PartitionKey): string =>
  JSON.stringify([logId, sourceEpoch, topic, partition]);

/** The columns that name a place. */
export const ofPlace = 'log_id, source_epoch, topic, kafka_partition';

export interface PlaceRow {
  readonly log_id: string;
  readonly source_epoch: number;
  readonly topic: string;
  readonly kafka_partition: number;
}

export const keyOf = (row: PlaceRow): PartitionKey => ({
  logId: row.log_id,
  sourceEpoch: row.source_epoch,
  topic: row.topic,
  partition: row.kafka_partition,
});

/** A condition on rows of `batches`: those that begin at or beyond the offset of their place, and all of places that have none. */
export function beyond(offsets: Readonly<Record<string, number>>): { readonly sql: string; readonly parameters: Parameters } {
  const parameters: Record<string, unknown> = {};
  // Each for itself: the key leaves out what lies before, which it does not for one expression over all.
  const covered = Object.entries(offsets).map(([place, offset], at) => {
    const [logId, epoch, topic, partition] = JSON.parse(place) as [string, number, string, number]; // placeOf wrote it
    Object.assign(parameters, { [`l${at}`]: logId, [`e${at}`]: epoch, [`t${at}`]: topic, [`p${at}`]: partition, [`o${at}`]: offset });
    return `NOT (log_id = {l${at}:String} AND source_epoch = {e${at}:UInt16} AND topic = {t${at}:String} AND kafka_partition = {p${at}:UInt32} AND first_offset < {o${at}:Int64})`;
  });
  return { sql: covered.length === 0 ? '1' : covered.join('\n    AND '), parameters };
}
