/**
 * Whole messages of dead letters, sealed: where the configuration says so, they are kept a while longer than the log has
 * them. Idempotent by position: the same message again replaces itself.
 */
import { slices } from '../core/grouped.ts';
import type { ClickHouse } from './clickhouse.ts';
import { systemRows } from './cluster.ts';
import type { PartitionKey } from './ledger.ts';

type Place = Omit<PartitionKey, 'logId'>;

export interface KeptMessage {
  readonly offset: number;
  /** Of the batch, milliseconds. */
  readonly receivedAt: number;
  readonly keyId: string;
  readonly sealed: Buffer;
}

export interface KeptStore {
  keep(place: Place, messages: readonly KeptMessage[]): Promise<void>;
  read(place: Place, offsets: readonly number[]): Promise<KeptMessage[]>;
  /** Those of the offsets that are kept. */
  has(place: Place, offsets: readonly number[]): Promise<ReadonlySet<number>>;
  /** Drops the days (UTC) that ended before an instant, milliseconds. */
  dropBefore(instant: number): Promise<void>;
}

/** They travel in the URL. */
const offsetsPerStatement = 250;

const isThere = `source_epoch = {sourceEpoch:UInt16}
  AND topic = {topic:String}
  AND kafka_partition = {partition:UInt32}
  AND kafka_offset IN {offsets:Array(UInt64)}`;

export function openKept(clickhouse: ClickHouse): KeptStore {
  async function rows<Row>(select: string, { sourceEpoch, topic, partition }: Place, offsets: readonly number[]): Promise<Row[]> {
    const found: Row[] = [];
    for (const some of slices(offsets, offsetsPerStatement)) {
      const parameters = { sourceEpoch, topic, partition, offsets: some };
      const statement = `SELECT ${select}\nFROM dead_letter_bytes FINAL\nWHERE ${isThere}\nORDER BY kafka_offset`;
      found.push(...(await clickhouse.rows<Row>(statement, { parameters })));
    }
    return found;
  }

  return {
    async keep({ sourceEpoch, topic, partition }, messages) {
      if (messages.length === 0) return;
      await clickhouse.insertRows(
        'dead_letter_bytes',
        messages.map(({ offset, receivedAt, keyId, sealed }) => ({
          source_epoch: sourceEpoch,
          topic,
          kafka_partition: partition,
          kafka_offset: offset,
          received_at: new Date(receivedAt).toISOString(),
          key_id: keyId,
          sealed: sealed.toString('base64'),
        })),
      );
    },
    async read(place, offsets) {
      type Row = { readonly kafka_offset: string; readonly at: string; readonly key_id: string; readonly sealed: string };
      const found = await rows<Row>('kafka_offset, toUnixTimestamp64Milli(received_at) AS at, key_id, sealed', place, offsets);
      return found.map(({ kafka_offset, at, key_id, sealed }) => ({
        offset: Number(kafka_offset),
        receivedAt: Number(at),
        keyId: key_id,
        sealed: Buffer.from(sealed, 'base64'),
      }));
    },
    async has(place, offsets) {
      const found = await rows<{ readonly kafka_offset: string }>('kafka_offset', place, offsets);
      return new Set(found.map(({ kafka_offset }) => Number(kafka_offset)));
    },
    async dropBefore(instant) {
      const { from, table } = systemRows('parts', 'dead_letter_bytes', clickhouse.cluster);
      const days = await clickhouse.rows<{ partition: string }>(
        `SELECT DISTINCT partition
FROM ${from}
WHERE database = currentDatabase() AND table = {table:String} AND active
  AND toUInt32(partition) < toYYYYMMDD(fromUnixTimestamp64Milli({instant:Int64}, 'UTC'))`,
        { parameters: { table, instant } },
      );
      for (const { partition } of days) await clickhouse.run(`ALTER TABLE dead_letter_bytes DROP PARTITION ${partition}`);
    },
  };
}
