/**
 * NGINX Ingress Controller: the combined line with a tail of its own. The time is the end of the request, to the second;
 * durations in seconds, sizes in bytes, lists of upstreams as NGINX has them. Source of the layouts: kubernetes/ingress-nginx,
 * docs/user-guide/nginx-configuration/log-format.md, and internal/ingress/controller/config/config.go of older versions.
 */
import { readAddress } from '../../core/address.ts';
import { countOf, numberOf } from '../../core/fields.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { decideClient, readForwarded } from '../forwarded.ts';
import { type Gateway, ReadFailure, type TextFormat } from '../gateway.ts';
import { readReferer } from '../headers.ts';
import { dashed, readStatus, readUpstreams, withoutEscapes } from '../server-logs.ts';
import { readRequestLine } from '../targets.ts';
import { clfMicros, endedAt, millisFromSeconds } from '../times.ts';

// NGINX writes no quote inside of quotes, so a client cannot end one and begin the tail. A list has blanks, and is told from the
// next one by what its values look like.
const head =
  /^(?<client>\S+) - (?:\[(?<list>[^\]]*)\] - )?(?<user>.+?) \[(?<at>[\w/:+ -]{0,40})\] "(?<request>[^"]*)" (?<status>\d{3}) (?<bytes>\d+)/;
const tail =
  / "(?<referer>[^"]*)" "(?<agent>[^"]*)" (?<length>\d+) (?<seconds>[\d.]+) \[(?<service>[^\]]*)\](?: \[(?<alternative>[^\]]*)\])?/;
const upstreams =
  / (?<addresses>[^\s,]+(?:(?:, | : )[^\s,]+)*) (?:\d+|-)(?:(?:, | : )(?:\d+|-))* (?<times>(?:[\d.]+|-)(?:(?:, | : )(?:[\d.]+|-))*) (?<statuses>(?:\d{3}|-)(?:(?:, | : )(?:\d{3}|-))*)(?: (?<id>.+))?$/;
const line = new RegExp(head.source + tail.source + upstreams.source, 's');

const test =
  'address - user [time] "request" status bytes "referer" "user agent" length seconds [upstream] [alternative] addresses lengths times statuses id';

// What shares the output: messages of the controller (klog), the error log of NGINX, and its log of TCP and UDP streams.
const others = /^(?:[IWEF]\d{4} \d\d:\d\d:\d\d|\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[\w+\] |\[[^\]]{0,64}\] \[[^\]]{0,64}\] (?:TCP|UDP) )/;

const format: TextFormat = {
  order: 50,
  test,
  recognises: (text) => line.test(text),
  skips: (text) => (others.test(text) ? 'not a request: a message of the controller or of NGINX, or a stream' : ''),
  read(text, event, source) {
    const { groups } = line.exec(text) ?? {};
    if (groups === undefined) throw new ReadFailure('BAD_FIELD', '', `expected: ${test}`);
    const { client = '', list = '', user = '', at = '', request = '', status = '', bytes, referer = '', agent = '' } = groups;
    event.gateway_kind = 'nginx';
    event.duration_ms = millisFromSeconds(numberOf(groups['seconds']));
    endedAt(clfMicros(at, '$.time_local'), event);
    event.client_address = readAddress(client);
    // Up to 0.9 the list of addresses stands in brackets, from then to 0.2x the client's own address once more.
    if (list.includes(',')) readForwarded(list, event);
    decideClient(event, source);
    event.consumer_name = dashed(user);
    readRequestLine(withoutEscapes(request), event);
    readStatus(status, event);
    event.http_response_body_size = countOf(bytes);
    readReferer(referer, event);
    event.user_agent_original = withoutEscapes(dashed(agent));
    readTail(groups, event);
  },
};
const gateway: Gateway = { text: format };
export default gateway;

function readTail(groups: Readonly<Record<string, string | undefined>>, event: CanonicalEvent): void {
  const { length, service = '', alternative = '', addresses = '', statuses = '', times: seconds = '', id = '' } = groups;
  event.http_request_size = countOf(length);
  // The alternative is named only where it was the one that answered. Source: rootfs/etc/nginx/lua/balancer.lua, get_balancer.
  event.gateway_service_name = dashed(alternative) || dashed(service);
  readUpstreams({ addresses, statuses, seconds }, event);
  event.request_id = dashed(id);
}
