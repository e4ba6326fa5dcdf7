-- Retention takes data classes out of days whose other rows stay, from the rollups as from the events: they are told apart
-- by what events are stamped with. Rows from before have none, as the events that they sum up.
ALTER TABLE rollup_hour
  ADD COLUMN IF NOT EXISTS data_classes Array(LowCardinality(String)) CODEC(ZSTD(1)),
  MODIFY ORDER BY (tenant, hour, arrived, api_name, api_id, api_version, http_route, gateway_route_name, gateway_route_id, status_class, data_classes);

ALTER TABLE rollup_consumer_hour
  ADD COLUMN IF NOT EXISTS data_classes Array(LowCardinality(String)) CODEC(ZSTD(1)),
  MODIFY ORDER BY (tenant, hour, arrived, consumer_name, consumer_id, data_classes);
