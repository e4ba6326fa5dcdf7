/** Kong http-log and kafka-log. Source of the layout: Kong/kong, kong/pdk/log.lua. */
import { readAddress } from '../../core/address.ts';
import { countAt, isObject, numberAt, objectAt, own, textAt } from '../../core/fields.ts';
import { type Gateway, ReadFailure } from '../gateway.ts';

const kong: Gateway = {
  order: 6,
  recognises: (record) =>
    (isObject(own(record, 'request')) || isObject(own(record, 'session'))) &&
    (isObject(own(record, 'response')) || isObject(own(record, 'session'))) &&
    own(record, 'started_at') !== undefined &&
    (Object.hasOwn(record, 'latencies') || Object.hasOwn(record, 'tries') || Object.hasOwn(record, 'client_ip')),
  skips: (record) => (isObject(own(record, 'session')) ? 'not a request' : ''),
  read(record, event) {
    const request = objectAt(record, 'request');
    const response = objectAt(record, 'response');
    const latencies = objectAt(record, 'latencies');
    const started = numberAt(record, 'started_at');
    if (started === null) {
      const code = (own(record, 'started_at') ?? null) === null ? 'MISSING_TIME' : 'BAD_TIME';
      throw new ReadFailure(code, '$.started_at', 'Expected epoch milliseconds in started_at');
    }
    event.gateway_kind = 'kong';
    event.timestamp = Math.round(started * 1000);
    event.http_request_method = textAt(request, 'method');
    const uri = textAt(request, 'uri');
    const mark = uri.indexOf('?');
    event.url_path = mark < 0 ? uri : uri.slice(0, mark);
    event.url_query = mark < 0 ? '' : uri.slice(mark + 1);
    const url = textAt(request, 'url');
    if (URL.canParse(url)) {
      const { protocol, hostname } = new URL(url);
      event.url_scheme = protocol.slice(0, -1);
      event.server_address = hostname;
    }
    event.http_response_status_code = countAt(response, 'status', 999) || null;
    const attempts = textAt(record, 'upstream_status')
      .replaceAll(' : ', ',')
      .split(',')
      .map((part) => Number(part.trim()));
    event.upstream_status_code = attempts.at(-1) || null;
    const tries = own(record, 'tries');
    if (Array.isArray(tries) && tries.length > 0) event.upstream_attempts = Math.min(tries.length, 255);
    event.duration_ms = positive(numberAt(latencies, 'request'));
    event.upstream_duration_ms = positive(numberAt(latencies, 'proxy'));
    event.gateway_duration_ms = positive(numberAt(latencies, 'kong'));
    event.http_request_size = countAt(request, 'size');
    event.http_response_size = countAt(response, 'size');
    event.client_address = readAddress(textAt(record, 'client_ip'));
    const consumer = objectAt(record, 'consumer');
    event.consumer_id = textAt(consumer, 'id');
    event.consumer_name = textAt(consumer, 'username') || textAt(consumer, 'custom_id');
    event.credential_id = textAt(objectAt(record, 'authenticated_entity'), 'id');
    const route = objectAt(record, 'route');
    event.gateway_route_id = textAt(route, 'id');
    event.gateway_route_name = textAt(route, 'name');
    const paths = own(route, 'paths');
    if (Array.isArray(paths) && typeof paths[0] === 'string') event.http_route = paths[0];
    const service = objectAt(record, 'service');
    event.gateway_service_id = textAt(service, 'id');
    event.gateway_service_name = textAt(service, 'name');
    event.request_id = textAt(request, 'id');
    const headers = objectAt(request, 'headers');
    event.user_agent_original = textAt(headers, 'user-agent');
    event.forwarded_for = textAt(headers, 'x-forwarded-for').slice(0, 512);
  },
};
export default kong;

function positive(value: number | null): number | null {
  return value === null || value < 0 ? null : value;
}
