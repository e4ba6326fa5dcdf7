/**
 * Takes out of an event what nobody may find in the store: values of query parameters, and whatever looks like a credential, a
 * card number or an e-mail address. Runs before anything is stored or hashed. Clean texts pass on a length or a sign alone.
 */
import { remembered } from '../core/remembered.ts';
import type { CanonicalEvent } from '../schemas/event.ts';
import { toNetworks } from './networks.ts';
import { redactPath, redactQuery, redactRoute } from './redact-url.ts';
import { redacted, redactText, shortestSecret } from './secrets.ts';

/** Longest text that is stored, in UTF-16 units; what is cut is flagged. */
const maxTextLength = 8 * 1024;
const maxAttributesLength = 8 * 1024;

type TextName = { [Name in keyof CanonicalEvent]: string extends CanonicalEvent[Name] ? Name : never }[keyof CanonicalEvent];

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
  // Few, and the same again and again.
  const cleanRoute = remembered((route) => redactText(redactRoute(route, allowedQueryKeys)), 4_000);
  return (event) => {
    if (truncates(event.tenant)) toNetworks(event);
    if (drops(event.tenant)) event.user_agent_original = '';
    if (event.server_address.includes('@')) event.server_address = event.server_address.slice(event.server_address.lastIndexOf('@') + 1);
    redactAttributes(event);
    event.url_path = cut(event, 'url_path', redactPath(event.url_path, allowedQueryKeys));
    event.url_query = cut(event, 'url_query', redactQuery(event.url_query, allowedQueryKeys));
    event.http_route = cut(event, 'http_route', cleanRoute(event.http_route));
    redactTexts(event);
  };
}

/** What a client or the gateway's own configuration can fill. Each by its name: to go through a list of names takes five times as long. */
function redactTexts(event: CanonicalEvent): void {
  event.http_request_method = cleaned(event, 'http_request_method', event.http_request_method);
  event.http_request_method_original = cleaned(event, 'http_request_method_original', event.http_request_method_original);
  event.server_address = cleaned(event, 'server_address', event.server_address);
  event.forwarded_for = cleaned(event, 'forwarded_for', event.forwarded_for);
  event.consumer_id = cleaned(event, 'consumer_id', event.consumer_id);
  event.consumer_name = cleaned(event, 'consumer_name', event.consumer_name);
  event.consumer_group = cleaned(event, 'consumer_group', event.consumer_group);
  event.credential_id = cleaned(event, 'credential_id', event.credential_id);
  event.user_agent_original = cleaned(event, 'user_agent_original', event.user_agent_original);
  event.request_id = cleaned(event, 'request_id', event.request_id);
  event.trace_id = cleaned(event, 'trace_id', event.trace_id);
  event.span_id = cleaned(event, 'span_id', event.span_id);
  event.gateway_kind = cleaned(event, 'gateway_kind', event.gateway_kind);
  event.gateway_name = cleaned(event, 'gateway_name', event.gateway_name);
  event.url_scheme = cleaned(event, 'url_scheme', event.url_scheme);
  event.gateway_route_id = cleaned(event, 'gateway_route_id', event.gateway_route_id);
  event.gateway_route_name = cleaned(event, 'gateway_route_name', event.gateway_route_name);
  event.gateway_service_id = cleaned(event, 'gateway_service_id', event.gateway_service_id);
  event.gateway_service_name = cleaned(event, 'gateway_service_name', event.gateway_service_name);
  event.api_id = cleaned(event, 'api_id', event.api_id);
  event.api_name = cleaned(event, 'api_name', event.api_name);
  event.api_version = cleaned(event, 'api_version', event.api_version);
  event.operation_id = cleaned(event, 'operation_id', event.operation_id);
  event.error_type = cleaned(event, 'error_type', event.error_type);
  event.auth_type = cleaned(event, 'auth_type', event.auth_type);
  event.network_protocol_version = cleaned(event, 'network_protocol_version', event.network_protocol_version);
  event.tls_protocol_version = cleaned(event, 'tls_protocol_version', event.tls_protocol_version);
  event.tls_cipher = cleaned(event, 'tls_cipher', event.tls_cipher);
}

function cleaned(event: CanonicalEvent, name: TextName, text: string): string {
  return text.length < shortestSecret ? text : cut(event, name, redactText(text));
}

function isOneOf(tenants: readonly string[] = []): (tenant: string) => boolean {
  const named = new Set(tenants);
  return named.has('*') ? () => true : (tenant) => named.has(tenant);
}

function cut(event: CanonicalEvent, name: TextName, clean: string): string {
  if (clean.length <= maxTextLength) return clean;
  event.attributes['cut'] = name;
  return clean.slice(0, maxTextLength);
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
