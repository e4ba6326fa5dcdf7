/** Which dead letters count: a batch that two versions of the reader stored at the same time has those of both. */

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
