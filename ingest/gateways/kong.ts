/**
 * Kong http-log, file-log and kafka-log: one serializer. `started_at` and latencies in milliseconds, sizes in bytes on the wire.
 * Source of the layout: Kong/kong, kong/pdk/log.lua.
 */
import { readAddress } from '../../core/address.ts';
import { countAt, durationAt, isObject, type Json, listAt, objectAt, own, statusAt, textAt, toStatus } from '../../core/fields.ts';
import { epochMicros, type JsonGateway, readOrigin, readTarget } from '../gateway.ts';
import { readHeaders } from '../headers.ts';

const kong: JsonGateway = {
  form: 'json',
  order: 60,
  recognises: (record) =>
    own(record, 'started_at') !== undefined &&
    ((isObject(own(record, 'request')) && isObject(own(record, 'response'))) || isObject(own(record, 'session'))) &&
    (own(record, 'latencies') !== undefined || own(record, 'tries') !== undefined || own(record, 'client_ip') !== undefined),
  // Stream records have a session in the place of a request.
  skips: (record) => (isObject(own(record, 'session')) && !isObject(own(record, 'request')) ? 'not a request: a stream session' : ''),
  read(record, event) {
    const request = objectAt(record, 'request');
    const response = objectAt(record, 'response');
    const latencies = objectAt(record, 'latencies');
    const route = objectAt(record, 'route');
    const service = objectAt(record, 'service');
    const consumer = objectAt(record, 'consumer');
    const tls = objectAt(request, 'tls');
    event.gateway_kind = 'kong';
    event.timestamp = epochMicros(own(record, 'started_at'), '$.started_at');
    event.http_request_method = textAt(request, 'method');
    readTarget(textAt(request, 'uri'), event);
    readOrigin(textAt(request, 'url'), event);
    event.http_response_status_code = statusAt(response, 'status');
    event.upstream_status_code = lastStatus(textAt(record, 'upstream_status'));
    const tries = listAt(record, 'tries');
    event.upstream_attempts = Math.min(tries.length, 255) || null;
    event.duration_ms = durationAt(latencies, 'request');
    // -1: answered by Kong itself, which is not the same as 0 ms.
    event.upstream_duration_ms = durationAt(latencies, 'proxy');
    event.gateway_duration_ms = durationAt(latencies, 'kong');
    event.http_request_size = countAt(request, 'size');
    event.http_response_size = countAt(response, 'size');
    event.client_address = readAddress(textAt(record, 'client_ip'));
    event.consumer_id = textAt(consumer, 'id');
    event.consumer_name = textAt(consumer, 'username') || textAt(consumer, 'custom_id');
    event.credential_id = textAt(objectAt(record, 'authenticated_entity'), 'id');
    event.http_route = textAt(route, 'paths');
    event.gateway_route_id = textAt(route, 'id');
    event.gateway_route_name = textAt(route, 'name');
    event.gateway_service_id = textAt(service, 'id');
    event.gateway_service_name = textAt(service, 'name');
    event.tls_protocol_version = textAt(tls, 'version');
    event.tls_cipher = textAt(tls, 'cipher');
    event.request_id = textAt(request, 'id');
    event.trace_id = traceId(objectAt(record, 'trace_id'));
    const source = textAt(record, 'source');
    const lastTry = tries.at(-1);
    event.error_type = source !== 'upstream' ? source : isObject(lastTry) ? textAt(lastTry, 'state') : '';
    readHeaders(objectAt(request, 'headers'), event);
  },
};
export default kong;

/** `502, 200` after a retry; groups are parted by ` : `. The last attempt counts. */
function lastStatus(text: string): number | null {
  if (text === '') return null;
  const last = text.slice(Math.max(text.lastIndexOf(','), text.lastIndexOf(':')) + 1).trim();
  return last === '' ? null : toStatus(Number(last));
}

/** One id in the notation of each tracing system; w3c is the one that others know. */
function traceId(formats: Json): string {
  return (textAt(formats, 'w3c') || textAt(formats, 'b3') || textAt(formats, 'datadog')).toLowerCase();
}
