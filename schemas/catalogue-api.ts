/** An API of the catalogue: what it is called, where it is reached, how long it lives, what it serves, and its routes. */
import { dirname, resolve } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { isObject } from '../core/fields.ts';
import { type Entry, entryBelow, flagAt, listAt, onlyKnown, textAt, textsAt, wordAt } from './catalogue-file.ts';
import type { OpenApi } from './openapi.ts';

export interface CatalogueRoute {
  /** In capitals; '' for every method. */
  readonly method: string;
  /** Below the path of a server: `/orders/{id}`. */
  readonly template: string;
  readonly operation: string;
  readonly deprecated: boolean;
  /** Seconds since the epoch. */
  readonly sunsetAt: number | null;
  /** Asks for a credential. */
  readonly secured: boolean;
  readonly tags: readonly string[];
  /** Its own where the OpenAPI document gives it some, else those of its API. */
  readonly servers: readonly CatalogueServer[];
}

export interface CatalogueServer {
  /** In lower case; '' for any. */
  readonly host: string;
  /** `/v1`; '' for the root. */
  readonly base: string;
}

export interface CatalogueApi {
  readonly name: string;
  readonly id: string;
  readonly version: string;
  /** Until `sunsetAt`. */
  readonly lifecycle: 'active' | 'deprecated';
  /** Seconds since the epoch. */
  readonly sunsetAt: number | null;
  readonly collection: string;
  readonly owner: string;
  readonly dataClasses: readonly string[];
  /** Names and ids that gateways have for it. */
  readonly knownAs: readonly string[];
  readonly servers: readonly CatalogueServer[];
  /** Empty where nobody listed them: then every path below its servers is known. */
  readonly routes: readonly CatalogueRoute[];
}

const keys = [
  'name',
  'id',
  'version',
  'lifecycle',
  'sunset',
  'collection',
  'owner',
  'dataClasses',
  'knownAs',
  'servers',
  'openapi',
  'routes',
];

/** `file` is that of the catalogue: documents are named from its folder. */
export async function readApi(entry: Entry, file: string): Promise<CatalogueApi> {
  onlyKnown(entry, keys);
  const document = await documentOf(entry, file);
  const lifecycle = wordAt(entry, 'lifecycle', ['active', 'deprecated', 'sunset']);
  const sunsetAt = sunsetOf(entry, textAt(entry, 'sunset'));
  if (lifecycle === 'sunset' && textAt(entry, 'sunset') === '') entry.fault(['lifecycle'], 'expected a date beside it: sunset: 2026-12-31');
  const name = textAt(entry, 'name') || (document?.title ?? '');
  if (name === '') entry.fault([], 'expected a name');
  const named = textsAt(entry, 'servers');
  const servers = serversOf(entry, named, document);
  return {
    name,
    id: textAt(entry, 'id'),
    version: textAt(entry, 'version') || (document?.version ?? ''),
    lifecycle: lifecycle === 'active' || (lifecycle === '' && sunsetAt === null) ? 'active' : 'deprecated',
    sunsetAt,
    collection: textAt(entry, 'collection'),
    owner: textAt(entry, 'owner'),
    dataClasses: dataClassesOf(entry),
    knownAs: textsAt(entry, 'knownAs'),
    servers,
    // Who names servers in the catalogue says where the API is, whatever its document says.
    routes: routesOf(entry, document, { servers, areAll: named.length > 0 }),
  };
}

async function documentOf(entry: Entry, file: string): Promise<OpenApi | null> {
  const named = textAt(entry, 'openapi');
  if (named === '') return null;
  try {
    // The parser takes a while to load, and most catalogues name no document.
    const { readOpenApi } = await import('./openapi.ts');
    return await readOpenApi(resolve(dirname(file), named));
  } catch (error) {
    entry.fault(['openapi'], `${named} cannot be read: ${messageOf(error)}`);
    return null;
  }
}

function dataClassesOf(entry: Entry): readonly string[] {
  const classes = textsAt(entry, 'dataClasses');
  for (const [at, each] of classes.entries())
    if (!/^[a-z][a-z0-9_-]*$/.test(each))
      entry.fault(['dataClasses', at], `expected a word in lower case, as pii, phi or chd, got ${each}`);
  return classes;
}

