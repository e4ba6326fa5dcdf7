/**
 * Takes out of an event what nobody may find in the store: values of query parameters, and whatever looks like a credential, a
 * card number or an e-mail address. Runs before anything is stored or hashed. Clean texts pass on a length or a sign alone.
 */
import { remembered } from '../core/remembered.ts';
import { type CanonicalEvent, placeOf } from '../schemas/event.ts';
import { isSecret, redacted, redactText, shortestSecret, unescaped } from './secrets.ts';

/** Longest text that is stored, in UTF-16 units; what is cut is flagged. */
const maxTextLength = 8 * 1024;
const maxAttributesLength = 8 * 1024;

type TextName = { [Name in keyof CanonicalEvent]: string extends CanonicalEvent[Name] ? Name : never }[keyof CanonicalEvent];

/** Texts a client can choose; the others come from the gateway's own configuration. */
const fromClients = [
  'http_request_method_original',
  'server_address',
  'forwarded_for',
  'consumer_id',
  'consumer_name',
  'consumer_group',
  'credential_id',
  'user_agent_original',
  'request_id',
  'trace_id',
  'span_id',
] as const satisfies readonly TextName[];
const fromGateways = [
  'gateway_kind',
  'gateway_name',
  'url_scheme',
  'http_route',
  'gateway_route_id',
  'gateway_route_name',
  'gateway_service_id',
  'gateway_service_name',
  'api_id',
  'api_name',
  'api_version',
  'operation_id',
  'error_type',
  'credential_hash',
  'auth_type',
  'network_protocol_version',
  'tls_protocol_version',
  'tls_cipher',
] as const satisfies readonly TextName[];

const texts = [...fromClients, ...fromGateways].map((name) => ({ name, place: placeOf(name) }));

export function redact(event: CanonicalEvent, allowedQueryKeys: ReadonlySet<string>): void {
  redactAttributes(event);
  cut(event, 'url_path', redactPath(event.url_path));
  cut(event, 'url_query', redactQuery(event.url_query, allowedQueryKeys));
  const values = Object.values(event) as unknown[];
  for (const { name, place } of texts) {
    const text = values[place] as string;
    if (text.length < shortestSecret) continue;
    const clean = redactText(text);
    if (clean !== text || clean.length > maxTextLength) cut(event, name, clean);
  }
}

function cut(event: CanonicalEvent, name: TextName, clean: string): void {
  event[name] = clean.slice(0, maxTextLength);
  if (clean.length > maxTextLength) event.attributes['cut'] = name;
}

/** `page=2&token=x` becomes `page=REDACTED&token=REDACTED`; reading that again changes nothing. */
export function redactQuery(query: string, allowed: ReadonlySet<string>): string {
  if (query === '') return '';
  let out = '';
  let from = 0;
  for (let at = query.indexOf('&'); at >= 0; at = query.indexOf('&', from)) {
    out += `${redactPair(query.slice(from, at), allowed)}&`;
    from = at + 1;
  }
  return out + redactPair(query.slice(from), allowed);
}

function redactPair(pair: string, allowed: ReadonlySet<string>): string {
  const at = pair.indexOf('=');
  // A key without a value can be the secret itself.
  if (at < 0) return looksLikeAName(pair) ? pair : redacted;
  const key = pair.slice(0, at);
  if (allowed.has(key)) return `${key}=${redactText(pair.slice(at + 1))}`;
  return `${looksLikeAName(key) ? key : redacted}=${redacted}`;
}

/** Keys of parameters are short words; anything else in their place is taken for a value. */
function looksLikeAName(key: string): boolean {
  return key.length <= 64 && redactSegment(key) === key;
}

/** The shortest that can be an e-mail address. */
const shortestSegment = 6;
const repeatedSegment = remembered(redactLongSegment, 4_000);

/** Segments that look like an e-mail address, a token or a card number are replaced; numbers and UUIDs stay. */
export function redactPath(path: string): string {
  let out = '';
  let kept = 0;
  for (let from = 0; from <= path.length;) {
    const slash = path.indexOf('/', from);
    const end = slash < 0 ? path.length : slash;
    if (end - from >= shortestSegment) {
      const segment = path.slice(from, end);
      const clean = redactSegment(segment);
      if (clean !== segment) {
        out += path.slice(kept, from) + clean;
        kept = end;
      }
    }
    from = end + 1;
  }
  return kept === 0 ? path : out + path.slice(kept);
}

function redactSegment(segment: string): string {
  return segment.length < shortestSegment ? segment : repeatedSegment(segment);
}

function redactLongSegment(segment: string): string {
  const plain = segment.includes('%') ? unescaped(segment) : segment;
  return plain.includes('@') || isSecret(plain) || (plain.length >= 24 && isRandom(plain)) ? redacted : segment;
}

/** Upper case, lower case and digits mixed in one word, as keys are; UUIDs, hex and words are not. */
function isRandom(word: string): boolean {
  return /^[\w+=~.-]+$/.test(word) && /[a-z]/.test(word) && /[A-Z]/.test(word) && /\d/.test(word);
}

/** Cleans the values and caps the whole; `original_timestamp` is set later and never dropped. */
function redactAttributes(event: CanonicalEvent): void {
  let length = 0;
  for (const name in event.attributes) {
    const clean = redactText(event.attributes[name] ?? '');
    length += name.length + clean.length;
    if (length > maxAttributesLength || redactText(name) !== name) delete event.attributes[name];
    else event.attributes[name] = clean;
  }
}

/**
 * What an unreadable element looked like: its structure and signs, with every word and number masked, because what cannot be
 * read cannot be redacted field by field. At most `max` characters.
 */
export function maskedExcerpt(element: string, max = 4096): string {
  return element
    .slice(0, max)
    .replaceAll(/[\p{L}\p{M}]/gu, 'x')
    .replaceAll(/\p{N}/gu, '0')
    .replaceAll(/[^\x20-\x7e]/g, '?');
}
