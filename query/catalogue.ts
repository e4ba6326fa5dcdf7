/** The catalogue for the API, with what the events of the caller say of it: when a route or a consumer was last seen, how full a limit was. */
import { formatDuration } from '../core/duration.ts';
import { slicesBySize } from '../core/grouped.ts';
import type { PurposeKey } from '../core/keys.ts';
import type { Lifecycle, TimeRange } from '../schemas/api.ts';
import type { Catalogue, CatalogueConsumer, PlanLimit } from '../schemas/catalogue.ts';
import type { CatalogueApi, CatalogueRoute } from '../schemas/catalogue-api.ts';
import type { Range, Scope } from '../storage/scope.ts';
import { questionOf, readCursor, writeCursor } from './cursor.ts';

export interface LoadedCatalogue extends Catalogue {
  /** Milliseconds. */
  readonly loadedAt: number;
}

export interface CatalogueOptions {
  readonly scope: Scope;
  readonly now: number;
  /** What is kept. */
  readonly kept: Range;
  readonly rangeOf: (input: TimeRange) => Range;
  readonly pageSize: (first: number | null | undefined) => number;
  readonly cursorKeys: readonly [PurposeKey, ...PurposeKey[]];
}

/** What costs a statement is a function, which is called when it is asked for. */
export function viewCatalogue(catalogue: LoadedCatalogue, options: CatalogueOptions) {
  const routesSeen = once(() => lastRoutes(catalogue.apis, options));
  return {
    loadedAt: catalogue.loadedAt,
    collections: [...new Set(catalogue.apis.map(({ collection }) => collection))].filter((each) => each !== '').toSorted(),
    apis: catalogue.apis.map((api) => ({
      name: api.name,
      version: api.version,
      lifecycle: lifecycleOf(api, options.now),
      sunsetAt: api.sunsetAt === null ? null : api.sunsetAt * 1000,
      collection: api.collection || null,
      owner: api.owner || null,
      dataClasses: api.dataClasses,
      routes: api.routes.map((route) => ({
        ...route,
        method: route.method || '*',
        template: `${route.servers[0]?.base ?? ''}${route.template}`,
        operation: route.operation || null,
        lastSeenAt: async () => lastOf(await routesSeen(), route),
      })),
    })),
    consumers: (args: ConsumerArgs) => consumerPage(catalogue.consumers, args, options),
  };
}

function once<Answer>(work: () => Promise<Answer>): () => Promise<Answer> {
  let answer: Promise<Answer> | null = null;
  return () => (answer ??= work());
}

function lifecycleOf({ lifecycle, sunsetAt }: CatalogueApi, now: number): Lifecycle {
  if (sunsetAt !== null && sunsetAt * 1000 <= now) return 'SUNSET';
  return lifecycle === 'active' ? 'ACTIVE' : 'DEPRECATED';
}

/** ClickHouse takes 128 KiB of a parameter. */
const maxNameBytes = 100 * 1024;
/** As a parameter, in quotes. */
const bytesOf = (names: readonly string[]) => names.reduce((sum, name) => sum + Buffer.byteLength(name) + 3, 0);

interface RouteRow {
  readonly method: string;
  readonly route: string;
  readonly operation: string;
  readonly at: string;
}

/** By operation too: a gateway may have a template of its own. */
async function lastRoutes(apis: readonly CatalogueApi[], options: CatalogueOptions): Promise<RouteRow[]> {
  let rows: RouteRow[] = [];
  const all = apis.flatMap((api) => api.routes);
  for (const routes of slicesBySize(all, (route) => bytesOf([...templatesOf(route), route.operation]), maxNameBytes))
    rows = rows.concat(await lastOfRoutes(routes, options));
  return rows;
}

const lastOfRoutes = (routes: readonly CatalogueRoute[], { scope, kept }: CatalogueOptions): Promise<RouteRow[]> =>
  scope.events<RouteRow>({
    select: `http_request_method AS method, http_route AS route, operation_id AS operation, toUnixTimestamp64Milli(max(timestamp)) AS at`,
    range: kept,
    where: "has({templates:Array(String)}, http_route) OR (operation_id != '' AND has({operations:Array(String)}, operation_id))",
    parameters: {
      templates: routes.flatMap(templatesOf),
      operations: routes.map(({ operation }) => operation),
    },
    tail: 'GROUP BY method, route, operation',
  });

