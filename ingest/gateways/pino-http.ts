/**
 * pino-http, the request log of Express and other servers on Node. `time` is the end: epoch milliseconds, also seconds or ISO 8601;
 * `responseTime` in milliseconds. Headers come unredacted. Source of the layout: pinojs/pino-http, logger.js;
 * pinojs/pino-std-serializers, lib/req.js and lib/res.js.
 */
import { readAddress } from '../../core/address.ts';
import { durationOf, isObject, objectOf, statusOf, textOf } from '../../core/fields.ts';
import { decideClient } from '../forwarded.ts';
import type { Gateway, JsonFormat } from '../gateway.ts';
import { readHeaders } from '../headers.ts';
import { hostOf, readOrigin, readTarget } from '../targets.ts';
import { endedAt, epochMicros, isoMicros } from '../times.ts';

const format: JsonFormat = {
  order: 140,
  test: 'number `level` and `req.method`, with `res.statusCode` and `responseTime`, or without `res` as lines of a child logger are',
  recognises(record) {
    if (typeof record['level'] !== 'number' || typeof objectOf(record['req'])['method'] !== 'string') return false;
    const { res } = record;
    return res === undefined || (objectOf(res)['statusCode'] !== undefined && record['responseTime'] !== undefined);
  },
  skips: (record) => (isObject(record['res']) ? '' : 'not a request: a line without a response'),
  read(record, event, source) {
    const request = objectOf(record['req']);
    const response = objectOf(record['res']);
    const headers = objectOf(request['headers']);
    event.gateway_kind = 'express';
    event.duration_ms = durationOf(record['responseTime']);
    endedAt(timeOf(record['time']), event);
    event.http_request_method = textOf(request['method']);
    const url = textOf(request['url']);
    event.server_address = hostOf(textOf(headers['host']));
    readOrigin(url, event);
    readTarget(url, event);
    event.http_response_status_code = statusOf(response['statusCode']);
    // Null until headers are sent: nobody was there to send them to, unless an error kept them back.
    if (response['statusCode'] === null && record['err'] === undefined) event.outcome = 'aborted';
    event.error_type = textOf(objectOf(record['err'])['type']);
    // With quietResLogger the line has no request, only its id.
    event.request_id = textOf(request['id']) || textOf(record['reqId']);
    readHeaders(headers, event);
    // Of the socket; Node forgets it when the client has left.
    event.client_address = readAddress(textOf(request['remoteAddress']));
    event.network_peer_address = event.client_address;
    decideClient(event, source);
  },
};
const gateway: Gateway = { json: format };
export default gateway;

/** Source: pinojs/pino, lib/time.js. */
function timeOf(value: unknown): number {
  const isIso = typeof value === 'string' && Number.isNaN(Number(value));
  return isIso ? isoMicros(value, '$.time') : epochMicros(value, '$.time');
}
