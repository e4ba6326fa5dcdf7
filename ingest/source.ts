/** What the configuration says of a topic, and whose a record is. */
import { BlockList, isIPv6 } from 'node:net';
import type { PurposeKey } from '../core/keys.ts';
import { isObject, type Json, own, textOf } from '../core/fields.ts';
import { remembered } from '../core/remembered.ts';
import { hashing } from './credentials.ts';
import { ReadFailure, type SourceSettings } from './gateway.ts';
import { formatHeader, gatewayHeader, tenantHeader } from './intake.ts';
import type { LogMessage } from './log.ts';
import { fieldsHeader } from './messages.ts';
import { cloudEvent } from './wrappers.ts';

export interface Source {
  readonly topic: string;
  /** A name, or where the record says it and which ones are believed. */
  readonly tenant?: string | { readonly from: string; readonly allow: readonly string[] } | undefined;
  /** A record format by name leaves recognition out. */
  readonly format?: string | undefined;
  /** Name of the gateway behind the topic. */
  readonly gateway?: string | undefined;
  readonly start?: 'earliest' | 'latest' | undefined;
  /** For times without a zone; default UTC. */
  readonly timeZone?: string | undefined;
  /** Addresses and networks of the source's own proxies, as 10.0.0.0/8. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Of lines that do not name their columns. */
  readonly columns?: readonly string[] | undefined;
}

/** What holds for all records of one message. */
export interface Origin {
  readonly format: string | undefined;
  readonly gateway: string;
  /** Who writes it; null where its format is given, and of posts that name no gateway, which may be anybody's. */
  readonly stream: string | null;
  readonly settings: SourceSettings;
  /** Of the lines of the message, where they are known. */
  readonly columns: readonly string[];
  /** Of each of its events. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Whose an element is. @throws ReadFailure TENANT_UNKNOWN */
  tenantOf(element: unknown): string;
  /** For what could not be read: somebody has to see it. */
  tenantOrDefault(element: unknown): string;
}

export interface SourceOptions {
  readonly sources: readonly Source[];
  readonly defaultTenant: string;
  /** Posts and imports: the headers of its messages were written by the intake, and are believed here alone. Null where nobody else writes to the log. */
  readonly intakeTopic: string | null;
  /** Of raw keys of consumers. */
  readonly credentials: PurposeKey;
  /** Of before a rotation, whose hashes are still asked for; none where nothing is said. */
  readonly previousCredentials?: readonly PurposeKey[];
}

export function createOrigins({
  sources,
  defaultTenant,
  intakeTopic,
  credentials,
  previousCredentials = [],
}: SourceOptions): (message: LogMessage, topic: string) => Origin {
  const byTopic = new Map(sources.map((source) => [source.topic, source]));
  const hashKey = hashing([credentials, ...previousCredentials]);
  const settings = new Map(sources.map((source) => [source.topic, settingsOf(source, hashKey)]));
  const noSettings = settingsOf({ topic: '' }, hashKey);
  return ({ headers }, topic) => {
    const source = byTopic.get(topic);
    const posted = intakeTopic === null || topic === intakeTopic ? headers : {};
    const tenant = posted[tenantHeader];
    const tenantOf = (element: unknown) => tenant ?? tenantBy(source?.tenant ?? defaultTenant, headers, element);
    const format = posted[formatHeader] ?? (source?.format === 'auto' ? undefined : source?.format);
    const gateway = posted[gatewayHeader] ?? source?.gateway ?? '';
    const isAnybodys = tenant !== undefined && source === undefined && gateway === '';
    return {
      format,
      gateway,
      stream: format !== undefined || isAnybodys ? null : `${topic}/${gateway}`,
      settings: settings.get(topic) ?? noSettings,
      columns: columnsOf(headers[fieldsHeader]) ?? source?.columns ?? none,
      attributes: headers['ce_specversion'] === undefined ? noAttributes : cloudEvent(headers['ce_id'], headers['ce_source']),
      tenantOf,
      tenantOrDefault(element) {
        try {
          return tenantOf(element);
        } catch {
          return defaultTenant;
        }
      },
    };
  };
}

const none: readonly string[] = [];
const noAttributes = {};

function settingsOf({ timeZone = 'UTC', columns = none, trustedProxies }: Source, hashKey: SourceSettings['hashKey']): SourceSettings {
  return {
    timeZone,
    columns,
    hashKey,
    isTrusted: trustedProxies === undefined || trustedProxies.length === 0 ? null : trusting(trustedProxies),
  };
}

function trusting(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return remembered((address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4'), 20_000);
}

/** A `#Fields:` line as a header. */
function columnsOf(fields: string | undefined): readonly string[] | undefined {
  return fields
    ?.replace(/^#Fields:/, '')
    .trim()
    .split(/\s+/);
}

function tenantBy(rule: NonNullable<Source['tenant']>, headers: Readonly<Record<string, string>>, element: unknown): string {
  if (typeof rule === 'string') return rule;
  const [kind, name] = split(rule.from);
  const said = kind === 'header' ? (headers[name] ?? '') : isObject(element) ? textAtPath(element, name) : '';
  if (rule.allow.includes(said)) return said;
  throw new ReadFailure(
    'TENANT_UNKNOWN',
    kind === 'field' ? `$.${name}` : '',
    `expected one of the ${rule.allow.length} tenants that the source allows in ${rule.from}`,
  );
}

function split(rule: string): [string, string] {
  const colon = rule.indexOf(':');
  return [rule.slice(0, colon), rule.slice(colon + 1)];
}

/** `consumer.org` walks into objects. */
function textAtPath(element: Json, path: string): string {
  const names = path.split('.');
  const last = names.pop() ?? '';
  let at: unknown = element;
  for (const name of names) at = isObject(at) ? own(at, name) : undefined;
  return isObject(at) ? textOf(own(at, last)) : '';
}
