/**
 * Says of an event what the catalogue knows: which API it belongs to, by which route, how long both live and what they serve;
 * and names its route. A pure function of the event and the catalogue.
 */
import { remembered } from '../core/remembered.ts';
import type { Catalogue } from '../schemas/catalogue.ts';
import type { CatalogueApi, CatalogueRoute, CatalogueServer } from '../schemas/catalogue-api.ts';
import type { CanonicalEvent, Lifecycle } from '../schemas/event.ts';
import { nameRoute } from './name-route.ts';
import { inferRoute } from './route.ts';
import { createTemplates, type Templates } from './templates.ts';

/** What an event gets. */
interface Stamp {
  readonly api: CatalogueApi | null;
  readonly operation: string;
  /** Until `sunsetAt`. */
  readonly lifecycle: Lifecycle;
  /** Seconds. */
  readonly sunsetAt: number | null;
}

/** What the catalogue knows of a path. */
interface Known {
  /** Whole, with the path of the server; '' where no route fits. */
  readonly template: string;
  readonly byMethod: Map<string, Stamp>;
  readonly otherwise: Stamp;
}

const paths = 20_000;
const nobody: Known = { template: '', byMethod: new Map(), otherwise: stampOf(null, null) };

export function createStamp({ apis }: Catalogue): (event: CanonicalEvent) => void {
  const inferred = remembered(inferRoute, paths);
  if (apis.length === 0) return (event) => nameRoute(event, '', inferred);
  const templatesOf = among(apis);
  const find = finder();
  return (event) => {
    const known = find(templatesOf(event), event.url_path);
    nameRoute(event, known.template, inferred);
    put(event, methodOf(known, event.http_request_method));
  };
}

/** Remembers of each path where it was looked for last, which is where it is looked for mostly: however many APIs there are, no more. */
function finder(): (templates: Templates<Known>, path: string) => Known {
  const recent = remembered(() => ({ templates: null as Templates<Known> | null, known: nobody }), paths);
  return (templates, path) => {
    const last = recent(path);
    if (last.templates !== templates) {
      last.known = templates.find(path) ?? nobody;
      last.templates = templates;
    }
    return last.known;
  };
}

/**
 * APIs that the gateway names (its API or service, by name or id, in the version that it says) come before those of the host.
 * An API without a server of its own can be found at any host, by its routes alone.
 */
function among(apis: readonly CatalogueApi[]): (event: CanonicalEvent) => Templates<Known> {
  const named = new Map<string, (version: string) => Templates<Known>>();
  for (const name of new Set(apis.flatMap(namesOf))) named.set(name, byVersion(apis.filter((api) => namesOf(api).includes(name))));
  const hosts = new Set(
    apis.flatMap(({ servers, routes }) => [...servers, ...routes.flatMap((route) => route.servers)].map(({ host }) => host)),
  );
  const byHost = new Map([...hosts].map((host) => [host, atHost(apis, host)]));
  const anywhere = atHost(apis, '');
  return (event) => {
    const byName =
      named.get(event.api_id) ?? named.get(event.api_name) ?? named.get(event.gateway_service_id) ?? named.get(event.gateway_service_name);
    // Few write capitals in a host.
    return byName?.(event.api_version) ?? byHost.get(event.server_address) ?? byHost.get(event.server_address.toLowerCase()) ?? anywhere;
  };
}

const namesOf = ({ name, id, knownAs }: CatalogueApi): string[] => [name, id, ...knownAs].filter((each) => each !== '');

/** An API without a version is every version; where the gateway says none, all are meant. */
function byVersion(apis: readonly CatalogueApi[]): (version: string) => Templates<Known> {
  const versions = new Set(apis.map(({ version }) => version));
  const known = new Map([...versions].map((version) => [version, ofGateway(apis.filter((api) => ['', version].includes(api.version)))]));
  const others = ofGateway(apis.filter(({ version }) => version === ''));
  known.set('', ofGateway(apis));
  return (version) => known.get(version) ?? others;
}

function ofGateway(apis: readonly CatalogueApi[]): Templates<Known> {
  const templates = createTemplates<Known>();
  for (const api of apis) {
    const bases = api.servers.map(({ base }) => base).filter((base) => base !== '');
    const whole = wholeOf(api);
    for (const base of apis.length === 1 ? [...bases, ''] : bases) templates.setBase(base, whole);
    // A gateway may log the path behind that of the server.
    for (const route of api.routes) for (const { base } of [...route.servers, anyServer]) addRoute(templates, api, base, route);
  }
  return templates;
}

function atHost(apis: readonly CatalogueApi[], host: string): Templates<Known> {
  const templates = createTemplates<Known>();
  const isHere = (server: CatalogueServer) => server.host === host || server.host === '';
  for (const api of apis) {
    const whole = wholeOf(api);
    for (const server of api.servers.filter(isHere)) if (server.host !== '' || server.base !== '') templates.setBase(server.base, whole);
    for (const route of api.routes) {
      const servers = route.servers.length === 0 ? [anyServer] : route.servers.filter(isHere);
      for (const { base } of servers) addRoute(templates, api, base, route);
    }
  }
  return templates;
}

const anyServer: CatalogueServer = { host: '', base: '' };

/** Whatever is below a base of an API belongs to it, routes that nobody listed too. */
const wholeOf = (api: CatalogueApi): Known => ({ template: '', byMethod: new Map(), otherwise: stampOf(api, null) });

function addRoute(templates: Templates<Known>, api: CatalogueApi, base: string, route: CatalogueRoute): void {
  const template = base + route.template;
  const { byMethod } = templates.slotOf(template, () => ({ template, byMethod: new Map(), otherwise: stampOf(api, null) }));
  if (!byMethod.has(route.method)) byMethod.set(route.method, stampOf(api, route));
}

/** Without a route, an API is known as a whole only where it lists none. */
function stampOf(api: CatalogueApi | null, route: CatalogueRoute | null): Stamp {
  const isKnown = api !== null && (route !== null || api.routes.length === 0);
  return {
    api,
    operation: route?.operation ?? '',
    lifecycle: isKnown ? (route?.deprecated ? 'deprecated' : api.lifecycle) : 'undocumented',
    sunsetAt: route?.sunsetAt ?? api?.sunsetAt ?? null,
  };
}

/** Who documents GET answers HEAD, and every path its OPTIONS. */
function methodOf({ byMethod, otherwise }: Known, method: string): Stamp {
  const found = byMethod.get(method) ?? byMethod.get('') ?? (method === 'HEAD' ? byMethod.get('GET') : undefined);
  if (found !== undefined) return found;
  const [any] = method === 'OPTIONS' ? byMethod.values() : [];
  return any === undefined ? otherwise : { ...any, operation: '' };
}

/** What the gateway said of the API stays. */
function put(event: CanonicalEvent, { api, operation, lifecycle, sunsetAt }: Stamp): void {
  if (event.operation_id === '') event.operation_id = operation;
  event.sunset_at = sunsetAt;
  const hasSet = sunsetAt !== null && event.timestamp >= sunsetAt * 1_000_000;
  event.lifecycle = hasSet && lifecycle !== 'undocumented' ? 'sunset' : lifecycle;
  if (api === null) return;
  if (event.api_id === '') event.api_id = api.id;
  if (event.api_name === '') event.api_name = api.name;
  if (event.api_version === '') event.api_version = api.version;
  event.collection = api.collection;
  event.data_classes = api.dataClasses;
}
