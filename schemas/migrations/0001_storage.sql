-- What ingest writes: events, the ledger, dead letters, and the floor below which nothing is stored any more.
--
-- Every table that takes deduplication tokens keeps the last 100,000 of them: with 1,000, a token that was 4,000 inserts
-- old was stored again. No table has a TTL: dropping is the retention job's, under a floor that writers respect.
-- fsync: a part and its folder are on disk before an insert is answered, so that a power cut loses nothing answered.

CREATE TABLE IF NOT EXISTS events (
  received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  source_epoch UInt16 CODEC(ZSTD(1)),
  topic LowCardinality(String),
  kafka_partition UInt32 CODEC(ZSTD(1)),
  kafka_offset UInt64 CODEC(Delta, ZSTD(1)),
  message_index UInt32 CODEC(T64, ZSTD(1)),
  replay UInt16 CODEC(ZSTD(1)),
  attempt UInt8 CODEC(ZSTD(1)),
  batch_events UInt32 CODEC(ZSTD(1)),
  normaliser LowCardinality(String),
  timestamp DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
  time_source Enum8('start' = 1, 'end_minus_duration' = 2, 'end' = 3, 'ingest' = 4) CODEC(ZSTD(1)),
  tenant LowCardinality(String),
  gateway_kind LowCardinality(String),
  gateway_name LowCardinality(String),
  source_format LowCardinality(String),
  http_request_method LowCardinality(String),
  http_request_method_original String CODEC(ZSTD(1)),
  url_scheme LowCardinality(String),
  server_address LowCardinality(String),
  url_path String CODEC(ZSTD(1)),
  url_query String CODEC(ZSTD(1)),
  http_route LowCardinality(String),
  gateway_route_id LowCardinality(String),
  gateway_route_name LowCardinality(String),
  gateway_service_id LowCardinality(String),
  gateway_service_name LowCardinality(String),
  api_id LowCardinality(String),
  api_name LowCardinality(String),
  api_version LowCardinality(String),
  operation_id LowCardinality(String),
  http_response_status_code Nullable(UInt16) CODEC(ZSTD(1)),
  upstream_status_code Nullable(UInt16) CODEC(ZSTD(1)),
  upstream_attempts Nullable(UInt8) CODEC(ZSTD(1)),
  outcome Enum8('success' = 1, 'client_error' = 2, 'auth_failure' = 3, 'rate_limited' = 4, 'server_error' = 5, 'aborted' = 6, 'unknown' = 7) CODEC(ZSTD(1)),
  error_type LowCardinality(String),
  duration_ms Nullable(Float64) CODEC(ZSTD(1)),
  upstream_duration_ms Nullable(Float64) CODEC(ZSTD(1)),
  gateway_duration_ms Nullable(Float64) CODEC(ZSTD(1)),
  http_request_size Nullable(UInt64) CODEC(T64, ZSTD(1)),
  http_response_size Nullable(UInt64) CODEC(T64, ZSTD(1)),
  http_request_body_size Nullable(UInt64) CODEC(T64, ZSTD(1)),
  http_response_body_size Nullable(UInt64) CODEC(T64, ZSTD(1)),
  client_address Nullable(IPv6) CODEC(ZSTD(1)),
  network_peer_address Nullable(IPv6) CODEC(ZSTD(1)),
  forwarded_for String CODEC(ZSTD(1)),
  consumer_id String CODEC(ZSTD(1)),
  consumer_name String CODEC(ZSTD(1)),
  consumer_group String CODEC(ZSTD(1)),
  credential_id String CODEC(ZSTD(1)),
  credential_hash String CODEC(ZSTD(1)),
  auth_type LowCardinality(String),
  user_agent_original String CODEC(ZSTD(1)),
  network_protocol_version LowCardinality(String),
  tls_protocol_version LowCardinality(String),
  tls_cipher LowCardinality(String),
  -- A random id written as hex is half noise, and the length of each is the same: 40 bytes of it become 18.
  request_id String CODEC(ZSTD(1)),
  trace_id String CODEC(ZSTD(1)),
  span_id String CODEC(ZSTD(1)),
  signals Array(LowCardinality(String)),
  attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  subject String CODEC(ZSTD(1)),
  -- Point reads: one request by its id, one consumer over a long range, one batch by its offsets.
  INDEX by_request_id request_id TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX by_consumer_name consumer_name TYPE bloom_filter(0.01) GRANULARITY 1,
  INDEX by_offset kafka_offset TYPE minmax GRANULARITY 1,
  -- Counters by minute. A projection is inside the part of its events: one rename makes both, so it cannot drift from them.
  -- The day of arrival is constant in a part and leaves out older parts; the three names of a route go together.
  PROJECTION by_minute (
    SELECT tenant, toStartOfMinute(timestamp), toDate(received_at), http_route, gateway_route_name, gateway_route_id,
      intDiv(http_response_status_code, 100),
      count(), countIf(intDiv(http_response_status_code, 100) = 4), countIf(intDiv(http_response_status_code, 100) = 5),
      countIf(outcome = 'auth_failure'), countIf(outcome = 'rate_limited'), countIf(outcome = 'aborted'),
      sum(coalesce(http_request_size, http_request_body_size)), sum(coalesce(http_response_size, http_response_body_size))
    GROUP BY tenant, toStartOfMinute(timestamp), toDate(received_at), http_route, gateway_route_name, gateway_route_id,
      intDiv(http_response_status_code, 100)
  ),
  -- Reads add `received_at >= from - 5 min` to leave older partitions out; this makes that sound.
  CONSTRAINT timestamp_is_not_ahead_of_arrival CHECK timestamp <= received_at + INTERVAL 5 MINUTE
)
ENGINE = MergeTree
-- Arrival, not event time: one wrong clock cannot spread a batch over many partitions, and one batch is one part.
PARTITION BY toYYYYMMDD(received_at)
-- Tenant first: isolation is the fast path too.
ORDER BY (tenant, timestamp)
-- A lightweight delete makes the projection of its parts again; ALTER … DELETE does so by itself.
-- One file for all columns of an inserted part: with a file for each, an insert opened and synced 270, half of its CPU.
-- The limit is above what a block may hold, 64 MiB; merges make wide parts of them.
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1,
  lightweight_mutation_projection_mode = 'rebuild', min_bytes_for_wide_part = 134217728;

