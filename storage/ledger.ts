/**
 * The ledger `batches`: which range of a partition each batch covers, decided by a compare-and-swap. The claim of a batch is
 * written before anything else of it, under a token that names where the batch starts; reading back says whose it is.
 */
import { AuditError } from '../core/errors.ts';
import type { ClickHouse } from './clickhouse.ts';
import { inSync, quorumOf, shardOf } from './cluster.ts';

/** One partition of one life of a topic in one log. */
export interface PartitionKey {
  readonly logId: string;
  readonly sourceEpoch: number;
  readonly topic: string;
  readonly partition: number;
}

export type GapReason = '' | 'RETENTION_OVERRUN' | 'COMPACTION' | 'TRANSACTION_MARKER' | 'OPERATOR_RESET';

/** What a batch is. Times: `receivedAt` and `lastTimestamp` in milliseconds, the two others in microseconds. */
export interface Claim {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly messages: number;
  readonly records: number;
  readonly events: number;
  readonly rejected: number;
  readonly skipped: number;
  readonly gapReason: GapReason;
  readonly note: string;
  readonly receivedAt: number;
  readonly minTimestamp: number;
  readonly maxTimestamp: number;
  readonly normaliser: string;
  readonly lastSha256: string;
  readonly lastTimestamp: number;
  readonly settled: boolean;
  readonly attempt: number;
  readonly writer: string;
  readonly revision: number;
  readonly sequence: number;
  /** Where its events are, from 1 on; left out where there are no shards. */
  readonly shard?: number | undefined;
  /** From 1 on: dead letters of the claim that were read again; left out of the chain itself. */
  readonly replay?: number;
}

/** The origin of a partition covers everything before the first offset that is read. */
export const originOffset = -1;

export interface Ledger {
  /**
   * The life of the topic that is current: the highest one that was recorded of this log, 1 before anything was of any.
   * Null as log: the highest of all logs, so that the next one is new whatever log it is of.
   * @throws LOG_REPLACED where the ledger knows the topic from another log alone: its positions would pass for those of this one
   */
  sourceEpoch(logId: string | null, topic: string): Promise<number>;
  /** Effective claims with firstOffset >= `from`, in order, at most `limit`. @throws LEDGER_INCONSISTENT */
  claimsFrom(key: PartitionKey, from: number, limit: number): Promise<Claim[]>;
  /** The effective last claim. @throws LEDGER_INCONSISTENT */
  tail(key: PartitionKey): Promise<Claim | null>;
  /** Inserts the claim unless its position was passed already. Success says nothing: read back. */
  insertClaim(key: PartitionKey, claim: Claim, token: string): Promise<void>;
  /** A later row of the same claim: other counts, never another range or time. Success says nothing: read back. */
  insertRevision(key: PartitionKey, claim: Claim, token: string): Promise<void>;
}

/** `place` is a topic, or topic/partition; a topic has no slash in its name. */
export function logReplaced(place: string, why: string): AuditError {
  const [topic = place] = place.split('/');
  const message = `${place} is not the log that the ledger knows: ${why}. If the topic was made anew on purpose, accept it with gatetrail positions new-epoch --topic ${topic} --reason TEXT`;
  return new AuditError('LOG_REPLACED', message);
}

export function claimToken(key: PartitionKey, firstOffset: number, replay = 0): string {
  const start = firstOffset === originOffset ? 'origin' : String(firstOffset);
  const token = `${key.logId}:${key.sourceEpoch}:${key.topic}:${key.partition}:${start}`;
  return replay === 0 ? token : `${token}:replay:${replay}`;
}

export interface ClaimRow {
  readonly first_offset: string;
  readonly last_offset: string;
  readonly messages: number;
  readonly records: number;
  readonly events: number;
  readonly rejected: number;
  readonly skipped: number;
  readonly gap_reason: GapReason;
  readonly note: string;
  readonly received_at_ms: string;
  readonly min_timestamp_us: string;
  readonly max_timestamp_us: string;
  readonly normaliser: string;
  readonly last_sha256: string;
  readonly last_timestamp_ms: string;
  readonly settled: number;
  readonly attempt: number;
  readonly writer: string;
  readonly revision: number;
  readonly sequence: string;
  readonly shard: number;
  readonly replay: number;
}

