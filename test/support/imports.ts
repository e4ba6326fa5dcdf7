/**
 * Judges who imports whom, for the architecture test: a map of path and text goes in, one line per breach comes out.
 * It reads lines and nothing else, because TypeScript 7 has no compiler API yet and the tools that need one see no .ts file.
 */
import { posix } from 'node:path';

/** What each folder may import beside itself. A folder that is not listed here is a breach: it has no place in the layout yet. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  schemas: ['core'],
  sigma: ['core', 'schemas'],
  local: ['core'],
  storage: ['core', 'schemas'],
  ingest: ['core', 'schemas', 'sigma', 'storage'],
  query: ['core', 'schemas', 'storage'],
  alerts: ['core', 'schemas', 'sigma', 'storage', 'query'],
  app: ['core', 'schemas', 'sigma', 'local', 'storage', 'ingest', 'query', 'alerts'],
  'main.ts': ['core', 'app'],
};

/** The one file of each vendor package, or the one folder named for it; yaml has one reader per kind of document. */
export const importers: Readonly<Record<string, readonly string[]>> = {
  '@clickhouse/client': ['storage/clickhouse.ts'],
  '@graphql-tools/schema': ['query/graphql.ts'],
  '@graphql-yoga/render-graphiql': ['query/graphql.ts'],
  '@ip-location-db/geo-whois-asn-country-mmdb': ['ingest/geo.ts'],
  '@readme/openapi-parser': ['schemas/openapi.ts'],
  '@toondepauw/node-zstd': ['ingest/logs/codecs.ts'],
  chdb: ['local/engine/'],
  commander: ['main.ts'],
  eta: ['alerts/render.ts'],
  fastify: ['app/http.ts'],
  graphql: ['query/'],
  'graphql-yoga': ['query/graphql.ts'],
  kafkajs: ['ingest/logs/kafka.ts'],
  lmdb: ['ingest/logs/journal.ts'],
  'lz4-napi': ['ingest/logs/codecs.ts'],
  maxmind: ['ingest/geo.ts'],
  'node-cron': ['alerts/scheduler.ts'],
  nodemailer: ['alerts/channels/email.ts'],
  pino: ['app/telemetry.ts'],
  'prom-client': ['app/telemetry.ts'],
  re2js: ['core/linear-pattern.ts'],
  snappy: ['ingest/logs/codecs.ts'],
  tinyduration: ['core/duration.ts'],
  yaml: ['app/config-file.ts', 'app/verbs/config.ts', 'schemas/catalogue-file.ts', 'sigma/yaml.ts'],
  zod: ['app/settings.ts'],
};

/** `files` holds the product alone, by paths from its root. A breach reads `FILE: why`. */
export function breachesOf(files: ReadonlyMap<string, string>): string[] {
  const local = new Map<string, string[]>();
  const breaches: string[] = [];
  for (const [file, text] of files) {
    const specifiers = specifiersOf(text);
    const targets = specifiers.filter((one) => one.startsWith('.')).map((one) => posix.join(posix.dirname(file), one));
    local.set(file, targets);
    for (const target of targets) breaches.push(...directionOf(file, target));
    for (const one of specifiers.filter((each) => !/^(\.|node:)/.test(each))) breaches.push(...vendorOf(file, packageOf(one)));
  }
  return [...breaches, ...cyclesOf(local)];
}

/** Everything that a text imports: statements as the formatter leaves them, `import('x')` and `require('x')`, and what it finds the file of, `resolve('x')`. */
export function specifiersOf(text: string): string[] {
  const code = text.replaceAll(/^\s*(\/\/|\/?\*).*$/gm, ''); // a comment may speak of an import
  const statements = code.matchAll(
    /^(?:import|export|\})(?: .*)? from '([^'\n]+)'|^import '([^'\n]+)'|\b(?:import|require|resolve)\('([^'\n]+)'\)/gm,
  );
  return [...statements].map(([, from, bare, called]) => from ?? bare ?? called ?? '');
}

function directionOf(file: string, target: string): string[] {
  const [from, to] = [placeOf(file), placeOf(target)];
  if (mayImport[from] === undefined) return [`${file}: the layout has no place ${from}`];
  if (from === to || mayImport[from].includes(to)) return [];
  return [`${file}: ${from} may not import ${to} (${target})`];
}

function vendorOf(file: string, name: string): string[] {
  const allowed = importers[name];
  if (allowed === undefined) return [`${file}: ${name} has no importer in the list of vendor packages`];
  const isAllowed = allowed.some((one) => (one.endsWith('/') ? file.startsWith(one) : file === one));
  return isAllowed ? [] : [`${file}: ${name} is imported by ${allowed.join(', ')} alone`];
}

/** Each file from which an import leads back to itself; types count too, for they tie files as much. */
function cyclesOf(local: ReadonlyMap<string, readonly string[]>): string[] {
  return [...local.keys()].flatMap((start) => {
    const way = wayBack(local, start);
    return way === null ? [] : [`${start}: a cycle, ${way.join(' -> ')}`];
  });
}

function wayBack(local: ReadonlyMap<string, readonly string[]>, start: string): string[] | null {
  const ways: string[][] = [[start]];
  const seen = new Set<string>();
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    for (const next of local.get(way.at(-1) ?? '') ?? []) {
      if (next === start) return [...way, start];
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return null;
}

/** The folder of the layout, or the file where it lies on top. */
const placeOf = (path: string) => path.split('/')[0] ?? '';

const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