const templatesOf = ({ servers, template }: CatalogueRoute): string[] =>
  ['', ...servers.map(({ base }) => base)].map((base) => base + template);

function lastOf(rows: readonly RouteRow[], route: CatalogueRoute): number | null {
  const templates = templatesOf(route);
  const seen = rows.filter(
    (row) =>
      (route.operation !== '' && row.operation === route.operation) ||
      (templates.includes(row.route) && (route.method === '' || row.method === route.method)),
  );
  return seen.length === 0 ? null : Math.max(...seen.map(({ at }) => Number(at)));
}

interface ConsumerArgs {
  readonly search?: string | null;
  readonly first?: number | null;
  readonly after?: string | null;
}

/** By name. Who may not see all tenants sees the consumers that called one of its own. */
async function consumerPage(consumers: Catalogue['consumers'], { search, first, after }: ConsumerArgs, options: CatalogueOptions) {
  const { scope, cursorKeys, kept } = options;
  const question = questionOf(['catalogue.consumers', scope.tenants, search ?? null]);
  const beyond = after == null ? '' : String(readCursor(cursorKeys, question, after).key[0]);
  const asked = [...consumers.keys()]
    .filter((name) => name.toLowerCase().includes((search ?? '').toLowerCase()) && name > beyond)
    .toSorted();
  const size = options.pageSize(first);
  const seesAll = scope.tenants.includes('*');
  const seen = await lastConsumers(seesAll ? asked.slice(0, size) : asked, options);
  const visible = seesAll ? asked : asked.filter((name) => seen.has(name));
  const edges = visible.slice(0, size).map((name) => ({
    cursor: writeCursor(cursorKeys[0], question, { key: [name], range: kept, bound: null }),
    node: viewConsumer(name, consumers.get(name), seen.get(name) ?? null, options),
  }));
  return {
    edges,
    nodes: edges.map(({ node }) => node),
    pageInfo: {
      hasNextPage: visible.length > size,
      hasPreviousPage: after != null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

async function lastConsumers(all: readonly string[], { scope, kept }: CatalogueOptions): Promise<ReadonlyMap<string, number>> {
  const seen = new Map<string, number>();
  for (const names of slicesBySize(all, (name) => bytesOf([name]), maxNameBytes)) {
    const rows = await scope.events<{ name: string; at: string }>({
      select:
        'arrayJoin(arrayIntersect({names:Array(String)}, [consumer_name, consumer_id])) AS name, toUnixTimestamp64Milli(max(timestamp)) AS at',
      range: kept,
      where: 'hasAny({names:Array(String)}, [consumer_name, consumer_id])',
      parameters: { names },
      tail: 'GROUP BY name',
    });
    for (const { name, at } of rows) seen.set(name, Number(at));
  }
  return seen;
}

function viewConsumer(name: string, consumer: CatalogueConsumer | undefined, lastSeenAt: number | null, options: CatalogueOptions) {
  return {
    name,
    kind: consumer?.kind || null,
    plan: consumer?.plan || null,
    owner: consumer?.owner || null,
    lastSeenAt,
    limits: ({ range }: { readonly range?: TimeRange | null }) => {
      const asked = range == null ? { from: options.now - 86_400_000, to: options.now } : options.rangeOf(range);
      return Promise.all((consumer?.limits ?? []).map((limit) => limitUse(name, limit, asked, options)));
    },
  };
}

/** Windows begin at multiples of their span since 1970. */
async function limitUse(name: string, { requests, perMs }: PlanLimit, range: Range, { scope, now }: CatalogueOptions) {
  const windows = 'sumMap([intDiv(toUnixTimestamp64Milli(timestamp), {per:Int64})], [toUInt64(1)])';
  const countsIn = async (within: Range) => {
    const [row] = await scope.events<{ peak: string; breaches: string }>({
      select: `${windows}.2 AS counts, arrayMax(arrayConcat([toUInt64(0)], counts)) AS peak,
  arrayCount(each -> each > {requests:Float64}, counts) AS breaches`,
      range: within,
      where: 'consumer_name = {consumer:String} OR consumer_id = {consumer:String}',
      parameters: { consumer: name, per: perMs, requests },
    });
    return { peak: Number(row?.peak ?? 0), breaches: Number(row?.breaches ?? 0) };
  };
  const start = now - (now % perMs);
  const [running, whole] = await Promise.all([countsIn({ from: start, to: start + perMs }), countsIn(range)]);
  return { requests, per: formatDuration(perMs), used: running.peak, ...whole };
}
