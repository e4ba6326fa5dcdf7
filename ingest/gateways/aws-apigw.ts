/**
 * AWS API Gateway, access logs of REST, HTTP and WebSocket APIs: the keys that AWS documents, and those usually added to them.
 * `requestTime` is CLF, `requestTimeEpoch` and latencies are milliseconds, `responseLength` is bytes of the payload; `-` stands
 * for what is absent. Source: docs.aws.amazon.com, API Gateway developer guide, variables for access logging.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, durationOf, type Json, statusOf, textOf } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import type { Gateway, JsonFormat } from '../gateway.ts';
import { hostOf, readTarget, versionOf } from '../targets.ts';
import { clfMicros, epochMicros } from '../times.ts';

const format: JsonFormat = {
  order: 130,
  test: '`requestId`, one of `resourcePath`, `routeKey`, and one of `requestTime`, `requestTimeEpoch`',
  recognises: (record) =>
    typeof record['requestId'] === 'string' &&
    (record['resourcePath'] !== undefined || record['routeKey'] !== undefined) &&
    (record['requestTime'] !== undefined || record['requestTimeEpoch'] !== undefined),
  skips: () => '',
  read(record, event, source) {
    event.gateway_kind = 'aws-apigw';
    event.timestamp = timeOf(record);
    readRoute(record, event);
    // Begins with the stage. A record without it has no path: `resourcePath` is a template.
    readTarget(known(record['path']), event);
    event.server_address = hostOf(known(record['domainName'])).toLowerCase();
    event.api_id = known(record['apiId']);
    event.http_response_status_code = statusOf(record['status']);
    event.upstream_status_code = statusOf(record['integrationStatus']);
    event.error_type = known(record['errorResponseType']);
    event.duration_ms = durationOf(record['responseLatency']) ?? durationOf(record['latency']);
    event.upstream_duration_ms = durationOf(record['integrationLatency']);
    event.http_response_body_size = countOf(record['responseLength']);
    event.client_address = readAddress(textOf(record['ip'])) || readAddress(textOf(record['sourceIp']));
    event.consumer_id = known(record['authorizer.principalId']) || known(record['caller']) || known(record['user']);
    event.credential_id = known(record['apiKeyId']);
    const key = known(record['apiKey']);
    if (event.credential_id === '' && key !== '') event.credential_hash = source.hashKey(key);
    event.user_agent_original = known(record['userAgent']);
    event.network_protocol_version = versionOf(known(record['protocol']));
    event.request_id = known(record['requestId']);
    event.trace_id = traceId(known(record['xrayTraceId']));
  },
};
const gateway: Gateway = { json: format };
export default gateway;

function known(value: unknown): string {
  const text = textOf(value);
  return text === '-' ? '' : text;
}

/** Of two times the finer one. */
function timeOf(record: Json): number {
  const epoch = known(record['requestTimeEpoch']);
  return epoch === '' ? clfMicros(known(record['requestTime']), '$.requestTime') : epochMicros(epoch, '$.requestTimeEpoch');
}

/** `GET /pets/{id}`. ANY stands for every method, and a single word ($default, $connect, an action) names none. */
function readRoute(record: Json, event: CanonicalEvent): void {
  const key = known(record['routeKey']);
  const space = key.indexOf(' /');
  const method = space < 0 ? '' : key.slice(0, space);
  event.http_request_method = known(record['httpMethod']) || (method === 'ANY' ? '' : method);
  event.http_route = known(record['resourcePath']) || key.slice(space + 1);
}

/** `1-`, 8 hex digits, `-`, 24 hex digits: together the 32 of a trace id. Source: docs.aws.amazon.com, X-Ray, trace ids. */
function traceId(id: string): string {
  return id.length === 35 && id[1] === '-' && id[10] === '-' ? (id.slice(2, 10) + id.slice(11)).toLowerCase() : '';
}
