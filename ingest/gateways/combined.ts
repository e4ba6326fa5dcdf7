/**
 * Combined and common log lines of NGINX and Apache, also with the host in front, a forwarded list behind, or Kong's tail. The
 * time is the end of the request, to the second. Source of the layout: nginx.org, ngx_http_log_module; httpd.apache.org, mod_log_config.
 */
import { readAddress } from '../../core/address.ts';
import { toStatus } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { calendarTime, ReadFailure, readTarget, type TextGateway } from '../gateway.ts';
import { readReferer } from '../headers.ts';

// [host] address - user [time] "request" status bytes ["referer" "user agent" [rest]]; inside quotes \" is no end. The user is
// what a client typed, blanks too: none of its words may be taken for the address. Only behind an address and its dash are
// blanks a user's: words before them are what a shipper put in front.
const line =
  /^(?:(\S+) (?!- ))?(?:([\da-fA-F.:]+) - (.+?)|(\S+) \S+ (\S+)) \[([^\]]{0,64})\] "((?:[^"\\]|\\.)*)" (\d{3}|-) (\d+|-)(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"(.*))?$/;
const time = /^(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const combined: TextGateway = {
  form: 'text',
  order: 70,
  recognises: (text) => line.test(text),
  skips: () => '',
  read(text, event) {
    const parts = line.exec(text);
    if (parts === null)
      throw new ReadFailure(
        'BAD_FIELD',
        '',
        'expected: address - user [time] "request" status bytes, with "referer" "user agent" or without',
      );
    const [, host = '', numeric, typed, named = '', word = '', ...others] = parts;
    const [at = '', request = '', status = '', bytes = '', referer = '', agent = '', rest = ''] = others;
    event.gateway_kind = 'nginx';
    event.timestamp = toMicros(at);
    event.time_source = 'end';
    event.server_address = host.replace(/:\d+$/, '');
    event.client_address = readAddress(numeric ?? named);
    event.consumer_name = dashed(typed ?? word);
    readRequest(request, event);
    event.http_response_status_code = toStatus(status === '-' ? null : Number(status));
    event.http_response_body_size = bytes === '-' ? null : Number(bytes);
    event.user_agent_original = dashed(agent);
    readReferer(referer, event);
    readRest(rest, event);
  },
};
export default combined;

const dashed = (text: string): string => (text === '-' ? '' : text);

/** `GET /path HTTP/1.1`; bytes of another protocol stand here too, and then there is no method to tell. */
function readRequest(request: string, event: CanonicalEvent): void {
  const first = request.indexOf(' ');
  const last = request.lastIndexOf(' ');
  if (first <= 0 || last === first || !request.startsWith('HTTP/', last + 1)) return;
  event.http_request_method = request.slice(0, first);
  readTarget(request.slice(first + 1, last), event);
  event.network_protocol_version = request.slice(last + 6);
}

/** A forwarded list in quotes, or `kong_request_id: "…"`. */
function readRest(rest: string, event: CanonicalEvent): void {
  const kongId = /kong_request_id: "([^"]*)"/.exec(rest)?.[1];
  if (kongId !== undefined) event.request_id = kongId;
  const forwarded = /^ "([^"]*)"/.exec(rest)?.[1];
  if (forwarded !== undefined) event.forwarded_for = dashed(forwarded).slice(0, 512);
}

function toMicros(text: string): number {
  const [day, month, year, hour, minute, second, sign, offsetHours, offsetMinutes] = (time.exec(text) ?? []).slice(1);
  const monthAt = months.indexOf(month ?? '') + 1;
  const utc = calendarTime(`${year}-${String(monthAt).padStart(2, '0')}-${day}T${hour}:${minute}:${second}`);
  if (Number.isNaN(utc)) throw new ReadFailure('BAD_TIME', '', 'expected a time like 22/Nov/2026:10:00:00 +0000 in brackets');
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000 * (sign === '-' ? -1 : 1);
  return (utc - offsetMs) * 1000;
}
