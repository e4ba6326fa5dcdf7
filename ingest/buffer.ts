/** How much memory ingest may need for records on their way, however long the database is away. */
import { type BatchLimits, bytesOf } from './life.ts';

const mebibyte = 1024 * 1024;
/** A fetch asks for so much of one partition, and for so much of all that one broker leads. */
export const maxPartitionFetchBytes = 8 * mebibyte;
export const maxFetchBytes = 32 * mebibyte;
/** A record that waits is more than its value: the object around it, its headers, its place in a list. */
export const recordOverheadBytes = 320;

/** What waits of one partition, beside the batch that grows: enough to go on with while that one is written. */
export const readAheadBytes = ({ bytes }: Pick<BatchLimits, 'bytes'>): number => Math.min(bytes, 16 * mebibyte);

/**
 * Bytes beyond what the process holds at rest. Each partition has one batch that is written, as values, as texts by column
 * and as the block on the wire, and beside it what was read ahead, which ends with a whole fetch. The client of Kafka holds
 * one answer of a broker as it comes, and once more as it is taken apart.
 */
export function bufferBound(limits: Pick<BatchLimits, 'bytes'>, partitions: number): number {
  const ahead = readAheadBytes(limits) + Math.min(maxPartitionFetchBytes, limits.bytes);
  return partitions * (3 * bytesOf(partitions, limits) + ahead) + 2 * maxFetchBytes;
}
