-- Who may ask, and who asked.

-- Keys: the newest version of an id counts. The secret itself is nowhere, only its keyed hash.
CREATE TABLE IF NOT EXISTS api_keys (
  id String,
  name String,
  -- HMAC-SHA-256 of the whole key, hex, and the id of the key that made it: a rotated secret is told from a wrong one.
  hash String,
  hash_key LowCardinality(String),
  roles Array(LowCardinality(String)),
  tenants Array(String),
  created_by String,
  created_at DateTime64(3, 'UTC'),
  expires_at Nullable(DateTime64(3, 'UTC')),
  revoked_at Nullable(DateTime64(3, 'UTC')),
  version UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Written before the answer goes out. Append-only: nothing updates or deletes a row.
-- When a key was last used is read from here too: a write per request of its own would tell nothing more.
CREATE TABLE IF NOT EXISTS access_log (
  id String,
  at DateTime64(3, 'UTC'),
  actor String,
  key_id String,
  roles Array(LowCardinality(String)),
  tenants Array(String),
  address String,
  action LowCardinality(String),
  target String,
  operation String,
  -- Keyed hash of the variables: equal questions can be told, their values cannot be read.
  variables_hash String,
  rows Nullable(UInt64),
  reason String,
  allowed UInt8
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (at, id)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1;
