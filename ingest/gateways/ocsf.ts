/**
 * Open Cybersecurity Schema Framework: HTTP Activity (4002) and API Activity (6003). `time` in milliseconds, though writers put
 * seconds there too; `duration` and `latency` in milliseconds, lengths in bytes: of the whole message, `body_length` of its body.
 * Source of the layout: ocsf/ocsf-schema, events/network/http_activity.json, events/application/api_activity.json, objects/*.json.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, durationOf, type Json, listOf, objectOf, statusOf, textOf } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { decideClient, readForwarded } from '../forwarded.ts';
import type { Gateway, JsonFormat } from '../gateway.ts';
import { listedTexts, readHeaders, readReferer } from '../headers.ts';
import { hostOf, versionOf } from '../targets.ts';
import { epochMicros, isoMicros } from '../times.ts';
import { readUrl } from '../urls.ts';

const httpActivity = 4002;
const apiActivity = 6003;

const format: JsonFormat = {
  order: 20,
  test: 'whole number `class_uid` and text `metadata.version`; HTTP Activity (4002) and API Activity (6003) are requests',
  recognises: (record) => Number.isInteger(record['class_uid']) && typeof objectOf(record['metadata'])['version'] === 'string',
  skips({ class_uid: uid }) {
    const isOther = typeof uid === 'number' && uid !== httpActivity && uid !== apiActivity;
    return isOther ? 'not a request: an event of another class than 4002 and 6003' : '';
  },
  read(record, event, source) {
    const api = objectOf(record['api']);
    event.gateway_kind = 'ocsf';
    event.timestamp = timeOf(record, source.timeZone);
    event.duration_ms = durationOf(record['duration']);
    readIds(record, api, event);
    readRequest(objectOf(record['http_request']), event);
    readResponse(record, api, event);
    readApi(api, event);
    event.client_address = readAddress(textOf(objectOf(record['src_endpoint'])['ip']));
    decideClient(event, source);
  },
};
const gateway: Gateway = { json: format };
export default gateway;

/** `time_dt` has more digits, and may stand without a zone. */
function timeOf({ time, time_dt: text }: Json, timeZone: string): number {
  const isAbsent = text === undefined || text === null || text === '';
  return isAbsent ? epochMicros(time, '$.time') : isoMicros(text, '$.time_dt', timeZone);
}

function readIds(record: Json, api: Json, event: CanonicalEvent): void {
  const user = objectOf(objectOf(record['actor'])['user']);
  const trace = objectOf(record['trace']);
  const tls = objectOf(record['tls']);
  event.consumer_id = textOf(user['uid']);
  event.consumer_name = textOf(user['name']);
  event.request_id =
    textOf(objectOf(record['metadata'])['uid']) ||
    textOf(objectOf(record['http_request'])['uid']) ||
    textOf(objectOf(api['request'])['uid']);
  event.trace_id = textOf(trace['uid']).toLowerCase();
  event.span_id = textOf(objectOf(trace['span'])['uid']).toLowerCase();
  event.tls_protocol_version = textOf(tls['version']);
  event.tls_cipher = textOf(tls['cipher']);
}

/** A field wins over the header that says the same. */
function readRequest(request: Json, event: CanonicalEvent): void {
  const headers = headersOf(listOf(request['http_headers']));
  readHeaders(headers, event);
  readReferer(textOf(request['referrer']), event);
  const forwarded = listedTexts(request['x_forwarded_for']);
  if (forwarded !== '') readForwarded(forwarded, event);
  event.user_agent_original = textOf(request['user_agent']) || event.user_agent_original;
  event.http_request_method = textOf(request['http_method']);
  event.network_protocol_version = versionOf(textOf(request['version']));
  event.http_request_size = countOf(request['length']);
  event.http_request_body_size = countOf(request['body_length']);
  event.server_address = hostOf(textOf(headers['host']));
  readUrlOf(objectOf(request['url']), event);
}

const kept: ReadonlySet<string> = new Set([
  'user-agent',
  'x-forwarded-for',
  'x-request-id',
  'content-type',
  'referer',
  'traceparent',
  'host',
]);

/** By name in lower case; the others are dropped unread. */
function headersOf(list: readonly unknown[]): Json {
  const headers: Record<string, string[]> = {};
  for (const each of list) {
    const header = objectOf(each);
    const name = textOf(header['name']).toLowerCase();
    if (kept.has(name)) (headers[name] ??= []).push(textOf(header['value']));
  }
  return headers;
}

function readUrlOf(url: Json, event: CanonicalEvent): void {
  const parts = {
    whole: textOf(url['url_string']),
    path: textOf(url['path']),
    query: textOf(url['query_string']),
    scheme: textOf(url['scheme']),
    host: textOf(url['hostname']),
  };
  readUrl(parts, event);
}

/** `http_status` is deprecated, yet some write it alone. */
function readResponse(record: Json, api: Json, event: CanonicalEvent): void {
  const response = objectOf(record['http_response']);
  event.http_response_status_code =
    statusOf(response['code']) ?? statusOf(record['http_status']) ?? statusOf(objectOf(api['response'])['code']);
  event.upstream_duration_ms = durationOf(response['latency']);
  event.http_response_size = countOf(response['length']);
  event.http_response_body_size = countOf(response['body_length']);
}

function readApi(api: Json, event: CanonicalEvent): void {
  event.api_name = textOf(objectOf(api['service'])['name']);
  event.api_version = textOf(api['version']);
  event.operation_id = textOf(api['operation']);
  event.error_type = textOf(objectOf(api['response'])['error']);
}
