/**
 * Rows of the ledger that stand beside the chain: a replay reads dead letters of a closed claim again. It has the key, the
 * range and the time of that claim. `records` is how many dead letters it settled, `events` and `skipped` are what became of
 * them, `note` says which ones. A row that is settled is closed, and is all that others look at.
 */
import type { ClickHouse } from './clickhouse.ts';
import { type Claim, effective, ofBatch, ofPartition, type PartitionKey, readRows, rowInserter } from './ledger.ts';
import { keyOf, ofPlace, type PlaceRow } from './ledger-places.ts';

export interface Place {
  readonly offset: number;
  readonly index: number;
}

export interface ReplayLedger {
  /** Effective rows of the replays of a claim, in their order. @throws LEDGER_INCONSISTENT */
  of(key: PartitionKey, firstOffset: number): Promise<Claim[]>;
  /** Inserts the row unless its number is taken. Success says nothing: read back. */
  insert(key: PartitionKey, claim: Claim, token: string): Promise<void>;
  /** The log that a partition was read from: a life of a topic is of one log. Null where nothing was read. */
  logOf(place: Omit<PartitionKey, 'logId'>): Promise<string | null>;
  /** Of all partitions: replays that nobody has closed. */
  open(): Promise<{ readonly key: PartitionKey; readonly firstOffset: number; readonly replay: number }[]>;
}

export function openReplayLedger(clickhouse: ClickHouse): ReplayLedger {
  const insert = rowInserter(clickhouse);
  return {
    async of(key, firstOffset) {
      const condition = `${ofPartition.replace('replay = {replay:UInt16}', 'replay > 0')}\n  AND ${ofBatch}`;
      const rows = await readRows(clickhouse, key, { condition, tail: 'ORDER BY replay, revision, attempt', parameters: { firstOffset } });
      const numbers = [...new Set(rows.map(({ replay }) => replay))];
      return numbers.flatMap((number) => effective(rows.filter(({ replay }) => replay === number)));
    },
    insert: (key, claim, token) => insert(key, claim, token, `NOT EXISTS (SELECT 1 FROM batches WHERE ${ofPartition} AND ${ofBatch})`),
    async logOf({ sourceEpoch, topic, partition }) {
      const [row] = await clickhouse.rows<{ log_id: string }>(
        `SELECT log_id
FROM batches
WHERE source_epoch = {sourceEpoch:UInt16} AND topic = {topic:String} AND kafka_partition = {partition:UInt32}
LIMIT 1`,
        { parameters: { sourceEpoch, topic, partition } },
      );
      return row?.log_id ?? null;
    },
    async open() {
      const rows = await clickhouse.rows<PlaceRow & { readonly first_offset: string; readonly replay: number }>(
        `SELECT ${ofPlace}, first_offset, replay
FROM batches
WHERE replay > 0
GROUP BY ${ofPlace}, first_offset, replay
HAVING max(settled) = 0
ORDER BY ${ofPlace}, first_offset, replay`,
      );
      return rows.map((row) => ({ key: keyOf(row), firstOffset: Number(row.first_offset), replay: row.replay }));
    },
  };
}

/** Longest `note`: parameters travel in the URL, and some servers take no more than 16 KiB of it. */
export const maxNoteLength = 6_000;

/**
 * Positions in rising order as one short text, which needs no escaping in a URL: steps from one offset to the next, and the
 * index where it is not 0. `first` is the offset that the first step is counted from.
 */
export function writePlaces(places: readonly Place[], first: number): string {
  let before = first;
  const steps = places.map(({ offset, index }) => {
    const step = offset - before;
    before = offset;
    return index === 0 ? String(step) : `${step}.${index}`;
  });
  return steps.join('_');
}

export function readPlaces(note: string, first: number): Place[] {
  let offset = first;
  if (note === '') return [];
  return note.split('_').map((text) => {
    const [step, index = 0] = text.split('.').map(Number);
    offset += step ?? 0;
    return { offset, index };
  });
}
