-- What enrichment adds to an event. Words, not Enum8, for lifecycle: a row from before has '' without a member for it, a new
-- word needs no change of the table, and both take one byte per row. Stamped at ingest, so that a row says what the catalogue
-- said for the time of its request, whatever the catalogue says today.
ALTER TABLE events
  ADD COLUMN IF NOT EXISTS lifecycle LowCardinality(String),
  -- An instant, as the header Sunset (RFC 8594) has it; a date of the catalogue is its first second in UTC.
  ADD COLUMN IF NOT EXISTS sunset_at Nullable(DateTime('UTC')) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS collection LowCardinality(String),
  ADD COLUMN IF NOT EXISTS data_classes Array(LowCardinality(String)),
  ADD COLUMN IF NOT EXISTS client_country LowCardinality(String),
  ADD COLUMN IF NOT EXISTS client_asn LowCardinality(String);
