/**
 * Combined and common log lines of NGINX and Apache, also with the host in front, a forwarded list behind, or Kong's tail. The
 * time is the end of the request, to the second. Source of the layout: nginx.org, ngx_http_log_module; httpd.apache.org, mod_log_config.
 */
import { readAddress } from '../../core/address.ts';
import { countOf } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { decideClient, readForwarded } from '../forwarded.ts';
import { type Gateway, ReadFailure, type TextFormat } from '../gateway.ts';
import { readReferer } from '../headers.ts';
import { dashed, readStatus, withoutEscapes } from '../server-logs.ts';
import { readRequestLine } from '../targets.ts';
import { clfMicros } from '../times.ts';

// [host] address - user [time] "request" status bytes ["referer" "user agent" [rest]]; inside quotes \" is no end. The user is
// what a client typed, blanks too: none of its words may be taken for the address. Only behind an address and its dash are
// blanks a user's: words before them are what a shipper put in front. A bracket inside of the time is a user's as well.
const line =
  /^(?:(\S+) (?!- ))?(?:([\da-fA-F.:]+) - (.+?)|(\S+) \S+ (\S+)) \[([^\][]{0,64})\] "((?:[^"\\]|\\.)*)" (\d{3}|-) (\d+|-)(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"(.*))?$/s;

const format: TextFormat = {
  order: 70,
  test: 'address - user [time] "request" status bytes, with "referer" "user agent" or without',
  recognises: (text) => line.test(text),
  skips: () => '',
  read(text, event, source) {
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
    event.timestamp = clfMicros(at, '$.time_local');
    event.time_source = 'end';
    event.client_address = readAddress(numeric ?? named);
    event.consumer_name = dashed(typed ?? word);
    readRequestLine(withoutEscapes(request), event);
    if (host !== '') event.server_address = host.replace(/:\d+$/, '');
    readStatus(status, event);
    event.http_response_body_size = countOf(bytes);
    event.user_agent_original = withoutEscapes(dashed(agent));
    readReferer(referer, event);
    readRest(rest, event);
    decideClient(event, source);
  },
};
const gateway: Gateway = { text: format };
export default gateway;

/** A forwarded list in quotes, or `kong_request_id: "…"`. */
function readRest(rest: string, event: CanonicalEvent): void {
  const kongId = /kong_request_id: "([^"]*)"/.exec(rest)?.[1];
  if (kongId !== undefined) event.request_id = kongId;
  const forwarded = /^ "([^"]*)"/.exec(rest)?.[1];
  if (forwarded !== undefined) readForwarded(dashed(forwarded), event);
}
