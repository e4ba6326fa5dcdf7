/**
 * Google Cloud, log entries with an HTTP request: load balancers, and API Gateway with more in `jsonPayload`. `timestamp` is the
 * start, `latency` a text of seconds with its unit, sizes are bytes on the wire as texts. Source: cloud.google.com,
 * Logging, LogEntry and HttpRequest; Load Balancing, https-logging-monitoring; API Gateway, platform-logging.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, isObject, type Json, objectOf, statusOf, textOf } from '../../core/fields.ts';
import { type Gateway, type JsonFormat, ReadFailure } from '../gateway.ts';
import { readReferer } from '../headers.ts';
import { readOrigin, readTarget, versionOf } from '../targets.ts';
import { goMillis, isoMicros } from '../times.ts';

const format: JsonFormat = {
  order: 50,
  test: '`httpRequest.requestMethod` and `logName`',
  recognises: (record) => record['logName'] !== undefined && objectOf(record['httpRequest'])['requestMethod'] !== undefined,
  skips: (record) => {
    const log = textOf(record['logName']);
    // To the keys of an issuer and to the service that admits consumers.
    if (log.endsWith('%2Fjwks_queries') || log.endsWith('%2Fservice_control_queries'))
      return 'not a request: a query of the gateway itself';
    return log === '' || isObject(record['httpRequest']) ? '' : 'not a request: another log entry';
  },
  read(record, event, source) {
    const { httpRequest: request } = record;
    if (!isObject(request)) throw new ReadFailure('BAD_FIELD', '$.httpRequest', 'expected an object, something else came');
    const payload = objectOf(record['jsonPayload']);
    const tls = objectOf(payload['tls']);
    const url = textOf(request['requestUrl']);
    event.gateway_kind = 'gcp';
    event.timestamp = isoMicros(record['timestamp'], '$.timestamp');
    event.http_request_method = textOf(request['requestMethod']);
    readTarget(url, event);
    readOrigin(url, event);
    event.server_address = event.server_address.toLowerCase();
    event.operation_id = textOf(payload['apiMethod']);
    event.http_response_status_code = statusOf(request['status']);
    event.error_type = errorOf(payload);
    // No status is written where the client left before there was one.
    if (event.http_response_status_code === null && event.error_type.startsWith('client_disconnected_')) event.outcome = 'aborted';
    event.duration_ms = goMillis(textOf(request['latency']));
    event.upstream_duration_ms = goMillis(textOf(payload['backendRequestDuration']));
    event.http_request_size = countOf(request['requestSize']);
    event.http_response_size = countOf(request['responseSize']);
    event.client_address = readAddress(textOf(request['remoteIp']));
    const consumer = textOf(payload['consumerNumber']);
    event.consumer_id = consumer === '0' ? '' : consumer;
    const key = textOf(payload['apiKey']);
    if (key !== '') event.credential_hash = source.hashKey(key);
    event.user_agent_original = textOf(request['userAgent']);
    event.network_protocol_version = versionOf(textOf(request['protocol']));
    event.tls_protocol_version = textOf(tls['protocol']);
    event.tls_cipher = textOf(tls['cipher']);
    event.request_id = textOf(record['insertId']);
    // `projects/…/traces/` and the id.
    const trace = textOf(record['trace']);
    event.trace_id = trace.slice(trace.lastIndexOf('/') + 1).toLowerCase();
    event.span_id = textOf(record['spanId']).toLowerCase();
    readReferer(textOf(request['referer']), event);
  },
};
const gateway: Gateway = { json: format };
export default gateway;

/** Load balancers and API Gateway tell with the same fields how a response came about where nothing went wrong. */
function errorOf(payload: Json): string {
  const details = textOf(payload['statusDetails']) || textOf(payload['responseDetails']);
  return details === 'via_upstream' || details.startsWith('response_') ? '' : details;
}
