/**
 * HAProxy: its lines of `option httplog`, `httpslog` and `httplog clf`, with the name of the process in front or without. Timers
 * in milliseconds, -1 for a phase that was not reached; bytes on the wire. The time is the start: of httplog to the millisecond
 * and without a zone, of clf to the second and in GMT. Source: haproxy/haproxy, doc/configuration.txt, 8.2.3 to 8.5; src/log.c.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, durationOf, statusOf } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { type Gateway, ReadFailure, type TextFormat } from '../gateway.ts';
import { dashed } from '../server-logs.ts';
import { readRequestLine, readTarget } from '../targets.ts';
import { clfMicros } from '../times.ts';

// client:port [date] frontend backend/server TR/Tw/Tc/Tr/Ta status bytes cookie cookie state counters queues {captures} "request"
// tls. Captures stand there or not, and by position; HAProxy writes no quote in them, so the first one begins the request. What
// came through syslog may be cut anywhere behind.
const httplog =
  /^(?:[\w./-]{1,48}\[\d{1,10}\]: )?(?<client>\S+):\d+ \[(?<date>[^\]]{0,40})\] (?<frontend>\S+) (?<backend>[^\s/]+)\/(?<server>\S+) -?\d+\/-?\d+\/-?\d+\/(?<response>-?\d+)\/\+?(?<total>-?\d+) (?<status>-?\d{1,3}) \+?(?<bytes>\d+) \S+ \S+ (?<state>[\w-]{4}) \d+\/\d+\/\d+\/\d+\/\+?(?<retries>\d+) \d+\/\d+[^"]*(?:"(?<request>[^"]*)"?(?<tls>.*))?$/s;

// client - - [date] "request" status bytes "" "" port ms "frontend" "backend" "server" TR Tw Tc Tr Ta "state" counters: the two
// empty texts stand where combined has what a client sends.
const clf =
  /^(?:[\w./-]{1,48}\[\d{1,10}\]: )?(?<client>\S+) - - \[(?<date>[^\]]{0,40})\] "(?<request>[^"]*)" (?<status>-?\d{1,3}) \+?(?<bytes>\d+) "" "" \d+ \d+ "(?<frontend>[^"]*)" "(?<backend>[^"]*)" "(?<server>[^"]*)" -?\d+ -?\d+ -?\d+ (?<response>-?\d+) \+?(?<total>-?\d+) "(?<state>[^"]{4})" \d+ \d+ \d+ \d+ \+?(?<retries>\d+) /;

/** As far as the status: a line of HAProxy that cannot be read further is none of another format. */
const head =
  /^(?:[\w./-]{1,48}\[\d{1,10}\]: )?\S+ \[\d\d\/[A-Z][a-z]{2}\/\d{4}:[\d:.]{8,15}\] \S+ [^\s/]+\/\S+ (?:-?\d+\/){4}\+?-?\d+ -?\d{1,3} /;

// What shares the log: sessions of TCP, which have three timers, or `TCP` for a request; failed handshakes; and the process itself.
const others =
  /^(?:[\w./-]{1,48}\[\d{1,10}\]: )?(?:\S+ \[[^\]]{0,40}\] \S+ [^\s/]+\/\S+ -?\d+\/-?\d+\/\+?-?\d+ |\S+ \[[^\]]{0,40}\] [^\s/]+\/[^\s:]+: |\S+ - - \[[^\]]{0,40}\] "TCP " |Connect from |(?:Proxy|Server|Backup Server|Health check|[Bb]ackend|[Ff]rontend|Starting|Stopping|Pausing|Loading|New worker|Exiting) |\[(?:NOTICE|WARNING|ALERT)\] )/;

const format: TextFormat = {
  order: 40,
  test: 'address:port [day/month/year:time] frontend backend/server and five timers; or the clf line, with "" "" port ms "frontend" behind the bytes',
  recognises: (text) => head.test(text) || clf.test(text),
  skips: (text) => (others.test(text) ? 'not a request: a session of TCP, a failed handshake or a message of the process' : ''),
  read(text, event, { timeZone }) {
    const { groups } = httplog.exec(text) ?? clf.exec(text) ?? {};
    if (groups === undefined) throw new ReadFailure('BAD_FIELD', '', 'expected a whole line of httplog, httpslog or clf');
    const { client = '', date = '', frontend = '', request = '', tls = '', total, bytes } = groups;
    event.gateway_kind = 'haproxy';
    event.timestamp = clfMicros(date, '$.request_date', timeZone);
    event.client_address = readAddress(client);
    event.url_scheme = frontend.endsWith('~') ? 'https' : 'http';
    event.duration_ms = durationOf(total);
    event.http_response_size = countOf(bytes);
    readTls(tls, event);
    readRequest(withoutEscapes(request), event);
    readServer(groups, event);
    readEnd(groups, event);
  },
};
const gateway: Gateway = { text: format };
export default gateway;

/** `#22` stands for a quote, and so on for `#` itself and for what is not ASCII, byte by byte. Source: src/log.c, url_encode_map. */
const withoutEscapes = (text: string): string =>
  text.replaceAll(/(?:#[\dA-F]{2})+/g, (bytes) => Buffer.from(bytes.replaceAll('#', ''), 'hex').toString());

/** ` errors name/version/cipher` of httpslog; the name is the one that the client asked for. */
function readTls(tail: string, event: CanonicalEvent): void {
  const [, name = '', version = '', cipher = ''] = /^ \S+ (\S*)\/([^\s/]+)\/([^\s/]+)$/.exec(tail) ?? [];
  event.server_address = dashed(name);
  event.tls_protocol_version = dashed(version);
  event.tls_cipher = dashed(cipher);
}

/** `<BADREQ>` has neither method nor path; a line that was cut has both, but no version. */
function readRequest(request: string, event: CanonicalEvent): void {
  readRequestLine(request, event);
  const [method = '', target] = request.split(' ', 2);
  if (event.http_request_method !== '' || target === undefined) return;
  event.http_request_method = method;
  readTarget(target, event);
}

/** In the place of a server `<NOSRV>` says that none was tried, and `<STATS>` that HAProxy answered itself. */
function readServer({ backend = '', server = '', response, retries }: Parts, event: CanonicalEvent): void {
  event.gateway_service_name = dashed(backend);
  if (server === '-' || server.startsWith('<')) return;
  event.upstream_duration_ms = durationOf(response);
  event.upstream_attempts = Math.min(Number(retries) + 1, 255);
}

/** Of the state, the first sign says who ended the session, the second in which phase; the two others are about cookies. */
function readEnd({ status, state = '' }: Parts, event: CanonicalEvent): void {
  event.http_response_status_code = statusOf(status);
  event.error_type = state.startsWith('--') ? '' : state.slice(0, 2);
  if (event.http_response_status_code === null && state.startsWith('C')) event.outcome = 'aborted';
}

type Parts = Readonly<Record<string, string | undefined>>;
