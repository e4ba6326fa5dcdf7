/** What logs of web servers share: a dash for what is absent, escapes, a status that was never set, and lists of upstreams. */
import { numberOf, statusOf } from '../core/fields.ts';
import type { CanonicalEvent } from '../schemas/event.ts';
import { millisFromSeconds } from './times.ts';

/** A dash stands for a value that is not there. */
export const dashed = (text: string): string => (text === '-' ? '' : text);

/**
 * Undoes `\x22`, which NGINX writes for quotes, backslashes and what is not ASCII, one byte each, and the `\"` and `\\` of
 * Apache. Source: nginx.org, ngx_http_log_module, escape=default; httpd.apache.org, mod_log_config.
 */
export function withoutEscapes(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replaceAll(/((?:\\x[\dA-Fa-f]{2})+)|\\(["\\])/g, (_, bytes: string | undefined, sign: string) =>
    bytes === undefined ? sign : textOfBytes(bytes),
  );
}

/** Of `\x22\x5C`, whose bytes are UTF-8. */
export const textOfBytes = (escapes: string): string => Buffer.from(escapes.replaceAll('\\x', ''), 'hex').toString();

/** `000` and a dash: the client left before there was a status. Source: nginx, src/http/ngx_http_variables.c, ngx_http_variable_status. */
export function readStatus(sent: string, event: CanonicalEvent): void {
  event.http_response_status_code = statusOf(sent);
  if (sent === '-' || /^0{1,3}$/.test(sent)) event.outcome = 'aborted';
}

/** The three lists of one request; each has a value for every server that was tried, '' or a dash where none was. */
interface Upstreams {
  readonly addresses: string;
  readonly statuses: string;
  /** Times in seconds. */
  readonly seconds: string;
}

/** The status is that of the last attempt, the time that of all: what is left of the total is the gateway's own. */
export function readUpstreams({ addresses, statuses, seconds }: Upstreams, event: CanonicalEvent): void {
  const tried = dashed(addresses) || dashed(seconds) || dashed(statuses);
  if (tried === '') return;
  event.upstream_attempts = Math.min(valuesOf(tried).length, 255);
  event.upstream_status_code = statusOf(valuesOf(statuses).at(-1));
  event.upstream_duration_ms = totalMs(valuesOf(seconds));
}

/** Attempts are parted by `, `, and by ` : ` behind an internal redirect. Source: nginx.org, ngx_http_upstream_module. */
const valuesOf = (list: string): readonly string[] => (list.includes(' ') ? list.split(/, | : /) : [list]);

/** A dash adds nothing; null where there is no number. */
function totalMs(seconds: readonly string[]): number | null {
  let total: number | null = null;
  for (const each of seconds) {
    const ms = millisFromSeconds(numberOf(each));
    if (ms !== null) total = (total ?? 0) + ms;
  }
  return total;
}
