/**
 * Azure Front Door, access log of its diagnostic settings: FrontDoorAccessLog, of the classic product FrontdoorAccessLog. `time`
 * is when the edge had delivered, the end; `timeTaken` is seconds, sizes are bytes on the wire, all values texts.
 * Source: learn.microsoft.com, Front Door, monitor-front-door, access log.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, isObject, numberOf, objectOf, statusOf, textOf } from '../../core/fields.ts';
import { type Gateway, type JsonFormat, ReadFailure } from '../gateway.ts';
import { readReferer } from '../headers.ts';
import { hostOf, readOrigin, readTarget, versionOf } from '../targets.ts';
import { endedAt, isoMicros, millisFromSeconds } from '../times.ts';

const isAccessLog = (category: unknown): boolean => category === 'FrontDoorAccessLog' || category === 'FrontdoorAccessLog';

const format: JsonFormat = {
  order: 41,
  test: '`category` is FrontDoorAccessLog or FrontdoorAccessLog, and `properties` is an object',
  recognises: (record) => isAccessLog(record['category']) && isObject(record['properties']),
  // One diagnostic setting sends all categories of a profile to one hub. Of a request through the origin shield there are two
  // records, and one of them is no exchange with a client.
  skips: (record) => {
    if (typeof record['category'] === 'string' && !isAccessLog(record['category'])) return 'not a request: another category of Azure';
    const received = objectOf(record['properties'])['isReceivedFromClient'];
    return received === false || received === 'false' ? 'not a request: a hop between edge and origin shield' : '';
  },
  read(record, event) {
    const { properties } = record;
    if (!isObject(properties)) throw new ReadFailure('BAD_FIELD', '$.properties', 'expected an object, something else came');
    const url = known(properties['requestUri']);
    event.gateway_kind = 'azure-frontdoor';
    event.duration_ms = millisFromSeconds(numberOf(properties['timeTaken']));
    endedAt(isoMicros(record['time'], '$.time'), event);
    event.http_request_method = known(properties['httpMethod']);
    readTarget(url, event);
    readOrigin(url, event);
    event.server_address = (hostOf(known(properties['hostName'])) || event.server_address).toLowerCase();
    // 0 is an origin that timed out; of a client that left it is 499.
    event.http_response_status_code = statusOf(properties['httpStatusCode']);
    event.error_type = errorOf(properties['errorInfo']) || errorOf(properties['ErrorInfo']);
    if (event.http_response_status_code === null && event.error_type === 'ClientDisconnected') event.outcome = 'aborted';
    event.http_request_size = countOf(properties['requestBytes']);
    event.http_response_size = countOf(properties['responseBytes']);
    event.client_address = readAddress(textOf(properties['clientIp']));
    event.network_peer_address = readAddress(textOf(properties['socketIp']));
    event.gateway_route_name = known(properties['routeName']) || known(properties['routingRuleName']);
    event.user_agent_original = known(properties['userAgent']);
    event.network_protocol_version = versionOf(known(properties['httpVersion']));
    event.tls_protocol_version = known(properties['securityProtocol']);
    event.tls_cipher = known(properties['securityCipher']);
    event.request_id = known(properties['trackingReference']);
    readReferer(known(properties['referer']) || known(properties['referrer']), event);
  },
};
const gateway: Gateway = { json: format };
export default gateway;

function known(value: unknown): string {
  const text = textOf(value);
  return text === 'N/A' ? '' : text;
}

function errorOf(value: unknown): string {
  const error = known(value);
  return error === 'NoError' ? '' : error;
}