-- The ledger: the claim of each batch, written before its events. Not partitioned, because tokens hold per partition only.
-- Not Replacing: a merge must never choose between two claims. first_offset = -1 is the origin of a partition: it ends
-- where reading starts. Effective row of a claim: highest revision, then highest attempt.
CREATE TABLE IF NOT EXISTS batches (
  log_id LowCardinality(String),
  source_epoch UInt16,
  topic LowCardinality(String),
  kafka_partition UInt32,
  first_offset Int64,
  replay UInt16,
  last_offset Int64,
  messages UInt32,
  records UInt32,
  events UInt32,
  rejected UInt32,
  skipped UInt32,
  -- Why offsets of the range hold no message: RETENTION_OVERRUN, COMPACTION, TRANSACTION_MARKER, OPERATOR_RESET, or ''.
  gap_reason LowCardinality(String),
  -- What a person or a policy said: the start of an origin, the reason of a reset.
  note String,
  received_at DateTime64(3, 'UTC'),
  min_timestamp DateTime64(6, 'UTC'),
  max_timestamp DateTime64(6, 'UTC'),
  normaliser LowCardinality(String),
  -- Of the message at last_offset: a topic that was made anew has another one there.
  last_sha256 String,
  last_timestamp DateTime64(3, 'UTC'),
  settled UInt8,
  attempt UInt8,
  shard UInt16,
  writer LowCardinality(String),
  revision UInt32,
  -- Counts the claims of a partition from 0, its origin.
  sequence UInt64
)
ENGINE = MergeTree
ORDER BY (log_id, source_epoch, topic, kafka_partition, first_offset, replay, revision, attempt)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;

-- What could not be read, and why. Idempotent by position and normaliser: no token is needed, and two versions of the
-- reader that store one batch at the same time do not replace each other's; those of the normaliser in the effective row
-- of its batch count. Not partitioned: versions of one position must meet in a merge.
CREATE TABLE IF NOT EXISTS dead_letters (
  source_epoch UInt16,
  topic LowCardinality(String),
  kafka_partition UInt32,
  kafka_offset UInt64,
  message_index UInt32,
  normaliser LowCardinality(String),
  -- Of the batch.
  first_offset Int64,
  received_at DateTime64(3, 'UTC'),
  tenant LowCardinality(String),
  code LowCardinality(String),
  path String,
  message String,
  detected_format LowCardinality(String),
  excerpt String CODEC(ZSTD(3)),
  bytes UInt64,
  sha256 String,
  replayed_at Nullable(DateTime64(3, 'UTC')),
  version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source_epoch, topic, kafka_partition, kafka_offset, message_index, normaliser)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Days below the newest floor are dropped, and writers store nothing there: a late copy must not bring them back.
CREATE TABLE IF NOT EXISTS retention_floor (
  floor DateTime64(3, 'UTC'),
  reason String,
  set_by String,
  set_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (floor, set_at)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;
