/**
 * Caddy 2, access log as JSON. `ts` is the end of the request, by default in epoch seconds, `duration` in seconds or as Go writes
 * it, sizes in bytes of bodies.
 * Source of the layout: caddyserver/caddy, modules/caddyhttp/server.go and marshalers.go; modules/logging/encoders.go for times.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, isObject, type Json, numberOf, objectOf, statusOf, textOf } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { decideClient } from '../forwarded.ts';
import type { Gateway, JsonFormat, SourceSettings } from '../gateway.ts';
import { readHeaders } from '../headers.ts';
import { hostOf, readTarget, versionOf } from '../targets.ts';
import { clfMicros, endedAt, epochMicros, goMillis, isoMicros, millisFromSeconds } from '../times.ts';

const accessLog = 'http.log.access';

const format: JsonFormat = {
  order: 80,
  test: '`logger` that is `http.log.access` or below it, and `request.method`',
  recognises: (record) => isAccessLog(record['logger']) && objectOf(record['request'])['method'] !== undefined,
  // All loggers write to one stream. That of errors repeats requests which have a record of their own. A filter can have taken the
  // name of the logger out.
  skips(record) {
    if (record['logger'] !== undefined && !isAccessLog(record['logger'])) return 'not a request: of another logger';
    return isObject(record['request']) ? '' : 'not a request: no request in it';
  },
  read(record, event, source) {
    const request = objectOf(record['request']);
    const tls = objectOf(request['tls']);
    event.gateway_kind = 'caddy';
    event.http_request_method = textOf(request['method']);
    readTarget(textOf(request['uri']), event);
    event.server_address = hostOf(textOf(request['host']));
    event.network_protocol_version = versionOf(textOf(request['proto']));
    if (isObject(request['tls'])) event.url_scheme = 'https';
    event.tls_protocol_version = textOf(tls['version']);
    event.tls_cipher = textOf(tls['cipher_suite']);
    event.http_response_status_code = statusOf(record['status']);
    event.http_request_body_size = countOf(record['bytes_read']);
    event.http_response_body_size = countOf(record['size']);
    event.consumer_name = textOf(record['user_id']);
    event.gateway_service_name = textOf(record['logger']).slice(accessLog.length + 1);
    event.trace_id = textOf(record['traceID']).toLowerCase();
    // The betas of 2.0 called it latency.
    event.duration_ms = millisOf(record['duration'] ?? record['latency']);
    endedAt(endMicros(record['ts'], source), event);
    readOwnHeaders(objectOf(request['headers']), objectOf(record['resp_headers']), event);
    readClient(request, event, source);
  },
};
const gateway: Gateway = { json: format };
export default gateway;

function isAccessLog(logger: unknown): boolean {
  return typeof logger === 'string' && (logger === accessLog || logger.startsWith(`${accessLog}.`));
}

/** A number is taken for seconds: those who set `duration_format` to ms or ns write numbers that look the same. */
function millisOf(duration: unknown): number | null {
  return typeof duration === 'string' ? goMillis(duration) : millisFromSeconds(numberOf(duration));
}

/** By `time_format`: an epoch time, `2026/11/24 10:00:00`, `24/Nov/2026:10:00:00 +0000`, or ISO 8601. */
function endMicros(ts: unknown, { timeZone }: SourceSettings): number {
  if (typeof ts === 'number') return epochMicros(ts, '$.ts');
  if (typeof ts !== 'string') return isoMicros(ts, '$.ts');
  if (ts[2] === '/') return clfMicros(ts, '$.ts', timeZone);
  const iso = ts[4] === '/' && ts[7] === '/' ? `${ts.slice(0, 4)}-${ts.slice(5, 7)}-${ts.slice(8)}` : ts;
  return isoMicros(iso, '$.ts', timeZone);
}

/** Caddy writes the names of headers as Go does. */
function readOwnHeaders(request: Json, response: Json, event: CanonicalEvent): void {
  readHeaders(
    {
      'user-agent': request['User-Agent'],
      'x-forwarded-for': request['X-Forwarded-For'],
      'x-request-id': request['X-Request-Id'],
      'content-type': response['Content-Type'],
      referer: request['Referer'],
      traceparent: request['Traceparent'],
    },
    event,
  );
}

/** Before 2.7 there is no `client_ip`, before 2.5 the peer with its port alone. */
function readClient(request: Json, event: CanonicalEvent, source: SourceSettings): void {
  const peer = readAddress(textOf(request['remote_ip']) || textOf(request['remote_addr']));
  event.client_address = readAddress(textOf(request['client_ip'])) || peer;
  decideClient(event, source);
  event.network_peer_address = peer;
}
