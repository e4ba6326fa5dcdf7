/**
 * Azure Application Gateway, category ApplicationGatewayAccessLog of its diagnostic settings. `timeTaken` is seconds in v2 and
 * milliseconds in v1, `serverResponseLatency` seconds, sizes bytes on the wire. The time is taken for the end: an access log is
 * written when the request is done, and no page says otherwise. Source: learn.microsoft.com, Application Gateway,
 * monitor-application-gateway-reference, access log category.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, durationOf, isObject, type Json, numberOf, objectOf, statusOf, textOf } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { type Gateway, type JsonFormat, ReadFailure } from '../gateway.ts';
import { hostOf, readTarget, versionOf } from '../targets.ts';
import { endedAt, isoMicros, millisFromSeconds } from '../times.ts';

const format: JsonFormat = {
  order: 40,
  test: '`category` is ApplicationGatewayAccessLog, and `properties` is an object',
  recognises: (record) => record['category'] === 'ApplicationGatewayAccessLog' && isObject(record['properties']),
  // One diagnostic setting sends all categories of a gateway to one hub; a proxied TCP session has the category of a request.
  skips: (record) => {
    const { category } = record;
    if (typeof category === 'string' && category !== 'ApplicationGatewayAccessLog') return 'not a request: another category of Azure';
    const properties = objectOf(record['properties']);
    return properties['httpMethod'] === undefined && properties['sessionTime'] !== undefined ? 'not a request: a TCP session' : '';
  },
  read(record, event) {
    const { properties } = record;
    if (!isObject(properties)) throw new ReadFailure('BAD_FIELD', '$.properties', 'expected an object, something else came');
    event.gateway_kind = 'azure-appgw';
    // By what the gateway alone writes: not by the size of a number, nor by the query, which is a client's in v2.
    const isV1 = textOf(properties['instanceId']).startsWith('ApplicationGatewayRole_IN_');
    event.duration_ms = isV1 ? durationOf(properties['timeTaken']) : millisFromSeconds(numberOf(properties['timeTaken']));
    endedAt(timeOf(record), event);
    event.http_request_method = known(properties['httpMethod']);
    if (isV1) readNotes(properties, event);
    else readAsked(properties, event);
    event.server_address = hostOf(known(properties['originalHost']) || known(properties['host'])).toLowerCase();
    event.http_response_status_code = statusOf(properties['httpStatus']);
    const error = known(properties['error_info']);
    event.error_type = error === 'ERRORINFO_NO_ERROR' ? '' : error;
    if (event.http_response_status_code === null && error === 'ERRORINFO_CLIENT_CLOSED_REQUEST') event.outcome = 'aborted';
    event.upstream_duration_ms = millisFromSeconds(numberOf(properties['serverResponseLatency']));
    event.http_request_size = countOf(properties['receivedBytes']);
    event.http_response_size = countOf(properties['sentBytes']);
    event.client_address = readAddress(textOf(properties['clientIP']));
    event.gateway_route_name = known(record['ruleName']);
    event.gateway_service_name = known(record['backendPoolName']);
    event.user_agent_original = known(properties['userAgent']);
    event.network_protocol_version = versionOf(known(properties['httpVersion']));
    event.tls_protocol_version = known(properties['sslProtocol']);
    event.tls_cipher = known(properties['sslCipher']);
    const contentType = known(properties['contentType']);
    if (contentType !== '') event.attributes['content_type'] = contentType;
  },
};
const gateway: Gateway = { json: format };
export default gateway;

function known(value: unknown): string {
  const text = textOf(value);
  return text === '-' ? '' : text;
}

/** Versions and ways of export spell it differently. */
function timeOf(record: Json): number {
  const { time, timestamp, timeStamp } = record;
  if (timeStamp !== undefined) return isoMicros(timeStamp, '$.timeStamp');
  return time === undefined && timestamp !== undefined ? isoMicros(timestamp, '$.timestamp') : isoMicros(time, '$.time');
}

/** `requestUri` and `requestQuery` are what rewriting made of the URL that was asked for. */
function readAsked(properties: Json, event: CanonicalEvent): void {
  const original = known(properties['originalRequestUriWithArgs']);
  readTarget(original || known(properties['requestUri']), event);
  if (original === '' && event.url_query === '') event.url_query = known(properties['requestQuery']);
  event.upstream_status_code = statusOf(properties['serverStatus']);
  event.request_id = known(properties['transactionId']);
}

/** The query of v1 is notes of the gateway, `…CACHE-HIT=0&SERVER-ROUTED=…&X-AzureApplicationGateway-LOG-ID=…&SERVER-STATUS=404`. */
function readNotes(properties: Json, event: CanonicalEvent): void {
  const notes = known(properties['requestQuery']);
  readTarget(known(properties['requestUri']), event);
  event.upstream_status_code = statusOf(noteOf(notes, 'SERVER-STATUS='));
  event.request_id = noteOf(notes, 'X-AzureApplicationGateway-LOG-ID=');
}

/** The last of its name, should a client have sent one of its own. */
function noteOf(notes: string, name: string): string {
  const at = notes.lastIndexOf(name);
  if (at < 0) return '';
  const end = notes.indexOf('&', at);
  return notes.slice(at + name.length, end < 0 ? undefined : end);
}
