/** What a batch leaves in the tables besides its claim, and what reading it back shows. */
import type { ClickHouse } from './clickhouse.ts';
import { atShard, type Place, quorumOf, syncReplica } from './cluster.ts';
import { type DeadLetter, toLetterRow } from './dead-letters.ts';
import type { Claim, PartitionKey } from './ledger.ts';
import { isRefusedForGood } from './refusals.ts';
import { readFloor } from './retention-floor.ts';

/** What stands in the range of a claim. */
export interface Found {
  /** Rows and distinct positions of events. */
  readonly events: number;
  readonly distinct: number;
  /** What the parts say of themselves; one value each when one batch stored them. */
  readonly batchEvents: readonly number[];
  readonly normalisers: readonly string[];
  /** Dead letters by the normaliser that wrote them; not looked for where the events are those of a claim without any. */
  readonly deadLetters: Readonly<Record<string, number>>;
}

export type BatchIdentity = Pick<Claim, 'firstOffset' | 'receivedAt' | 'normaliser'>;

/** The partition of a batch, and the shard that its claim names. */
export type BatchPlace = Pick<PartitionKey, 'topic' | 'partition'> & Pick<Claim, 'shard'>;

export interface BatchStore {
  /** Token and part become known together, through Keeper: success and nothing there means wait, and no suffix is ever needed. */
  readonly replicated?: boolean;
  /** One block under a token. Success says nothing: read back. `at` says which shard it is for, where there are shards. */
  insertEvents(block: Buffer, token: string, at?: BatchPlace): Promise<void>;
  /** Idempotent by position, and beside those of another normaliser. */
  insertDeadLetters(key: PartitionKey, batch: BatchIdentity, letters: readonly DeadLetter[]): Promise<void>;
  /** Events of the claim's own replay; of a replay no dead letters are looked for. */
  found(key: PartitionKey, claim: Claim): Promise<Found>;
  /** Whether a block could be stored; it is tried beside the table and leaves nothing. */
  accepts(block: Buffer): Promise<boolean>;
  /** Whether an event of the partition stands beyond the last claim. */
  hasEventsBeyond(key: PartitionKey, claim: Claim): Promise<boolean>;
  /** ClickHouse's clock, milliseconds. */
  now(): Promise<number>;
  /** Nothing may be stored that was received before this instant, milliseconds. */
  floor(): Promise<number>;
}

const inRange = `source_epoch = {sourceEpoch:UInt16}
  AND topic = {topic:String}
  AND kafka_partition = {partition:UInt32}
  AND kafka_offset BETWEEN {firstOffset:Int64} AND {lastOffset:Int64}`;

const dayMs = 86_400_000;

export function openBatchStore(clickhouse: ClickHouse): BatchStore {
  return {
    replicated: clickhouse.cluster !== undefined,
    insertEvents: (block, token, at = { topic: '', partition: 0 }) =>
      atShard(clickhouse, at, ({ node, table }) =>
        // A batch belongs to one day: an insert over two fails whole instead of becoming two parts under one token.
        node.insertBlock(table, block, { token, settings: { max_partitions_per_insert_block: 1, ...quorumOf(clickhouse) } }),
      ),
    async insertDeadLetters(key, batch, letters) {
      if (letters.length === 0) return;
      await clickhouse.insertRows(
        'dead_letters',
        letters.map((letter) => toLetterRow({ ...key, ...batch, ...letter, replayedAt: null })),
      );
    },
    async found(key, claim) {
      const range = { ...key, firstOffset: claim.firstOffset, lastOffset: claim.lastOffset };
      return atShard(clickhouse, { ...key, shard: claim.shard }, async (place) => {
        // In this order: a writer stores its dead letters first, so whoever sees its events sees them as well.
        if (clickhouse.cluster) await syncReplica(place.node, place.table);
        const found = await foundEvents(place, { ...range, replay: claim.replay ?? 0 }, claim.receivedAt);
        if (claim.replay !== undefined || hasNoLetters(claim, found)) return { ...found, deadLetters: {} };
        if (clickhouse.cluster) await syncReplica(place.node, 'dead_letters');
        return { ...found, deadLetters: await foundLetters(place.node, range) };
      });
    },
    accepts: (block) => atShard(clickhouse, { topic: '', partition: 0 }, (place) => isAccepted(place, block)),
    async hasEventsBeyond(key, claim) {
      const [row] = await clickhouse.rows<{ n: string }>(
        `SELECT count() AS n
FROM events
WHERE received_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
  AND source_epoch = {sourceEpoch:UInt16}
  AND topic = {topic:String}
  AND kafka_partition = {partition:UInt32}
  AND kafka_offset > {lastOffset:Int64}`,
        { parameters: { ...key, lastOffset: claim.lastOffset, since: Math.max(0, claim.receivedAt - dayMs) } },
      );
      return row?.n !== '0';
    },
    async now() {
      const [row] = await clickhouse.rows<{ now: string }>('SELECT toUnixTimestamp64Milli(now64(3)) AS now');
      return Number(row?.now);
    },
    floor: () => readFloor(clickhouse),
  };
}

/** Beside the table, in one that keeps no token and is on this node alone. */
async function isAccepted({ node, table }: Place, block: Buffer): Promise<boolean> {
  const engine = table === 'events' ? '' : ' ENGINE = MergeTree ORDER BY (tenant, timestamp)';
  await node.run(`CREATE TABLE IF NOT EXISTS refused_events AS ${table}${engine}`);
  try {
    await node.insertBlock('refused_events', block, {});
    return true;
  } catch (error) {
    if (isRefusedForGood(error)) return false;
    throw error;
  } finally {
    await node.run('TRUNCATE TABLE refused_events');
  }
}

type OffsetRange = PartitionKey & { readonly firstOffset: number; readonly lastOffset: number };

/** A day on both sides: every copy of a batch carries its claim's time, and other days need not be opened. */
async function foundEvents(
  { node, table }: Place,
  range: OffsetRange & { readonly replay: number },
  receivedAt: number,
): Promise<Omit<Found, 'deadLetters'>> {
  const [row] = await node.rows<{ events: string; distinct: string; batch_events: number[]; normalisers: string[] }>(
    `SELECT count() AS events, uniqExact(kafka_offset, message_index) AS distinct,
  groupUniqArray(batch_events) AS batch_events, groupUniqArray(normaliser) AS normalisers
FROM ${table}
WHERE received_at BETWEEN fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  AND ${inRange}
  AND replay = {replay:UInt16}`,
    { parameters: { ...range, since: Math.max(0, receivedAt - dayMs), until: receivedAt + dayMs } },
  );
  return {
    events: Number(row?.events ?? 0),
    distinct: Number(row?.distinct ?? 0),
    batchEvents: row?.batch_events ?? [],
    normalisers: row?.normalisers ?? [],
  };
}

/** Every event that was claimed, from the reader that claimed it, which rejects nothing of these messages: then it has no dead letters. */
function hasNoLetters(claim: Claim, { events, normalisers: [normaliser, ...others] }: Omit<Found, 'deadLetters'>): boolean {
  return claim.rejected === 0 && events > 0 && events === claim.events && normaliser === claim.normaliser && others.length === 0;
}

async function foundLetters(clickhouse: ClickHouse, range: OffsetRange): Promise<Record<string, number>> {
  const rows = await clickhouse.rows<{ normaliser: string; n: string }>(
    `SELECT normaliser, count() AS n
FROM dead_letters FINAL
WHERE ${inRange}
GROUP BY normaliser`,
    { parameters: { ...range } },
  );
  return Object.fromEntries(rows.map(({ normaliser, n }) => [normaliser, Number(n)]));
}
