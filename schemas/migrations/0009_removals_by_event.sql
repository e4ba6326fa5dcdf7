-- One batch can lose events more than once: by another class of data, and when a dead letter of it was read again. Each has a
-- count of its own, or the smaller one would be lost and completeness could not explain what is gone.
ALTER TABLE removals
  ADD COLUMN IF NOT EXISTS replay UInt16,
  ADD COLUMN IF NOT EXISTS data_classes Array(LowCardinality(String)),
  MODIFY ORDER BY (kind, received_at, source_epoch, topic, kafka_partition, class, tenants, replay, data_classes);
