/**
 * Dead letters as they are stored. A later version of one has another reason, or says when it was read again. Which ones
 * count: a batch that two versions of the reader stored at the same time has those of both.
 */
import type { ClickHouse } from './clickhouse.ts';
import { inSync } from './cluster.ts';
import type { Claim, PartitionKey } from './ledger.ts';

export interface DeadLetter {
  readonly offset: number;
  readonly index: number;
  readonly tenant: string;
  /** A code of the catalogue, for instance UNKNOWN_FORMAT. */
  readonly code: string;
  /** JSON path inside the element, '' for the whole. */
  readonly path: string;
  /** What was expected and what came, without values. */
  readonly message: string;
  readonly detectedFormat: string;
  /** Redacted, at most 4 KiB. */
  readonly excerpt: string;
  /** Size and hash of the whole element (of the message where it could not be opened). */
  readonly bytes: number;
  readonly sha256: string;
}

export interface StoredLetter extends DeadLetter, Omit<PartitionKey, 'logId'> {
  /** Of its batch. */
  readonly firstOffset: number;
  readonly normaliser: string;
  /** Milliseconds. */
  readonly receivedAt: number;
  readonly replayedAt: number | null;
}

export interface LetterStore {
  /** A later version of each, with another reason or none. `at` in milliseconds. */
  restate(letters: readonly StoredLetter[], at: number): Promise<void>;
  /** What a replay settled was read again `at`, and stays so whatever comes later; again, it changes nothing. */
  markReplayed(key: PartitionKey, replay: Pick<Claim, 'firstOffset' | 'note'>, at: number): Promise<void>;
}

/** Above all times in milliseconds. */
const replayedVersion = 1e15;

/** Positions as `writePlaces` wrote them. */
const noted = `SELECT arrayJoin(arrayZip(
      arrayCumSum(arrayMap((step, at) -> toInt64(splitByChar('.', step)[1]) + if(at = 1, {firstOffset:Int64}, 0), steps, arrayEnumerate(steps))),
      arrayMap(step -> toInt64OrZero(splitByChar('.', step)[2]), steps)))
    FROM (SELECT splitByChar('_', {note:String}) AS steps)`;

export function openLetters(clickhouse: ClickHouse): LetterStore {
  return {
    async restate(letters, at) {
      if (letters.length === 0) return;
      await clickhouse.insertRows(
        'dead_letters',
        letters.map((letter) => ({ ...toLetterRow(letter), version: at })),
      );
    },
    async markReplayed(key, { firstOffset, note }, at) {
      const isSettled = `source_epoch = {sourceEpoch:UInt16}
  AND topic = {topic:String}
  AND kafka_partition = {partition:UInt32}
  AND first_offset = {firstOffset:Int64}
  AND (toInt64(kafka_offset), toInt64(message_index)) IN (
    ${noted}
  )`;
      const { sourceEpoch, topic, partition } = key;
      const parameters = { sourceEpoch, topic, partition, firstOffset, note, at, version: replayedVersion + at };
      await inSync(clickhouse, 'dead_letters', key, (node) =>
        node.run(
          `INSERT INTO dead_letters
SELECT * REPLACE (fromUnixTimestamp64Milli({at:Int64}, 'UTC') AS replayed_at, {version:UInt64} AS version)
FROM (
  SELECT *
  FROM dead_letters FINAL
  WHERE ${counted(isSettled)}
    AND isNull(replayed_at)
)`,
          { parameters, settings: { async_insert: 0 } },
        ),
      );
    },
  };
}

/** A row as `letterColumns` select it. */
export interface LetterRow {
  readonly source_epoch: number;
  readonly topic: string;
  readonly kafka_partition: number;
  readonly kafka_offset: string;
  readonly message_index: number;
  readonly normaliser: string;
  readonly first_offset: string;
  readonly arrival_ms: string;
  readonly tenant: string;
  readonly code: string;
  readonly path: string;
  readonly message: string;
  readonly detected_format: string;
  readonly excerpt: string;
  readonly bytes: string;
  readonly sha256: string;
  readonly replayed_ms: string | null;
}

export const letterColumns = `source_epoch, topic, kafka_partition, kafka_offset, message_index, normaliser, first_offset, tenant, code, path,
  message, detected_format, excerpt, bytes, sha256, toUnixTimestamp64Milli(received_at) AS arrival_ms,
  toUnixTimestamp64Milli(replayed_at) AS replayed_ms`;

export const toLetter = (row: LetterRow): StoredLetter => ({
  sourceEpoch: row.source_epoch,
  topic: row.topic,
  partition: row.kafka_partition,
  offset: Number(row.kafka_offset),
  index: row.message_index,
  normaliser: row.normaliser,
  firstOffset: Number(row.first_offset),
  receivedAt: Number(row.arrival_ms),
  tenant: row.tenant,
  code: row.code,
  path: row.path,
  message: row.message,
  detectedFormat: row.detected_format,
  excerpt: row.excerpt,
  bytes: Number(row.bytes),
  sha256: row.sha256,
  replayedAt: row.replayed_ms === null ? null : Number(row.replayed_ms),
});

export const toLetterRow = (letter: StoredLetter): object => ({
  source_epoch: letter.sourceEpoch,
  topic: letter.topic,
  kafka_partition: letter.partition,
  kafka_offset: letter.offset,
  message_index: letter.index,
  normaliser: letter.normaliser,
  first_offset: letter.firstOffset,
  received_at: new Date(letter.receivedAt).toISOString(),
  tenant: letter.tenant,
  code: letter.code,
  path: letter.path,
  message: letter.message,
  detected_format: letter.detectedFormat,
  excerpt: letter.excerpt,
  bytes: letter.bytes,
  sha256: letter.sha256,
  ...(letter.replayedAt !== null && { replayed_at: new Date(letter.replayedAt).toISOString() }),
});

/** The condition of a statement `FROM dead_letters FINAL`: `condition`, and written by the normaliser that the ledger names. */
export function counted(condition: string): string {
  return `(${condition})
  AND (source_epoch, topic, kafka_partition, first_offset, normaliser) IN (
    SELECT source_epoch, topic, kafka_partition, first_offset, argMax(normaliser, (revision, attempt))
    FROM batches
    WHERE replay = 0
      AND (source_epoch, topic, kafka_partition, first_offset) IN (
        SELECT source_epoch, topic, kafka_partition, first_offset
        FROM dead_letters
        WHERE ${condition}
      )
    GROUP BY log_id, source_epoch, topic, kafka_partition, first_offset
  )`;
}
