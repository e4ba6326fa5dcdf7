/**
 * Takes out of an event what nobody may find in the store: values of query parameters, and whatever looks like a credential, a
 * card number or an e-mail address. Runs before anything is stored or hashed. Clean texts pass on a length or a sign alone.
 */
import { type CanonicalEvent, placeOf } from '../schemas/event.ts';
import { toNetworks } from './networks.ts';
import { redactPath, redactQuery } from './redact-url.ts';
import { redacted, redactText, shortestSecret } from './secrets.ts';

/** Longest text that is stored, in UTF-16 units; what is cut is flagged. */
const maxTextLength = 8 * 1024;
const maxAttributesLength = 8 * 1024;

type TextName = { [Name in keyof CanonicalEvent]: string extends CanonicalEvent[Name] ? Name : never }[keyof CanonicalEvent];

/** Texts a client can choose; the others come from the gateway's own configuration. */
const fromClients = [
  'http_request_method',
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
  'auth_type',
  'network_protocol_version',
  'tls_protocol_version',
  'tls_cipher',
] as const satisfies readonly TextName[];

const texts = [...fromClients, ...fromGateways].map((name) => ({ name, place: placeOf(name) }));

export interface RedactionOptions {
  /** Query parameters whose values are kept. */
  readonly allowedQueryKeys: ReadonlySet<string>;
  /** Tenants whose clients are stored as their networks; `*` stands for every tenant, and nothing said for none. */
  readonly truncateAddresses?: readonly string[] | undefined;
  /** Likewise, tenants without user agents. */
  readonly dropUserAgents?: readonly string[] | undefined;
}

export function createRedaction({
  allowedQueryKeys,
  truncateAddresses,
  dropUserAgents,
}: RedactionOptions): (event: CanonicalEvent) => void {
  const truncates = isOneOf(truncateAddresses);
  const drops = isOneOf(dropUserAgents);
  return (event) => {
    if (truncates(event.tenant)) toNetworks(event);
    if (drops(event.tenant)) event.user_agent_original = '';
    if (event.server_address.includes('@')) event.server_address = event.server_address.slice(event.server_address.lastIndexOf('@') + 1);
    redactAttributes(event);
    cut(event, 'url_path', redactPath(event.url_path, allowedQueryKeys));
    cut(event, 'url_query', redactQuery(event.url_query, allowedQueryKeys));
    const values = Object.values(event) as unknown[];
    for (const { name, place } of texts) {
      const text = values[place] as string;
      if (text.length < shortestSecret) continue;
      const clean = redactText(text);
      if (clean !== text || clean.length > maxTextLength) cut(event, name, clean);
    }
  };
}

function isOneOf(tenants: readonly string[] = []): (tenant: string) => boolean {
  const named = new Set(tenants);
  return named.has('*') ? () => true : (tenant) => named.has(tenant);
}

function cut(event: CanonicalEvent, name: TextName, clean: string): void {
  event[name] = clean.slice(0, maxTextLength);
  if (clean.length > maxTextLength) event.attributes['cut'] = name;
}

/** What readers give themselves; a producer of the canonical format may add others. */
export const attributeNames: ReadonlySet<string> = new Set([
  'content_type',
  'referer_host',
  'direction',
  'cloudevents_event_id',
  'cloudevents_event_source',
  'credential_hash_before',
  'original_timestamp',
  'route_source',
  'gateway_path',
  'cut',
]);
const namesASecret =
  /cookie|authori[sz]ation|passw|passphrase|pwd|secret|token|credential|session|signature|private|(?:^|[-_.])(?:auth|sig)|(?:^|[-_.]|api|access)key$/i;

/** Cleans the values and caps the whole; `original_timestamp` is set later and never dropped. */
function redactAttributes(event: CanonicalEvent): void {
  let length = 0;
  for (const name in event.attributes) {
    const value = event.attributes[name] ?? '';
    const clean = /^\s*[{[]/.test(value) ? redacted : redactText(value);
    length += name.length + clean.length;
    if (length > maxAttributesLength || !mayStand(name)) delete event.attributes[name];
    else event.attributes[name] = clean;
  }
}

const mayStand = (name: string): boolean => attributeNames.has(name) || (!namesASecret.test(name) && redactText(name) === name);

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
