/**
 * Takes out of an event what nobody may find in the store: values of query parameters, and whatever looks like a credential, a
 * card number or an e-mail address. Runs before anything is stored or hashed. Clean texts pass on a length or a sign alone.
 */
import type { CanonicalEvent } from '../schemas/event.ts';

const redacted = 'REDACTED';

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

export function redact(event: CanonicalEvent, allowedQueryKeys: ReadonlySet<string>): void {
  event.url_path = redactPath(event.url_path);
  event.url_query = redactQuery(event.url_query, allowedQueryKeys);
  for (const name of fromClients) event[name] = redactText(event[name]);
  for (const name of fromGateways) if (event[name].length > 11) event[name] = redactText(event[name]);
  redactAttributes(event);
  for (const name of [...fromClients, 'url_path', 'url_query', 'http_route'] as const) {
    if (event[name].length <= maxTextLength) continue;
    event[name] = event[name].slice(0, maxTextLength);
    event.attributes['cut'] = name;
  }
}

/** `page=2&token=x` becomes `page=REDACTED&token=REDACTED`; reading that again changes nothing. */
export function redactQuery(query: string, allowed: ReadonlySet<string>): string {
  if (query === '') return '';
  const pairs: string[] = [];
  for (const pair of query.split('&')) {
    const at = pair.indexOf('=');
    // A key without a value can be the secret itself.
    if (at < 0) pairs.push(looksLikeAName(pair) ? pair : redacted);
    else if (allowed.has(pair.slice(0, at))) pairs.push(`${pair.slice(0, at)}=${redactText(pair.slice(at + 1))}`);
    else pairs.push(`${looksLikeAName(pair.slice(0, at)) ? pair.slice(0, at) : redacted}=${redacted}`);
  }
  return pairs.join('&');
}

/** Keys of parameters are short words; anything else in their place is taken for a value. */
function looksLikeAName(key: string): boolean {
  return key.length <= 64 && redactSegment(key) === key;
}

/** Segments that look like an e-mail address, a token or a card number are replaced; numbers and UUIDs stay. */
export function redactPath(path: string): string {
  if (path.length < 8) return path;
  if (!path.includes('/')) return redactSegment(path);
  let out = '';
  let from = 0;
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', from)) {
    out += `${redactSegment(path.slice(from, at))}/`;
    from = at + 1;
  }
  return out + redactSegment(path.slice(from));
}

function redactSegment(segment: string): string {
  if (segment.length < 6) return segment;
  const plain = segment.includes('%') ? unescaped(segment) : segment;
  return plain.includes('@') || isSecret(plain) || (plain.length >= 24 && isRandom(plain)) ? redacted : segment;
}

/** Percent signs opened twice, as a client can hide a value; what is malformed stays as it is. */
function unescaped(text: string): string {
  let open = text;
  for (let times = 0; times < 2 && open.includes('%'); times += 1) {
    open = open.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  return open;
}

/** Whole text or only the secret inside it. */
export function redactText(text: string): string {
  if (text.length < 12) return text;
  if (text.includes('%') && isSecret(unescaped(text))) return redacted;
  if (!isSecret(text)) return text;
  return text.replaceAll(secrets, redacted).replaceAll(digitRuns, (run) => (isCardNumber(run) ? redacted : run));
}

// JWT, AWS access keys, source hosts, payment and chat tokens, PEM, HTTP credentials, user info of URLs.
const secrets =
  /eyJ[\w-]{6,}\.[\w.-]{6,}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[a-z]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|\b[sr]k_(?:live|test)_\w{8,}|\bxox[a-z]-[\w-]{8,}|\bgtk_\w{20,}|-----BEGIN [A-Z ]+-----|\b(?:Basic|Bearer) +[\w+/=.~-]{8,}|\/\/[^/@\s]{1,256}@/gi;
const secret = new RegExp(secrets.source, 'i');
// A run inside a word is no card number: ids of requests are hex, and some of their digits pass the check.
const digitRuns = /(?<![0-9A-Za-z])\d(?:[ -]?\d){12,18}(?![0-9A-Za-z])/g;
/** Looked for first: going through the matches costs several times as much. */
const digitRun = new RegExp(digitRuns.source);
const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

function isSecret(text: string): boolean {
  return secret.test(text) || hasCardNumber(text);
}

function hasCardNumber(text: string): boolean {
  if (text.length < 13 || !digitRun.test(text) || uuid.test(text)) return false;
  for (const [run] of text.matchAll(digitRuns)) if (isCardNumber(run)) return true;
  return false;
}

/** Source of the check: ISO/IEC 7812-1, annex B (Luhn). */
function isCardNumber(run: string): boolean {
  const digits = run.replaceAll(/\D/g, '');
  if (digits.length < 13 || digits.length > 19 || !/^[2-6]/.test(digits)) return false;
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = Number(digits[digits.length - 1 - at]);
    sum += at % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2;
  }
  return sum % 10 === 0;
}

/** Upper case, lower case and digits mixed in one word, as keys are; UUIDs, hex and words are not. */
function isRandom(word: string): boolean {
  return /^[\w+=~.-]+$/.test(word) && /[a-z]/.test(word) && /[A-Z]/.test(word) && /\d/.test(word);
}

/** Cleans the values and caps the whole; `original_timestamp` is set later and never dropped. */
function redactAttributes(event: CanonicalEvent): void {
  let length = 0;
  for (const [name, value] of Object.entries(event.attributes)) {
    const clean = redactText(value);
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
