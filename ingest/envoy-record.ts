/**
 * What the formats of Envoy and Istio share: the fields of an access record, under the names that Envoy Gateway and Istio give
 * them by default. `start_time` is the start, durations are milliseconds, `bytes_*` are of bodies. Untyped JSON has texts for
 * numbers; where there is nothing stands `-` or null.
 * Source: envoyproxy/envoy, docs/root/configuration/observability/access_log/usage.rst.
 */
import { readAddress } from '../core/address.ts';
import { countOf, durationOf, type Json, numberOf, statusOf, textOf } from '../core/fields.ts';
import type { CanonicalEvent } from '../schemas/event.ts';
import { decideClient, readForwarded, rightmost } from './forwarded.ts';
import type { SourceSettings } from './gateway.ts';
import { hostOf, readTarget, versionOf } from './targets.ts';
import { epochMicros, isoMicros } from './times.ts';

const tcp = 'not a request: a TCP connection';

/** Details can hold words of a filter's own. */
const maxDetailsLength = 128;

/** Connections are logged with the same fields. A request that could not be read has a protocol or a status all the same. */
export function skipsRecord(record: Json): string {
  const isRequest =
    given(record['method']) !== '' ||
    given(record['path']) !== '' ||
    given(record['x-envoy-origin-path']) !== '' ||
    given(record['protocol']) !== '' ||
    statusOf(record['response_code']) !== null;
  return isRequest ? '' : tcp;
}

/** The same of a line, which begins `[time] "method path protocol" `. */
export function skipsLine(line: string): string {
  return line.startsWith('"- - -" ', line.indexOf(']') + 2) ? tcp : '';
}

/** @throws ReadFailure MISSING_TIME, BAD_TIME */
export function readRecord(record: Json, event: CanonicalEvent, source: SourceSettings): void {
  event.timestamp = startMicros(record['start_time']);
  event.http_request_method = given(record['method']);
  readTarget(given(record['x-envoy-origin-path']) || given(record['path']), event);
  event.server_address = hostOf(given(record[':authority']) || given(record['authority']));
  event.network_protocol_version = versionOf(given(record['protocol']));
  event.http_response_status_code = statusOf(record['response_code']);
  event.upstream_attempts = countOf(record['upstream_request_attempt_count'], 255) || null;
  event.duration_ms = durationOf(record['duration']);
  event.upstream_duration_ms = durationOf(given(record['x-envoy-upstream-service-time']) || record['upstream_service_time']);
  event.http_request_body_size = countOf(record['bytes_received']);
  event.http_response_body_size = countOf(record['bytes_sent']);
  event.gateway_route_name = given(record['route_name']);
  event.gateway_service_name = given(record['upstream_cluster']);
  event.user_agent_original = given(record['user-agent']) || given(record['user_agent']);
  event.request_id = given(record['x-request-id']) || given(record['request_id']);
  readClient(record, event, source);
  readEnd(record, event);
}

const given = (value: unknown): string => (value === '-' ? '' : textOf(value));

/** A source can ask for epoch seconds, `%s.%3f`. */
function startMicros(start: unknown): number {
  const isEpoch = typeof start === 'number' || (typeof start === 'string' && /^[\d.]+$/.test(start));
  return isEpoch ? epochMicros(start, '$.start_time') : isoMicros(start === '-' ? '' : start, '$.start_time');
}

/**
 * The remote address is what Envoy decided, by the forwarded list too where it trusts it. Without one, as in the default line, or
 * where it is none, as inside a mesh, the last hop that wrote the list is all there is.
 */
function readClient(record: Json, event: CanonicalEvent, source: SourceSettings): void {
  const forwarded = given(record['x-forwarded-for']) || given(record['x_forwarded_for']);
  readForwarded(forwarded, event);
  event.client_address = readAddress(given(record['downstream_remote_address'])) || rightmost(forwarded, source);
  decideClient(event, source);
  const direct = readAddress(given(record['downstream_direct_remote_address']));
  if (direct !== '') event.network_peer_address = direct;
}

/** What the upstream answered itself is no error of Envoy. Code 0: the client left before a response began. */
function readEnd(record: Json, event: CanonicalEvent): void {
  const flags = given(record['response_flags']);
  const details = given(record['response_code_details']);
  const { http_response_status_code: status } = event;
  const isFailed = status === null || status >= 400;
  event.error_type = flags || (isFailed && details !== 'via_upstream' ? details.slice(0, maxDetailsLength) : '');
  if (hasFlag(flags, 'RL')) event.outcome = 'rate_limited';
  else if (status === null && (hasFlag(flags, 'DC') || numberOf(record['response_code']) === 0)) event.outcome = 'aborted';
}

const hasFlag = (flags: string, flag: string): boolean => flags !== '' && flags.split(',').includes(flag);

/**
 * Fields of `forwarded" "user agent" "request id" "authority" "upstream host`. Nothing in them is escaped: where a client wrote
 * quotes, list and user agent cannot be told apart, and neither is taken, lest a client write its own address.
 */
export function quotedFields(quoted: string): Json {
  const parts = quoted.split('" "');
  if (parts.length < 5) return {};
  const [forwarded, agent] = parts.length === 5 ? parts : [];
  return { x_forwarded_for: forwarded, user_agent: agent, request_id: parts.at(-3), authority: parts.at(-2) };
}
