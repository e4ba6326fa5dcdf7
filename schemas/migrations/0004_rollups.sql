-- Counters and quantile states by hour, made from the events and made again whenever claims that touch an hour close.
--
-- What is made at one time is all groups of some hours of one day of arrival, in one part, under one version; a row without
-- tenant stands for each of the hours, also for one without events. Of an hour and a day of arrival the rows of the newest
-- version count, and no others: a group that vanished has no row there. By day of arrival, because events are kept and
-- dropped so: the rows of a day that was dropped stay as they are, and later arrivals have rows of their own.

CREATE TABLE IF NOT EXISTS rollup_hour (
  tenant LowCardinality(String),
  hour DateTime('UTC') CODEC(Delta, ZSTD(1)),
  arrived Date CODEC(ZSTD(1)),
  api_name LowCardinality(String),
  api_id LowCardinality(String),
  api_version LowCardinality(String),
  http_route LowCardinality(String),
  gateway_route_name LowCardinality(String),
  gateway_route_id LowCardinality(String),
  -- The status without its last two digits, 999 where there is none.
  status_class UInt16 CODEC(ZSTD(1)),
  -- Microseconds at which reading began, and ten random bits: whoever began later has seen more.
  version UInt64 CODEC(ZSTD(1)),
  requests UInt64 CODEC(T64, ZSTD(1)),
  client_errors UInt64 CODEC(T64, ZSTD(1)),
  server_errors UInt64 CODEC(T64, ZSTD(1)),
  auth_failures UInt64 CODEC(T64, ZSTD(1)),
  rate_limited UInt64 CODEC(T64, ZSTD(1)),
  aborted UInt64 CODEC(T64, ZSTD(1)),
  request_bytes UInt64 CODEC(T64, ZSTD(1)),
  response_bytes UInt64 CODEC(T64, ZSTD(1)),
  first_seen DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  last_seen DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  duration_ms_samples UInt64 CODEC(T64, ZSTD(1)),
  duration_ms_sum Float64 CODEC(ZSTD(1)),
  duration_ms_max Nullable(Float64) CODEC(ZSTD(1)),
  duration_ms_state AggregateFunction(quantilesTDigest(0.5), Float64) CODEC(ZSTD(1)),
  upstream_duration_ms_samples UInt64 CODEC(T64, ZSTD(1)),
  upstream_duration_ms_sum Float64 CODEC(ZSTD(1)),
  upstream_duration_ms_max Nullable(Float64) CODEC(ZSTD(1)),
  upstream_duration_ms_state AggregateFunction(quantilesTDigest(0.5), Float64) CODEC(ZSTD(1)),
  gateway_duration_ms_samples UInt64 CODEC(T64, ZSTD(1)),
  gateway_duration_ms_sum Float64 CODEC(ZSTD(1)),
  gateway_duration_ms_max Nullable(Float64) CODEC(ZSTD(1)),
  gateway_duration_ms_state AggregateFunction(quantilesTDigest(0.5), Float64) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(arrived)
ORDER BY (tenant, hour, arrived, api_name, api_id, api_version, http_route, gateway_route_name, gateway_route_id, status_class)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Names of consumers are personal: a day of arrival goes from here when it goes from the events, hence the partitions.
CREATE TABLE IF NOT EXISTS rollup_consumer_hour (
  tenant LowCardinality(String),
  hour DateTime('UTC') CODEC(Delta, ZSTD(1)),
  arrived Date CODEC(ZSTD(1)),
  consumer_name String CODEC(ZSTD(1)),
  consumer_id String CODEC(ZSTD(1)),
  version UInt64 CODEC(ZSTD(1)),
  requests UInt64 CODEC(T64, ZSTD(1)),
  client_errors UInt64 CODEC(T64, ZSTD(1)),
  server_errors UInt64 CODEC(T64, ZSTD(1)),
  auth_failures UInt64 CODEC(T64, ZSTD(1)),
  rate_limited UInt64 CODEC(T64, ZSTD(1)),
  aborted UInt64 CODEC(T64, ZSTD(1)),
  request_bytes UInt64 CODEC(T64, ZSTD(1)),
  response_bytes UInt64 CODEC(T64, ZSTD(1)),
  first_seen DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  last_seen DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY arrived
ORDER BY (tenant, hour, arrived, consumer_name, consumer_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- How far the ledger is in the rollups: offsets by partition, and the rows of claims below them that say more than the claim
-- did. Saved after the rollups; an older one that is saved late costs work and nothing else.
CREATE TABLE IF NOT EXISTS rollup_marks (
  name LowCardinality(String),
  mark String CODEC(ZSTD(1)),
  saved_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(saved_at)
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
