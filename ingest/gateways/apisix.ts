/**
 * Apache APISIX, default log format of kafka-logger, http-logger and the others. Times and latencies in milliseconds, also as
 * floats; sizes in bytes on the wire. Source of the layout: apache/apisix, apisix/utils/log-util.lua, get_full_log.
 */
import { readAddress } from '../../core/address.ts';
import { countAt, durationAt, isObject, objectAt, own, statusAt, textAt } from '../../core/fields.ts';
import { epochMicros, type JsonGateway, readOrigin, readTarget } from '../gateway.ts';
import { readHeaders } from '../headers.ts';

const apisix: JsonGateway = {
  form: 'json',
  order: 70,
  recognises: (record) =>
    own(record, 'start_time') !== undefined &&
    isObject(own(record, 'request')) &&
    isObject(own(record, 'response')) &&
    (own(objectAt(record, 'server'), 'version') !== undefined ||
      own(record, 'route_id') !== undefined ||
      own(record, 'apisix_latency') !== undefined),
  skips: () => '',
  read(record, event) {
    const request = objectAt(record, 'request');
    const response = objectAt(record, 'response');
    event.gateway_kind = 'apisix';
    event.timestamp = epochMicros(own(record, 'start_time'), '$.start_time');
    event.http_request_method = textAt(request, 'method');
    readTarget(textAt(request, 'uri'), event);
    readOrigin(textAt(request, 'url'), event);
    event.http_response_status_code = statusAt(response, 'status');
    event.duration_ms = durationAt(record, 'latency');
    event.upstream_duration_ms = durationAt(record, 'upstream_latency');
    event.gateway_duration_ms = durationAt(record, 'apisix_latency');
    event.http_request_size = countAt(request, 'size');
    event.http_response_size = countAt(response, 'size');
    event.client_address = readAddress(textAt(record, 'client_ip'));
    event.consumer_name = textAt(objectAt(record, 'consumer'), 'username');
    // http-logger writes a word where no route matched, the others leave it out.
    event.gateway_route_id = textAt(record, 'route_id').replace(/^no-matched$/, '');
    event.gateway_service_id = textAt(record, 'service_id');
    readHeaders(objectAt(request, 'headers'), event);
  },
};
export default apisix;
