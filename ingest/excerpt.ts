/**
 * What an unreadable element looked like: its structure and signs. Every letter and digit is masked, because what cannot be read
 * cannot be redacted field by field; but for keys of JSON that are made of words which every access log knows, and tell nothing else.
 */
import { maskedExcerpt } from './redact.ts';

const words = new Set(
  `account addr address agent alb api apigw arn attributes authority auth backend body bytes caller cipher client code consumer container
  correlation count credential data date day domain downstream duration edge elb end ended env environment error event events fields for
  forwarded frontend gateway grpc header headers host hostname http https id identity info integration ip iso key kind kong kubernetes
  labels lambda latencies latency length level line listener local log logs matched message messages metadata method millis ms name
  namespace net network ns operation original outcome owner parent path peer pod policy port principal process properties protocol proxy
  query real reason received record records referer referrer region remote request requests resource response result retries route router
  routes scheme secure sent server service session severity size source span spans stage start started status stream subject subscription
  tags target tcp tenant time timestamp tls total trace tries type uri url us user value values version vhost workspace x zone`.split(
    /\s+/,
  ),
);

/** A key and its quotation marks, before its colon. */
const keys = /"([A-Za-z@][\w.@-]{0,60})"(?=\s*:)/g;

/** At most `max` characters. */
export function excerptOf(element: string, max = 4096): string {
  const text = element.slice(0, max);
  let out = '';
  let from = 0;
  for (const { 0: quoted, 1: key = '', index } of text.matchAll(keys)) {
    if (!isKnown(key)) continue;
    out += maskedExcerpt(text.slice(from, index)) + quoted;
    from = index + quoted.length;
  }
  return out + maskedExcerpt(text.slice(from));
}

/** `client_ip`, `requestUri`, `x-forwarded-for`: every part is a word of the list, and there is no digit in it. */
function isKnown(key: string): boolean {
  const parts = key.replaceAll(/([a-z])(?=[A-Z])/g, '$1_').split(/[_.@-]+/);
  return parts.every((part) => part === '' || words.has(part.toLowerCase()));
}
