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
    // http-logger writes a word where no route matched, the others leave it out.
    event.gateway_route_id = textOf(record['route_id']).replace(/^no-matched$/, '');
    event.gateway_service_id = textOf(record['service_id']);
    readHeaders(objectOf(request['headers']), event);
  },
};
const gateway: Gateway = { json: format };
export default gateway;
