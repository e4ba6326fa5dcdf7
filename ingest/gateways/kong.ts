/**
 * Kong http-log, file-log and kafka-log: one serializer. `started_at` and latencies in milliseconds, sizes in bytes on the wire.
 * Source of the layout: Kong/kong, kong/pdk/log.lua.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, durationOf, isObject, type Json, listOf, objectOf, statusOf, textOf, toStatus } from '../../core/fields.ts';
import type { Gateway, JsonFormat } from '../gateway.ts';
import { readHeaders } from '../headers.ts';
import { readOrigin, readTarget } from '../targets.ts';
import { epochMicros } from '../times.ts';

const format: JsonFormat = {
  order: 60,
  test: '`started_at`, objects `request` and `response` (or `session`), and one of `latencies`, `tries`, `client_ip`',
  recognises: (record) =>
    record['started_at'] !== undefined &&
    ((isObject(record['request']) && isObject(record['response'])) || isObject(record['session'])) &&
    (record['latencies'] !== undefined || record['tries'] !== undefined || record['client_ip'] !== undefined),
  // Stream records have a session in the place of a request.
  skips: (record) => (isObject(record['session']) && !isObject(record['request']) ? 'not a request: a stream session' : ''),
  read(record, event) {
    const request = objectOf(record['request']);
    const response = objectOf(record['response']);
    const latencies = objectOf(record['latencies']);
    const route = objectOf(record['route']);
    const service = objectOf(record['service']);
    const consumer = objectOf(record['consumer']);
    const tls = objectOf(request['tls']);
    event.gateway_kind = 'kong';
    event.timestamp = epochMicros(record['started_at'], '$.started_at');
    event.http_request_method = textOf(request['method']);
    readTarget(textOf(request['uri']), event);
    // Before 0.11 another key held the URL.
    readOrigin(textOf(request['url'] ?? request['request_uri']), event);
    event.http_response_status_code = statusOf(response['status']);
    event.upstream_status_code = lastStatus(textOf(record['upstream_status']));
    const tries = listOf(record['tries']);
    event.upstream_attempts = Math.min(tries.length, 255) || null;
    event.duration_ms = durationOf(latencies['request']);
    // -1: answered by Kong itself, which is not the same as 0 ms.
    event.upstream_duration_ms = durationOf(latencies['proxy']);
    event.gateway_duration_ms = durationOf(latencies['kong']);
    event.http_request_size = countOf(request['size']);
    event.http_response_size = countOf(response['size']);
    event.client_address = readAddress(textOf(record['client_ip']));
    event.consumer_id = textOf(consumer['id']);
    event.consumer_name = textOf(consumer['username']) || textOf(consumer['custom_id']);
    event.credential_id = textOf(objectOf(record['authenticated_entity'])['id']);
    event.http_route = textOf(route['paths']);
    event.gateway_route_id = textOf(route['id']);
    event.gateway_route_name = textOf(route['name']);
    event.gateway_service_id = textOf(service['id']);
    event.gateway_service_name = textOf(service['name']);
    event.tls_protocol_version = textOf(tls['version']);
    event.tls_cipher = textOf(tls['cipher']);
    event.request_id = textOf(request['id']);
    if (isObject(record['trace_id'])) event.trace_id = traceId(record['trace_id']);
    const source = textOf(record['source']);
    const lastTry = tries.at(-1);
    event.error_type = source !== 'upstream' ? source : isObject(lastTry) ? textOf(lastTry['state']) : '';
    readHeaders(objectOf(request['headers']), event);
  },
};
const gateway: Gateway = { json: format };
export default gateway;

/** `502, 200` after a retry; groups are parted by ` : `. The last attempt counts. */
function lastStatus(text: string): number | null {
  if (text === '') return null;
  if (text.length === 3) return toStatus(Number(text));
  const last = text.slice(Math.max(text.lastIndexOf(','), text.lastIndexOf(':')) + 1).trim();
  return last === '' ? null : toStatus(Number(last));
}

/**
 * One id in the notation of each tracing system; w3c is the one that others know. Datadog's is decimal, and only half of it.
 * Source: kong/observability/tracing/propagation/injectors.
 */
function traceId({ w3c, b3, jaeger, ot, gcp, aws }: Json): string {
  return (textOf(w3c) || textOf(b3) || textOf(jaeger) || textOf(ot) || textOf(gcp) || textOf(aws)).toLowerCase();
}
