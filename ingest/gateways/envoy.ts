/**
 * Envoy and Envoy Gateway: JSON under the usual names of its fields, and the default line of text,
 * `[time] "method path protocol" code flags received sent duration upstream "forwarded" "agent" "request id" "authority" "host"`.
 * The time is the start, durations are milliseconds, sizes are bytes of bodies.
 * Source of the layouts: envoyproxy/envoy, docs/root/configuration/observability/access_log/usage.rst; envoyproxy/gateway, proxy
 * access logs.
 */
import type { Json } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { quotedFields, readRecord, skipsLine, skipsRecord } from '../envoy-record.ts';
import { type Gateway, type JsonFormat, ReadFailure, type SourceSettings, type TextFormat } from '../gateway.ts';

const json: JsonFormat = {
  order: 100,
  test: '`response_code`, `start_time`, and one of `downstream_remote_address`, `upstream_cluster`, `response_flags`',
  recognises: (record) =>
    record['response_code'] !== undefined &&
    record['start_time'] !== undefined &&
    (record['downstream_remote_address'] !== undefined ||
      record['upstream_cluster'] !== undefined ||
      record['response_flags'] !== undefined),
  skips: skipsRecord,
  read: readEnvoy,
};

// No word of a request holds a blank, so quotes in a path close nothing. A number right behind the flags tells it from Istio's.
const line = /^\[(\d{4}-\d\d-\d\dT[^\] ]{1,24})\] "([^ ]+) ([^ ]+) ([^ ]+)" (\d{1,3}|-) ([^ ]+) (\d+) (\d+) (\d+|-) ([^ ]+) "(.*)"$/s;

const text: TextFormat = {
  order: 20,
  test: '[time] "method path protocol" code flags, then four numbers and five texts in quotes',
  recognises: (record) => line.test(record),
  // Its own log has a blank in the place of the T: `[2026-11-24 10:00:00.700][1][info]…`.
  skips: (record) => (record[0] === '[' && record[11] === ' ' ? 'not a request: the log of Envoy itself' : skipsLine(record)),
  read: (record, event, source) => readEnvoy(fieldsOf(record), event, source),
};

const gateway: Gateway = { json, text };
export default gateway;

function readEnvoy(record: Json, event: CanonicalEvent, source: SourceSettings): void {
  event.gateway_kind = 'envoy';
  readRecord(record, event, source);
}

function fieldsOf(record: string): Json {
  const parts = line.exec(record);
  if (parts === null) throw new ReadFailure('BAD_FIELD', '', `expected: ${text.test}`);
  return {
    start_time: parts[1],
    method: parts[2],
    path: parts[3],
    protocol: parts[4],
    response_code: parts[5],
    response_flags: parts[6],
    bytes_received: parts[7],
    bytes_sent: parts[8],
    duration: parts[9],
    upstream_service_time: parts[10],
    ...quotedFields(parts[11] ?? ''),
  };
}