export const ofPartition = `log_id = {logId:String}
  AND source_epoch = {sourceEpoch:UInt16}
  AND topic = {topic:String}
  AND kafka_partition = {partition:UInt32}
  AND replay = {replay:UInt16}`;

export const ofBatch = 'first_offset = {firstOffset:Int64}';

export const claimColumns = `first_offset, last_offset, messages, records, events, rejected, skipped, gap_reason, note,
  toUnixTimestamp64Milli(received_at) AS received_at_ms,
  toUnixTimestamp64Micro(min_timestamp) AS min_timestamp_us,
  toUnixTimestamp64Micro(max_timestamp) AS max_timestamp_us,
  normaliser, last_sha256,
  toUnixTimestamp64Milli(last_timestamp) AS last_timestamp_ms,
  settled, attempt, writer, revision, sequence, shard, replay`;

/** A one-row INSERT … SELECT is one block by nature. */
const underToken = (token: string) => ({
  async_insert: 0,
  insert_deduplicate: 1,
  deduplicate_insert_select: 'force_enable',
  insert_deduplication_token: token,
});

/** One row, where the condition holds. Success says nothing: read back. */
export type InsertRow = (key: PartitionKey, claim: Claim, token: string, condition: string) => Promise<void>;

export const rowInserter =
  (clickhouse: ClickHouse): InsertRow =>
  async (key, claim, token, condition) => {
    const { cluster } = clickhouse;
    const shard = cluster === undefined ? 0 : (claim.shard ?? shardOf(key, await cluster.shards()));
    const statement = `INSERT INTO batches
SELECT {logId:String}, {sourceEpoch:UInt16}, {topic:String}, {partition:UInt32}, {firstOffset:Int64}, {replay:UInt16}, {lastOffset:Int64},
  {messages:UInt32}, {records:UInt32}, {events:UInt32}, {rejected:UInt32}, {skipped:UInt32}, {gapReason:String}, {note:String},
  fromUnixTimestamp64Milli({receivedAt:Int64}, 'UTC'), fromUnixTimestamp64Micro({minTimestamp:Int64}, 'UTC'),
  fromUnixTimestamp64Micro({maxTimestamp:Int64}, 'UTC'), {normaliser:String}, {lastSha256:String},
  fromUnixTimestamp64Milli({lastTimestamp:Int64}, 'UTC'), {settled:UInt8}, {attempt:UInt8}, {shard:UInt16}, {writer:String},
  {revision:UInt32}, {sequence:UInt64}
WHERE ${condition}`;
    const parameters = { ...key, replay: 0, ...claim, shard, settled: claim.settled ? 1 : 0 };
    await inSync(clickhouse, 'batches', key, (node) =>
      node.run(statement, { parameters, settings: { ...underToken(token), ...quorumOf(clickhouse) } }),
    );
  };

export interface Wanted {
  readonly condition: string;
  /** What follows WHERE. */
  readonly tail: string;
  readonly parameters?: object;
}

/** Rows of a partition, those of the chain where nothing is said. */
export async function readRows(clickhouse: ClickHouse, key: PartitionKey, { condition, tail, parameters }: Wanted): Promise<Claim[]> {
  const sql = `SELECT ${claimColumns}\nFROM batches\nWHERE ${condition}\n${tail}`;
  const bound = { parameters: { ...key, replay: 0, ...parameters } };
  return (await inSync(clickhouse, 'batches', key, (node) => node.rows<ClaimRow>(sql, bound))).map(toClaim);
}

/** From the state that was observed alone: the revision before it is there, and nobody has written this one. */
const isObserved = `EXISTS (SELECT 1 FROM batches WHERE ${ofPartition} AND ${ofBatch} AND last_offset = {lastOffset:Int64} AND revision = {revision:UInt32} - 1)
  AND NOT EXISTS (SELECT 1 FROM batches WHERE ${ofPartition} AND ${ofBatch} AND revision >= {revision:UInt32})`;

