/**
 * Istio: Envoy's record with its own default set of keys, and a line with more than Envoy's in two places. Before 1.9 the line has
 * one or two texts in quotes in the place of details, termination and failure. Units as of Envoy.
 * A request is logged by each proxy on its way; the cluster says on which side of a service.
 * Source of the layouts: istio/istio, pilot/pkg/model/telemetry_logging.go; istio/istio issue 30594 for those before 1.9.
 */
import { type Json, textOf } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { quotedFields, readRecord, skipsLine, skipsRecord } from '../envoy-record.ts';
import { type Gateway, type JsonFormat, ReadFailure, type SourceSettings, type TextFormat } from '../gateway.ts';

/** What only few others write comes first. */
const defaultKeys = [
  'x_forwarded_for',
  'upstream_transport_failure_reason',
  'connection_termination_details',
  'upstream_service_time',
  'requested_server_name',
  'authority',
  'request_id',
  'user_agent',
  'bytes_received',
  'bytes_sent',
  'downstream_local_address',
  'downstream_remote_address',
  'duration',
  'method',
  'path',
  'protocol',
  'response_code_details',
  'response_flags',
  'route_name',
  'upstream_cluster',
  'upstream_host',
  'upstream_local_address',
] as const;

const json: JsonFormat = {
  order: 99,
  test: '`response_code`, `start_time`, and an `upstream_cluster` like `outbound|…` or `inbound|…`, or all default keys of Istio',
  recognises: (record) =>
    record['response_code'] !== undefined &&
    record['start_time'] !== undefined &&
    (directionOf(record['upstream_cluster']) !== '' || defaultKeys.every((key) => record[key] !== undefined)),
  skips: skipsRecord,
  read: readIstio,
};

// [time] "method path protocol" code flags, then details termination "failure" or, before 1.9, one or two quoted texts, received
// sent duration upstream, five quoted texts, cluster upstream-local downstream-local downstream-remote sni route.
const line =
  /^\[(\d{4}-\d\d-\d\dT[^\] ]{1,24})\] "([^ ]+) ([^ ]+) ([^ ]+)" (\d{1,3}|-) ([^ ]+) (?:([^ "][^ ]*) [^ ]+ "[^"]*"|"[^"]*"(?: "[^"]*")?) (\d+) (\d+) (\d+|-) ([^ ]+) "(.*)" ([^ ]+) [^ ]+ [^ ]+ ([^ ]+) [^ ]+ (.+)$/s;

const text: TextFormat = {
  order: 19,
  test: '[time] "method path protocol" code flags, then details or texts in quotes, four numbers, five texts in quotes and six words',
  recognises: (record) => line.test(record),
  // The proxy's own log, and its agent's, have tabs: `2026-11-24T10:00:00.700000Z	info	…`.
  skips: (record) =>
    record[0] !== '[' && /^\d{4}-\d\d-\d\dT\S{1,24}\t\w+\t/.test(record) ? 'not a request: the log of Istio itself' : skipsLine(record),
  read: (record, event, source) => readIstio(fieldsOf(record), event, source),
};

const gateway: Gateway = { json, text };
export default gateway;

function readIstio(record: Json, event: CanonicalEvent, source: SourceSettings): void {
  event.gateway_kind = 'istio';
  readRecord(record, event, source);
  const direction = directionOf(record['upstream_cluster']);
  if (direction !== '') event.attributes['direction'] = direction;
}

/** Of `outbound|8080||host` and `inbound|8080||`; a waypoint's `inbound-vip|` is on the server's side too. Other clusters have none. */
function directionOf(cluster: unknown): string {
  const name = textOf(cluster);
  if (name.startsWith('outbound|')) return 'outbound';
  return name.startsWith('inbound|') || name.startsWith('inbound-vip|') ? 'inbound' : '';
}

function fieldsOf(record: string): Json {
  const parts = line.exec(record);
  if (parts === null) throw new ReadFailure('BAD_FIELD', '', `expected: ${text.test}`);
  return {
    start_time: parts[1],
    method: parts[2],
    path: parts[3],
    protocol: parts[4],
    response_code: parts[5],
    response_flags: parts[6],
    response_code_details: parts[7],
    bytes_received: parts[8],
    bytes_sent: parts[9],
    duration: parts[10],
    upstream_service_time: parts[11],
    ...quotedFields(parts[12] ?? ''),
    upstream_cluster: parts[13],
    downstream_remote_address: parts[14],
    route_name: parts[15],
  };
}
