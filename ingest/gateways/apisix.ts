/**
 * Apache APISIX, default log format of kafka-logger, http-logger and the others. Times and latencies in milliseconds, also as
 * floats; sizes in bytes on the wire. Source of the layout: apache/apisix, apisix/utils/log-util.lua, get_full_log.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, durationOf, isObject, objectOf, statusOf, textOf } from '../../core/fields.ts';
import type { Gateway, JsonFormat } from '../gateway.ts';
import { readHeaders } from '../headers.ts';
import { readOrigin, readTarget } from '../targets.ts';
import { epochMicros } from '../times.ts';

const format: JsonFormat = {
  order: 70,
  test: '`start_time`, objects `request` and `response`, and one of `server.version`, `route_id`, `apisix_latency`',
  recognises: (record) =>
    record['start_time'] !== undefined &&
    isObject(record['request']) &&
    isObject(record['response']) &&
    (objectOf(record['server'])['version'] !== undefined || record['route_id'] !== undefined || record['apisix_latency'] !== undefined),
  skips: () => '',
  read(record, event) {
    const request = objectOf(record['request']);
    const response = objectOf(record['response']);
    event.gateway_kind = 'apisix';
    event.timestamp = epochMicros(record['start_time'], '$.start_time');
    event.http_request_method = textOf(request['method']);
    readTarget(textOf(request['uri']), event);
    readOrigin(textOf(request['url']), event);
    event.http_response_status_code = statusOf(response['status']);
    event.duration_ms = durationOf(record['latency']);
    event.upstream_duration_ms = durationOf(record['upstream_latency']);
    event.gateway_duration_ms = durationOf(record['apisix_latency']);
    event.http_request_size = countOf(request['size']);
    event.http_response_size = countOf(response['size']);
    event.client_address = readAddress(textOf(record['client_ip']));
    event.consumer_name = textOf(objectOf(record['consumer'])['username']);
    event.upstream_attempts = attempts(textOf(record['upstream']));
    // http-logger writes a word where no route matched, the others leave it out. The service is then the host that the client
    // asked for: a client must not make up services.
    const route = textOf(record['route_id']);
    if (route !== '' && route !== 'no-matched') {
      event.gateway_route_id = route;
      event.gateway_service_id = textOf(record['service_id']);
    }
    readHeaders(objectOf(request['headers']), event);
  },
};
const gateway: Gateway = { json: format };
export default gateway;

/**
 * Addresses parted by `, `, and by ` : ` after an internal redirect. A name without a port is the group of servers, of which none
 * could be asked. Source: nginx.org, ngx_http_upstream_module, $upstream_addr.
 */
function attempts(upstream: string): number | null {
  if (!upstream.includes(' ')) return upstream.includes(':') ? 1 : null;
  const asked = upstream.split(/, | : /).filter((address) => address.includes(':'));
  return Math.min(asked.length, 255) || null;
}
