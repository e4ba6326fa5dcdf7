/**
 * Azure API Management, category GatewayLogs of its diagnostic settings: `time` is the start, durations are milliseconds, sizes
 * bytes on the wire. Keys are camelCase; those of the table ApiManagementGatewayLogs and of older exports are PascalCase.
 * Source: learn.microsoft.com, API Management, gateway-log-schema-reference; Azure Monitor, tables/apimanagementgatewaylogs.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, durationOf, isObject, type Json, objectOf, statusOf, textOf } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { decideClient } from '../forwarded.ts';
import { type Gateway, type JsonFormat, ReadFailure } from '../gateway.ts';
import { readHeaders } from '../headers.ts';
import { readOrigin, readTarget, versionOf } from '../targets.ts';
import { isoMicros } from '../times.ts';

const format: JsonFormat = {
  order: 30,
  test: '`category` is GatewayLogs, and `properties` is an object or a text',
  recognises: (record) =>
    record['category'] === 'GatewayLogs' && (isObject(record['properties']) || typeof record['properties'] === 'string'),
  // One diagnostic setting sends all categories of a service to one hub.
  skips: (record) => {
    const category = record['category'] ?? record['Category'];
    return typeof category === 'string' && category !== 'GatewayLogs' ? 'not a request: another category of Azure' : '';
  },
  read(record, event, source) {
    event.gateway_kind = 'azure-apim';
    event.timestamp = timeOf(record);
    const properties = propertiesOf(record);
    const url = textOf(properties['url'] ?? properties['Url']);
    event.http_request_method = textOf(properties['method'] ?? properties['Method']);
    readTarget(url, event);
    readOrigin(url, event);
    event.server_address = event.server_address.toLowerCase();
    event.api_id = textOf(properties['apiId'] ?? properties['ApiId']);
    event.operation_id = textOf(properties['operationId'] ?? properties['OperationId']);
    event.http_response_status_code = statusOf(properties['responseCode'] ?? properties['ResponseCode']);
    event.upstream_status_code = statusOf(properties['backendResponseCode'] ?? properties['BackendResponseCode']);
    event.error_type = textOf(objectOf(properties['lastError'])['reason'] ?? properties['LastErrorReason']);
    // Status 0, and the connection to the client failed.
    if (event.http_response_status_code === null && event.error_type === 'ClientConnectionFailure') event.outcome = 'aborted';
    event.duration_ms = durationOf(record['durationMs'] ?? record['TotalTime']);
    event.upstream_duration_ms = durationOf(properties['backendTime'] ?? properties['BackendTime']);
    event.gateway_duration_ms = gatewayMs(event, durationOf(properties['clientTime'] ?? properties['ClientTime']));
    event.http_request_size = countOf(properties['requestSize'] ?? properties['RequestSize']);
    event.http_response_size = countOf(properties['responseSize'] ?? properties['ResponseSize']);
    event.client_address = readAddress(textOf(record['callerIpAddress'] ?? record['CallerIpAddress']));
    event.consumer_id = textOf(properties['userId'] ?? properties['UserId']);
    event.credential_id = textOf(properties['apimSubscriptionId'] ?? properties['ApimSubscriptionId'] ?? properties['SubscriptionId']);
    event.network_protocol_version = versionOf(textOf(properties['clientProtocol'] ?? properties['ClientProtocol']));
    event.tls_protocol_version = textOf(properties['clientTlsVersion'] ?? properties['ClientTlsVersion']);
    event.request_id = textOf(record['correlationId'] ?? record['CorrelationId']);
    readClientHeaders(objectOf(properties['requestHeaders'] ?? properties['RequestHeaders']), event);
    // The caller is the peer, maybe a proxy.
    decideClient(event, source);
  },
};
const gateway: Gateway = { json: format };
export default gateway;

/** `TimeGenerated` in a table of Log Analytics. */
function timeOf(record: Json): number {
  const { time, TimeGenerated: generated } = record;
  return time === undefined && generated !== undefined ? isoMicros(generated, '$.TimeGenerated') : isoMicros(time, '$.time');
}

/** Some exports have them as a text, and a table of Log Analytics has no object around them. @throws ReadFailure BAD_JSON, BAD_FIELD */
function propertiesOf(record: Json): Json {
  const { properties } = record;
  if (isObject(properties)) return properties;
  if (properties === undefined && record['TimeGenerated'] !== undefined) return record;
  if (typeof properties !== 'string') throw new ReadFailure('BAD_FIELD', '$.properties', 'expected an object or a text, neither came');
  const read = parsed(properties);
  if (!isObject(read)) throw new ReadFailure('BAD_JSON', '$.properties', 'expected a JSON object, it ends early or is malformed');
  return read;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** What neither the backend nor sending to the client took. */
function gatewayMs({ duration_ms: total, upstream_duration_ms: backend }: CanonicalEvent, client: number | null): number | null {
  return total === null || backend === null || client === null ? null : Math.max(0, total - backend - client);
}

/** Their names come as the client wrote them: in lower case over HTTP/2, usually with capitals over HTTP/1.1. */
function readClientHeaders(headers: Json, event: CanonicalEvent): void {
  const known = {
    'user-agent': headers['User-Agent'] ?? headers['user-agent'],
    'x-forwarded-for': headers['X-Forwarded-For'] ?? headers['x-forwarded-for'],
    'x-request-id': headers['X-Request-Id'] ?? headers['x-request-id'],
    'content-type': headers['Content-Type'] ?? headers['content-type'],
    referer: headers['Referer'] ?? headers['referer'],
    traceparent: headers['Traceparent'] ?? headers['traceparent'],
  };
  readHeaders(known, event);
}
