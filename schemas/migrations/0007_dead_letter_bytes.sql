-- Whole messages of dead letters, where `deadLetters.keepBytes` says so: they are read again by a replay once the log no longer
-- has them. Sealed (AES-256-GCM, a key of their own), because they stand here as they came. A day is dropped as a whole.
CREATE TABLE IF NOT EXISTS dead_letter_bytes (
  source_epoch UInt16,
  topic LowCardinality(String),
  kafka_partition UInt32,
  kafka_offset UInt64,
  received_at DateTime64(3, 'UTC'),
  key_id LowCardinality(String),
  -- Base64 of nonce, tag, and sealed headers and value.
  sealed String CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(received_at)
ORDER BY (source_epoch, topic, kafka_partition, kafka_offset)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
