-- What the alerts role writes. Every row has an id that is worked out from data alone, so that doing a thing again
-- writes the same row again: a merge, or FINAL, leaves one of them.

-- A step of a rule in which its condition held for one group.
CREATE TABLE IF NOT EXISTS findings (
  id String,
  alert_id String,
  fingerprint String,
  tenant LowCardinality(String),
  rule_id LowCardinality(String),
  rule_version LowCardinality(String),
  group_value String,
  bucket DateTime64(3, 'UTC'),
  first_event DateTime64(6, 'UTC'),
  value Float64,
  threshold Float64,
  events UInt64,
  late UInt8
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, rule_id, bucket, id)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;

-- The life of alerts. `alert` holds the facts as they stood when it opened, as JSON: the same in every row of one alert.
CREATE TABLE IF NOT EXISTS alert_transitions (
  id String,
  alert_id String,
  fingerprint String,
  tenant LowCardinality(String),
  rule_id LowCardinality(String),
  rule_version LowCardinality(String),
  at DateTime64(3, 'UTC'),
  kind LowCardinality(String),
  from_state LowCardinality(String),
  to_state LowCardinality(String),
  reason String,
  actor String,
  note String,
  alert String
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant, alert_id, at, id)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;

-- One notification for one recipient; the highest version counts. Queueing it again writes version 0 and changes nothing.
CREATE TABLE IF NOT EXISTS outbox (
  id String,
  transition_id String,
  alert_id String,
  tenant LowCardinality(String),
  rule_id LowCardinality(String),
  kind LowCardinality(String),
  channel LowCardinality(String),
  recipient String,
  status LowCardinality(String),
  queued_at DateTime64(3, 'UTC'),
  due_at DateTime64(3, 'UTC'),
  sent_at Nullable(DateTime64(3, 'UTC')),
  attempts UInt32,
  message_id String,
  last_error String,
  reason String,
  -- The row whose mail speaks for this one too; written before that mail is sent, so that a resend is the same mail.
  lead String,
  version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant, id)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;

-- How far each rule has judged, and what it remembers; saved after everything it led to.
CREATE TABLE IF NOT EXISTS rule_cursors (
  rule_id LowCardinality(String),
  rule_version LowCardinality(String),
  evaluated_to DateTime64(3, 'UTC'),
  mark String,
  memory String,
  state LowCardinality(String),
  detail String,
  duration_ms Float64,
  saved_at DateTime64(3, 'UTC'),
  version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY rule_id
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;
