/**
 * Tyk, analytics records of tyk-pump: one per message from its Kafka pump, one per line from its stdout pump, which alone has
 * `latency` and calls the duration `request_time`. Durations are milliseconds, `content_length` is bytes of the request's body,
 * -1 unknown. Sources: TykTechnologies/tyk-pump, pumps/kafka.go, pumps/stdout.go and analytics/analytics.go.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, durationOf, type Json, objectOf, statusOf, textOf } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import type { Gateway, JsonFormat } from '../gateway.ts';
import { hostOf, readTarget } from '../targets.ts';
import { isoMicros } from '../times.ts';

const format: JsonFormat = {
  order: 110,
  test: '`response_code`, `api_id`, `org_id`, and one of `request_time_ms`, `request_time`',
  recognises: (record) =>
    record['response_code'] !== undefined &&
    record['api_id'] !== undefined &&
    record['org_id'] !== undefined &&
    (record['request_time_ms'] !== undefined || record['request_time'] !== undefined),
  // With JSON output the pump's own log lines stand among the records.
  skips: (record) =>
    typeof record['msg'] === 'string' && record['api_id'] === undefined ? 'not a request: a log line of the pump itself' : '',
  read(record, event, source) {
    const latency = objectOf(record['latency']);
    event.gateway_kind = 'tyk';
    event.timestamp = isoMicros(record['timestamp'], '$.timestamp');
    event.http_request_method = textOf(record['method']);
    readPath(record, event);
    event.server_address = hostOf(textOf(record['host'])).toLowerCase();
    event.api_id = textOf(record['api_id']);
    event.api_name = textOf(record['api_name']);
    event.api_version = versionOf(textOf(record['api_version']));
    event.http_response_status_code = statusOf(record['response_code']);
    event.duration_ms = durationOf(record['request_time_ms'] ?? record['request_time']);
    event.upstream_duration_ms = durationOf(latency['upstream']);
    event.gateway_duration_ms = durationOf(latency['gateway']);
    event.http_request_body_size = countOf(record['content_length']);
    event.client_address = readAddress(textOf(record['ip_address']));
    event.consumer_id = textOf(record['oauth_id']);
    event.consumer_name = textOf(record['alias']);
    // Raw or hashed by the gateway: nothing tells which. 00000000 is no key.
    const key = textOf(record['api_key']);
    if (key !== '' && key !== '00000000') event.credential_hash = source.hashKey(key);
    event.user_agent_original = textOf(record['user_agent']);
  },
};
const gateway: Gateway = { json: format };
export default gateway;

/** `path` is a template where the path is tracked or normalised, and `raw_path` always what was asked for. */
function readPath(record: Json, event: CanonicalEvent): void {
  const path = textOf(record['path']);
  const raw = textOf(record['raw_path']);
  readTarget(raw || path, event);
  if (raw !== '' && path !== raw) event.http_route = path;
}

const versionOf = (version: string): string => (version === 'Not Versioned' || version === 'Non Versioned' ? '' : version);