/** Those of the catalogue, else those of the document. */
function serversOf(entry: Entry, named: readonly string[], document: OpenApi | null): readonly CatalogueServer[] {
  if (named.length > 0) return readServers(entry, named, (at) => ['servers', at]);
  return readServers(entry, document?.servers ?? [], () => ['openapi']);
}

function readServers(entry: Entry, servers: readonly string[], placeOf: (at: number) => (string | number)[]): CatalogueServer[] {
  return servers.flatMap((server, at) => {
    const read = serverOf(server);
    const expected = 'expected a URL or a path, as https://api.example.com/v1 or /v1';
    if (read === null) entry.fault(placeOf(at), `${expected}, got the server ${server}`);
    return read === null ? [] : [read];
  });
}

function serverOf(server: string): CatalogueServer | null {
  if (!/^(?:https?:\/\/|\/)/.test(server) || !URL.canParse(server, 'http://any')) return null;
  const { hostname, pathname } = new URL(server, 'http://any');
  return { host: server.startsWith('/') ? '' : hostname, base: pathname.replace(/\/$/, '') };
}

/** Of the document, each with what the catalogue says of it, then those of the catalogue alone. */
function routesOf(
  entry: Entry,
  document: OpenApi | null,
  { servers, areAll }: { readonly servers: readonly CatalogueServer[]; readonly areAll: boolean },
): readonly CatalogueRoute[] {
  const routes = new Map<string, CatalogueRoute>();
  for (const { sunset, servers: own, ...operation } of document?.operations ?? []) {
    const below = entryBelow(entry, ['openapi'], {});
    routes.set(`${operation.method} ${operation.template}`, {
      ...operation,
      sunsetAt: sunsetOf(below, sunset),
      servers: areAll || own === null ? servers : readServers(entry, own, () => ['openapi']),
    });
  }
  for (const [at, value] of listAt(entry, 'routes').entries()) {
    const below = entryBelow(entry, ['routes', at], isObject(value) ? value : { route: value });
    for (const route of routeOf(below, routes, servers)) routes.set(`${route.method} ${route.template}`, route);
  }
  return [...routes.values()];
}

function routeOf(entry: Entry, known: ReadonlyMap<string, CatalogueRoute>, servers: readonly CatalogueServer[]): CatalogueRoute[] {
  onlyKnown(entry, ['route', 'operation', 'deprecated', 'sunset', 'secured', 'tags']);
  const [, method = '', template = ''] = /^(?:([A-Za-z]+) )?(\/\S*)$/.exec(textAt(entry, 'route')) ?? [];
  if (template === '') {
    entry.fault(['route'], 'expected a method and a path, or a path alone, as GET /orders/{id}');
    return [];
  }
  const before = known.get(`${method.toUpperCase()} ${template}`);
  return [
    {
      method: method.toUpperCase(),
      template,
      operation: textAt(entry, 'operation') || (before?.operation ?? ''),
      deprecated: flagAt(entry, 'deprecated') ?? before?.deprecated ?? false,
      sunsetAt: sunsetOf(entry, textAt(entry, 'sunset')) ?? before?.sunsetAt ?? null,
      secured: flagAt(entry, 'secured') ?? before?.secured ?? false,
      tags: [...new Set([...(before?.tags ?? []), ...textsAt(entry, 'tags')])],
      servers: before?.servers ?? servers,
    },
  ];
}

/** A date is its first second in UTC. */
function sunsetOf(entry: Entry, text: string): number | null {
  if (text === '') return null;
  const at = /^\d{4}-\d\d-\d\d(?:T\S+(?:Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
  const isOfACalendar = at >= 0 && at < 2 ** 32 * 1000 && (text.length > 10 || new Date(at).toISOString().startsWith(text));
  if (!isOfACalendar) entry.fault(['sunset'], `expected a date or an instant, as 2026-12-31 or 2026-12-31T22:00:00Z, got ${text}`);
  return isOfACalendar ? Math.floor(at / 1000) : null;
}
