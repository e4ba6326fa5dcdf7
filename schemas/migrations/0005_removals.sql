-- What retention takes away. A row is written before what it counts goes, and counts one batch (place and arrival), so that
-- any range of arrival can be explained. Counting again after a crash writes the same key; the larger count stays.
CREATE TABLE IF NOT EXISTS removals (
  -- events or dead_letters.
  kind LowCardinality(String),
  received_at DateTime64(3, 'UTC'),
  source_epoch UInt16,
  topic LowCardinality(String),
  kafka_partition UInt32,
  -- The class of `retention.classes` whose rows went; '' where the whole day went.
  class LowCardinality(String),
  -- Whose they were, in order: a class may name other tenants by the time it takes more from the same batch.
  tenants Array(String),
  rows UInt64,
  -- As it was configured, for instance "acme P30D".
  policy LowCardinality(String),
  -- Everything that arrived before this was due.
  before DateTime64(3, 'UTC'),
  removed_by LowCardinality(String),
  recorded_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(rows)
ORDER BY (kind, received_at, source_epoch, topic, kafka_partition, class, tenants)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- A part that a mutation has emptied keeps its token: removing the part would free it, and a late copy came back.
ALTER TABLE events MODIFY SETTING remove_empty_parts = 0;
