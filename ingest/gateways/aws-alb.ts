/**
 * AWS Application Load Balancer: access log entries, fields parted by blanks, some in quotes. Three times in seconds, -1 for one
 * that is not known; sizes on the wire. `time` is the end and `request_creation_time` the start; older entries end before it.
 * Source: docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html, syntax.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, numberOf, statusOf } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { type Gateway, ReadFailure, type TextFormat } from '../gateway.ts';
import { dashed, readStatus, withoutEscapes } from '../server-logs.ts';
import { hostOf, readRequestLine } from '../targets.ts';
import { endedAt, isoMicros, millisFromSeconds } from '../times.ts';

const head = /^(?:https?|h2|grpcs|wss?) \d{4}-\d\d-\d\dT[\d:.]{1,20}Z \S+ \S+ \S+ -?[\d.]+ -?[\d.]+ -?[\d.]+ (?:\d{3}|-) /;

// What shares the bucket: sessions of a Network Load Balancer, connections to this one, and the file that AWS puts there first.
const others = /^(?:tls \d\.\d |\d{4}-\d\d-\d\dT\S{1,20} \S+ \d+ \d+ |Enable AccessLog for ELB: )/;

/** Up to and with `trace_id`: what each entry has, since the first ones. */
const leastFields = 18;

const format: TextFormat = {
  order: 30,
  test: 'http, https, h2, grpcs, ws or wss, an ISO 8601 time, load balancer, client, target, three times in seconds, status',
  recognises: (text) => head.test(text),
  skips: (text) => (others.test(text) ? 'not a request: a connection' : ''),
  read(text, event) {
    const fields = fieldsOf(text);
    if (fields.length < leastFields)
      throw new ReadFailure('BAD_FIELD', '', `expected at least ${leastFields} fields, ${fields.length} came`);
    const [, time = '', , client = '', target = '', , , , status = '', targetStatus, received, sent, request = '', agent = '', ...rest] =
      fields;
    const [cipher = '', protocol = '', targetGroup = '', trace = '', , , , created = '', , , reason = '', targets = target] = rest;
    event.gateway_kind = 'aws-alb';
    readDurations(fields, event);
    readTime(time, dashed(created), event);
    event.client_address = readAddress(hostOf(client));
    readStatus(status, event);
    event.upstream_status_code = statusOf(targetStatus);
    event.upstream_attempts = dashed(targets) === '' ? null : Math.min(targets.split(' ').length, 255);
    event.http_request_size = countOf(received);
    event.http_response_size = countOf(sent);
    readRequestLine(withoutEscapes(request), event);
    event.user_agent_original = withoutEscapes(dashed(agent));
    event.tls_cipher = dashed(cipher);
    event.tls_protocol_version = dashed(protocol);
    event.gateway_route_id = dashed(targetGroup);
    event.request_id = dashed(trace);
    event.trace_id = traceId(trace);
    event.error_type = dashed(reason);
  },
};
const gateway: Gateway = { text: format };
export default gateway;

/** A quote inside of quotes is written as `\x22`, so that the next one ends them. */
function fieldsOf(line: string): readonly string[] {
  const fields: string[] = [];
  for (let from = 0; from < line.length;) {
    const isQuoted = line[from] === '"';
    const end = isQuoted ? line.indexOf('"', from + 1) : line.indexOf(' ', from);
    const stop = end < 0 ? line.length : end;
    fields.push(line.slice(isQuoted ? from + 1 : from, stop));
    from = isQuoted ? stop + 2 : stop + 1;
  }
  return fields;
}

/** Of the whole nothing is known where one of its parts is not. */
function readDurations(fields: readonly string[], event: CanonicalEvent): void {
  const [request, target, response] = fields.slice(5, 8).map(numberOf);
  event.upstream_duration_ms = millisFromSeconds(target ?? null);
  if (request == null || target == null || response == null || Math.min(request, target, response) < 0) return;
  event.duration_ms = millisFromSeconds(request + target + response);
}

/** A start that cannot be read is not replaced by the end. @throws ReadFailure */
function readTime(time: string, created: string, event: CanonicalEvent): void {
  if (created === '') endedAt(isoMicros(time, '$.time'), event);
  else event.timestamp = isoMicros(created, '$.request_creation_time');
}

/** Root of `X-Amzn-Trace-Id`, as the X-Ray propagator of OpenTelemetry has it: a time and a number, without the version. */
function traceId(trace: string): string {
  const [, time = '', number = ''] = /(?:^|;)Root=1-([\da-f]{8})-([\da-f]{24})(?:;|$)/i.exec(trace) ?? [];
  return `${time}${number}`.toLowerCase();
}