export function openLedger(clickhouse: ClickHouse): Ledger {
  const insert = rowInserter(clickhouse);
  const read = async (key: PartitionKey, condition: string, tail: string, parameters: object = {}): Promise<Claim[]> =>
    effective(await readRows(clickhouse, key, { condition: `${ofPartition}\n  AND ${condition}`, tail, parameters }));

  return {
    async sourceEpoch(logId, topic) {
      const sql = `SELECT maxIf(source_epoch, log_id = {logId:String}) AS own, max(source_epoch) AS highest, argMax(log_id, source_epoch) AS other
FROM batches
WHERE topic = {topic:String}`;
      const [row] = await inSync(clickhouse, 'batches', { topic, partition: 0 }, (node) =>
        node.rows<{ own: number; highest: number; other: string }>(sql, { parameters: { logId: logId ?? '', topic } }),
      );
      if (logId === null || row === undefined || row.highest === 0) return Math.max(1, row?.highest ?? 1);
      // Also a log that was the topic's once: an epoch is one life, and the one of another log came after it.
      if (row.own < row.highest) throw logReplaced(topic, `it has the topic from log ${row.other}, and this is log ${logId}`);
      return row.own;
    },
    // Revisions are few: three rows a claim are more than enough to hold all of `limit` claims.
    claimsFrom: async (key, from, limit) =>
      (
        await read(key, 'first_offset >= {from:Int64}', 'ORDER BY first_offset, revision, attempt\nLIMIT {rows:UInt32}', {
          from,
          rows: limit * 3,
        })
      ).slice(0, limit),
    async tail(key) {
      // Read backwards by the key: the largest one of all would be looked for in the whole chain.
      const last = `first_offset = (SELECT first_offset FROM batches WHERE ${ofPartition} ORDER BY first_offset DESC LIMIT 1)`;
      return (await read(key, last, 'ORDER BY revision, attempt')).at(-1) ?? null;
    },
    // The token decides between writers that race; the condition stops one that comes late, even after the token is forgotten.
    insertClaim: (key, claim, token) =>
      insert(key, claim, token, `NOT EXISTS (SELECT 1 FROM batches WHERE ${ofPartition} AND first_offset >= {firstOffset:Int64})`),
    insertRevision: (key, claim, token) => insert(key, claim, token, isObserved),
  };
}

export function toClaim(row: ClaimRow): Claim {
  return {
    firstOffset: Number(row.first_offset),
    lastOffset: Number(row.last_offset),
    messages: row.messages,
    records: row.records,
    events: row.events,
    rejected: row.rejected,
    skipped: row.skipped,
    gapReason: row.gap_reason,
    note: row.note,
    receivedAt: Number(row.received_at_ms),
    minTimestamp: Number(row.min_timestamp_us),
    maxTimestamp: Number(row.max_timestamp_us),
    normaliser: row.normaliser,
    lastSha256: row.last_sha256,
    lastTimestamp: Number(row.last_timestamp_ms),
    settled: row.settled === 1,
    attempt: row.attempt,
    writer: row.writer,
    revision: row.revision,
    sequence: Number(row.sequence),
    ...(row.shard > 0 && { shard: row.shard }),
    ...(row.replay > 0 && { replay: row.replay }),
  };
}

/**
 * The row that counts of each claim: highest revision, then highest attempt. A claim never changes its range or its time,
 * and two different rows of one (revision, attempt) are a fault that nobody may settle by choosing.
 * @throws LEDGER_INCONSISTENT
 */
export function effective(rows: readonly Claim[]): Claim[] {
  const claims = new Map<number, Claim>();
  for (const row of rows) {
    const other = claims.get(row.firstOffset);
    if (other && contradicts(row, other)) {
      throw new AuditError('LEDGER_INCONSISTENT', `The ledger has two different rows for the batch at offset ${row.firstOffset}`, {
        facts: { row, other },
      });
    }
    if (!other || isLater(row, other)) claims.set(row.firstOffset, row);
  }
  return [...claims.values()];
}

function isLater(row: Claim, other: Claim): boolean {
  return row.revision > other.revision || (row.revision === other.revision && row.attempt > other.attempt);
}

function contradicts(row: Claim, other: Claim): boolean {
  if (row.revision === other.revision && row.attempt === other.attempt) return JSON.stringify(row) !== JSON.stringify(other);
  return row.lastOffset !== other.lastOffset || row.receivedAt !== other.receivedAt;
}
