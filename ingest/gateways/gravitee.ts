/**
 * Gravitee, metrics of its reporters. Elasticsearch's shape has a `type` and dashed keys, `v4-metrics` for v4 APIs and `request`
 * for older ones; the JSON shape and gravitee-reporter-kafka write the same objects in camelCase without a type. Times are the
 * start, durations milliseconds, content lengths bytes of the body, -1 unknown. Sources: gravitee-io/gravitee-reporter-common,
 * src/main/resources/freemarker/es9x/index; gravitee-io/gravitee-reporter-api, v4/metric/Metrics.java and http/Metrics.java.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, durationOf, type Json, numberOf, objectOf, statusOf, textOf } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import type { Gateway, JsonFormat, SourceSettings } from '../gateway.ts';
import { hostOf, readTarget } from '../targets.ts';
import { epochMicros, isoMicros } from '../times.ts';

/** What is written into the same topic; logs hold headers and bodies. */
const otherTypes: ReadonlySet<unknown> = new Set([
  'log',
  'v4-log',
  'v4-message-log',
  'v4-message-metrics',
  'event-metrics',
  'health',
  'health-check',
  'monitor',
  'node',
]);

/** By their numbers. Source: gravitee-io/gravitee-common, HttpMethod.java. */
const methods = ['_OTHER', 'CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'] as const;

const authTypes: ReadonlyMap<string, string> = new Map([
  ['API_KEY', 'key'],
  ['JWT', 'jwt'],
  ['OAUTH2', 'oauth'],
]);

const format: JsonFormat = {
  order: 120,
  test:
    '`type` v4-metrics or request (or another type of Gravitee, with `date`) and one of `gateway`, `api-id`, `api`; or numbers ' +
    '`timestamp` and `gatewayResponseTimeMs` or `proxyResponseTimeMs`, with `requestId` and `httpMethod`',
  recognises: (record) => (record['type'] === undefined ? isCamelCase(record) : isTyped(record)),
  skips: (record) => {
    const { type } = record;
    if (typeof type === 'string') return isRequest(type) ? '' : 'not a request: another type of Gravitee';
    const isOther = record['uri'] === undefined && record['status'] === undefined && record['httpMethod'] === undefined;
    return isOther && typeof record['timestamp'] === 'number' ? 'not a request: another type of Gravitee' : '';
  },
  read(record, event, source) {
    event.gateway_kind = 'gravitee';
    event.timestamp = timeOf(record);
    event.http_request_method = methodOf(record['http-method'] ?? record['method'] ?? record['httpMethod']);
    readTarget(textOf(record['uri']), event);
    event.server_address = hostOf(textOf(record['host'])).toLowerCase();
    event.http_route = textOf(record['mapped-path'] ?? record['mappedPath']);
    event.api_id = textOf(record['api-id'] ?? record['api'] ?? record['apiId']);
    event.api_name = textOf(record['api-name'] ?? record['apiName']);
    event.http_response_status_code = statusOf(record['status']);
    event.error_type = textOf(record['error-key'] ?? record['errorKey'] ?? objectOf(record['failure'])['key']);
    // CLIENT_ABORTED_DURING_RESPONSE_ERROR and its siblings.
    if (event.http_response_status_code === null && event.error_type.startsWith('CLIENT_ABORTED_')) event.outcome = 'aborted';
    readDurations(record, event);
    event.http_request_body_size = countOf(record['request-content-length'] ?? record['requestContentLength']);
    event.http_response_body_size = countOf(record['response-content-length'] ?? record['responseContentLength']);
    const address = readAddress(textOf(record['remote-address'] ?? record['remoteAddress']));
    // Stands for an address that is none.
    event.client_address = address === '0.0.0.0' ? '' : address;
    readIdentity(record, event, source);
    event.user_agent_original = textOf(record['user-agent'] ?? record['userAgent']);
    event.request_id = textOf(record['request-id'] ?? record['_id'] ?? record['requestId']);
  },
};
const gateway: Gateway = { json: format };
export default gateway;

const isRequest = (type: unknown): boolean => type === 'v4-metrics' || type === 'request';

function isTyped(record: Json): boolean {
  const { type } = record;
  return (
    (isRequest(type) || (otherTypes.has(type) && typeof record['date'] === 'string')) &&
    (record['gateway'] !== undefined || record['api-id'] !== undefined || record['api'] !== undefined)
  );
}

/** Only metrics of requests have all of it. The API is null where none matched. */
function isCamelCase(record: Json): boolean {
  return (
    typeof record['timestamp'] === 'number' &&
    typeof (record['gatewayResponseTimeMs'] ?? record['proxyResponseTimeMs']) === 'number' &&
    typeof record['requestId'] === 'string' &&
    record['httpMethod'] !== undefined
  );
}

function timeOf(record: Json): number {
  const { '@timestamp': iso, timestamp: epoch } = record;
  return iso === undefined && epoch !== undefined ? epochMicros(epoch, '$.timestamp') : isoMicros(iso, '$.@timestamp');
}

/** A number, in camelCase the name. A number without a name is a method that Gravitee does not know either. */
function methodOf(value: unknown): string {
  const code = numberOf(value);
  if (code !== null) return methods[code] ?? '_OTHER';
  const name = textOf(value);
  return name === 'OTHER' ? '_OTHER' : name;
}

/** v4, older APIs, and both in camelCase. */
function readDurations(record: Json, event: CanonicalEvent): void {
  event.duration_ms = durationOf(
    record['gateway-response-time-ms'] ?? record['response-time'] ?? record['gatewayResponseTimeMs'] ?? record['proxyResponseTimeMs'],
  );
  event.upstream_duration_ms = durationOf(
    record['endpoint-response-time-ms'] ?? record['api-response-time'] ?? record['endpointResponseTimeMs'] ?? record['apiResponseTimeMs'],
  );
  event.gateway_duration_ms = durationOf(
    record['gateway-latency-ms'] ?? record['proxy-latency'] ?? record['gatewayLatencyMs'] ?? record['proxyLatencyMs'],
  );
}

/** The token is the key itself: hashed, and only where no subscription stands for it. */
function readIdentity(record: Json, event: CanonicalEvent, source: SourceSettings): void {
  const application = textOf(record['application-id'] ?? record['application'] ?? record['applicationId']);
  // Application 1 is everybody who calls a keyless plan. Source: documentation.gravitee.io, policies, keyless.
  event.consumer_id = application === '1' ? '' : application;
  event.credential_id = textOf(record['subscription-id'] ?? record['subscription'] ?? record['subscriptionId']);
  const token = textOf(record['security-token'] ?? record['securityToken']);
  if (event.credential_id === '' && token !== '') event.credential_hash = source.hashKey(token);
  event.auth_type = authTypes.get(textOf(record['security-type'] ?? record['securityType'])) ?? '';
}
