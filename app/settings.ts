/** Every setting of the product, declared once: what it takes, its default, its variable and what it is for. */
import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { formatDuration, parseDuration } from '../core/duration.ts';
import { dayMs } from '../storage/retention-policy.ts';
import { formatFaults } from './formats.ts';
import { faultsOfClass, faultsOfOrder } from './retention-classes.ts';

interface Marks {
  readonly isSetting?: true;
  /** Environment variable; a secret can also be given as NAME_FILE. */
  readonly env?: string;
  readonly secret?: true;
  /** How the default reads where it is not the plain value. */
  readonly shown?: string;
}

const marks = z.registry<Marks>();

const text = () => z.string('expected text').min(1, 'expected text that is not empty');
const port = () =>
  z.preprocess(toNumber, z.int('expected a port, 0 to 65535').min(0, 'expected 0 or more').max(65_535, 'expected at most 65535'));
const flag = () => z.preprocess(toBoolean, z.boolean('expected true or false'));
const list = () => z.preprocess(toList, z.array(text(), 'expected a list, or texts with commas between them'));
const url = (...protocols: string[]) =>
  text().refine(
    (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol),
    `expected a URL that begins with ${protocols.map((name) => `${name}//`).join(' or ')}`,
  );
/** In the configuration as milliseconds. */
const span = (least = 0) =>
  text().transform((value, context) => {
    const ms = parseDuration(value);
    if (ms !== null && ms >= least) return ms;
    context.addIssue({
      code: 'custom',
      message: `expected a span of time such as PT5M or 5m${least > 0 ? `, at least ${formatDuration(least)}` : ''}`,
    });
    return z.NEVER;
  });

const told =
  <Value>(faultsOf: (value: Value) => readonly Issue[]) =>
  (value: Value, context: z.core.$RefinementCtx) => {
    for (const { path, message, came } of faultsOf(value)) context.addIssue({ code: 'custom', path: [...path], message, params: { came } });
  };

const tenantRule = z.union(
  [
    text(),
    z.strictObject({
      from: text().regex(/^(header|field):.+$/, 'expected header:NAME or field:PATH'),
      allow: z.array(text()).min(1, 'expected at least one tenant'),
    }),
  ],
  'expected the name of a tenant, or from (header:NAME, field:PATH) and allow (a list of tenants)',
);

const source = z.strictObject({
  topic: text(),
  tenant: tenantRule.optional(),
  format: text().optional(),
  gateway: text().optional(),
  timeZone: text().refine(isTimeZone, 'expected a time zone by its IANA name, as Europe/Vienna').optional(),
  trustedProxies: z.array(text().refine(isNetwork, 'expected an address or a network, as 10.0.0.0/8')).optional(),
  columns: z.array(text(), 'expected a list of columns').optional(),
  start: z.enum(['earliest', 'latest'], 'expected earliest or latest').optional(),
});

const format = z
  .strictObject({
    name: text().regex(/^[\w.-]{1,64}$/, 'expected a name of letters, digits, _ . -'),
    gateway: text().optional(),
    fields: z
      .record(
        z.string(),
        z.union(
          [
            text(),
            z.strictObject({
              path: text().optional(),
              unit: z.enum(['ns', 'us', 'ms', 's']).optional(),
              is: z.enum(['start', 'end']).optional(),
            }),
          ],
          'expected a path, or path with unit (ns, us, ms, s) or is (start, end)',
        ),
        'expected places by canonical field',
      )
      .optional(),
    pattern: text().optional(),
    like: text().optional(),
    keys: z.record(z.string(), text(), 'expected keys of the record by known key').optional(),
    sample: z.union([text(), z.record(z.string(), z.unknown())], 'expected a record, as an object or as its text'),
    expect: z.record(z.string(), z.unknown(), 'expected values by canonical field').optional(),
  })
  .superRefine(told(formatFaults));

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function isNetwork(network: string): boolean {
  const [address = '', prefix, ...others] = network.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return bits > 0 && others.length === 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits));
}

const retentionClass = z
  .strictObject({
    name: text().refine((name) => name !== 'default', 'expected another name: default is the class of all that no class has'),
    tenants: z.array(text(), 'expected a list of tenants').default([]),
    dataClasses: z.array(text(), 'expected a list of data classes, as the catalogue has them').default([]),
    keep: span(dayMs),
    basis: text().optional(),
    minimum: span(dayMs).optional(),
  })
  .superRefine(told(faultsOfClass));

/** A setting that stands in the environment too. */
const leaf = <Type extends z.ZodType>(type: Type, description: string, more: Marks = {}): Type => {
  const described = type.describe(description);
  marks.add(described, { isSetting: true, ...more }); // a registry takes an empty mark for none
  return described;
};

const declaration = z.strictObject({
  dataDir: leaf(text().default('./data'), 'Folder of the embedded state.', { env: 'GATETRAIL_DATA_DIR' }),
  secret: leaf(
    z.preprocess(
      (value) => (typeof value === 'string' ? { current: value } : value),
      z
        .strictObject(
          { current: longText().optional(), previous: z.array(longText()).default([]) },
          'expected text, or current and previous',
        )
        .default({ previous: [] }),
    ),
    'At least 32 random bytes, the same for every process: keyed hashes, API keys, cursors, links and the seal of the journal hang on it. `secret.previous[]` are still read after a rotation (then the current one is `secret.current`). Required once a ClickHouse is named; else made at first start as DATA/secret.',
    { env: 'GATETRAIL_SECRET', secret: true, shown: 'made at first start' },
  ),
  tenant: leaf(text().default('default'), 'Tenant of what no source says more about.', { env: 'GATETRAIL_TENANT' }),
  http: section({
    host: leaf(text().default('127.0.0.1'), 'Address that the API listens on.', { env: 'GATETRAIL_HOST' }),
    port: leaf(port().default(4000), 'Port of the API; 0 is any free one, told in the ready line.', { env: 'GATETRAIL_PORT' }),
    publicUrl: leaf(url('http:', 'https:').optional(), 'Address that people reach the API by; every link in a mail begins with it.', {
      env: 'GATETRAIL_PUBLIC_URL',
      shown: 'where it listens',
    }),
    tls: section({
      cert: leaf(text().optional(), 'Path of the certificate (PEM).', { env: 'GATETRAIL_TLS_CERT' }),
      key: leaf(text().optional(), 'Path of its private key (PEM).', { env: 'GATETRAIL_TLS_KEY' }),
    }),
    insecure: leaf(flag().default(false), 'Allows listening beyond loopback without TLS.', { env: 'GATETRAIL_INSECURE' }),
  }),
  log: section({
    level: leaf(
      z.enum(['debug', 'info', 'warn', 'error'], 'expected debug, info, warn or error').default('info'),
      'What is logged, on stderr.',
      {
        env: 'GATETRAIL_LOG_LEVEL',
      },
    ),
  }),
  kafka: section({
    brokers: leaf(list().default([]), 'Brokers of Kafka as host:port. Without any, the embedded journal is the log.', {
      env: 'GATETRAIL_KAFKA_BROKERS',
    }),
    topics: leaf(list().default([]), 'Topics to read, short for `sources` with names only.', { env: 'GATETRAIL_KAFKA_TOPICS' }),
    groupId: leaf(text().default('gatetrail'), 'Consumer group.', { env: 'GATETRAIL_KAFKA_GROUP' }),
    sessionTimeout: leaf(
      span(6_000).default(45_000),
      'How long Kafka waits for a member that says nothing before others get its partitions. A process that was killed is not waited for where the next one has its data folder; where that is lost with it, as in a container, this long.',
      { env: 'GATETRAIL_KAFKA_SESSION_TIMEOUT', shown: '45s' },
    ),
    tls: leaf(z.preprocess(toBoolean, z.union([z.boolean(), text()])).default(false), '`true`, or the path of a CA certificate.', {
      env: 'GATETRAIL_KAFKA_TLS',
    }),
    sasl: leaf(
      z.enum(['plain', 'scram-sha-256', 'scram-sha-512'], 'expected plain, scram-sha-256 or scram-sha-512').optional(),
      'How to sign in.',
      {
        env: 'GATETRAIL_KAFKA_SASL',
      },
    ),
    user: leaf(text().optional(), 'User of Kafka.', { env: 'GATETRAIL_KAFKA_USER' }),
    password: leaf(text().optional(), 'Password of that user.', { env: 'GATETRAIL_KAFKA_PASSWORD', secret: true }),
  }),
  sources: leaf(
    z.array(source, 'expected a list of sources').default([]),
    'Per topic: `topic`, `tenant` (a name, or `from: header:NAME | field:PATH` and `allow: [names]`), `format` (leaves recognition out), `gateway` (its name), `timeZone` (of times that have none, default UTC), `trustedProxies` (your own proxies, as `10.0.0.0/8`: the client is the last address of a forwarded list that is none of them), `columns` (of W3C lines without a `#Fields:` line), `start` (`earliest` or `latest`, used once).',
  ),
  formats: leaf(
    z.array(format, 'expected a list of formats').default([]),
    'Record formats of your own, for sources, posts and imports that name them. Each has `name`, a `sample` (a record, as an object or as its text) that is read when the configuration is, if you like `expect` (what its first event holds, by canonical field), and a layout. Of JSON: `gateway` (its kind) and `fields`, by canonical field the path in the record, or `path` with `unit` (of a duration: `ns`, `us`, `ms` by default, `s`) or `is` (of the time: `start` by default, `end`). Of lines: `gateway` and `pattern`, RE2 for a whole line, whose named groups are canonical fields, or paths of `fields`. Of a format that is built in, under other keys: `like` and `keys`, by known top-level key the one in the record. Times are ISO 8601, those of common log lines, or epochs. A raw key belongs to `credential_hash`, of which its keyed hash alone is stored.',
  ),
  intake: section({
    topic: leaf(text().default('gatetrail-records'), 'Topic that posts and imports go to.', { env: 'GATETRAIL_INTAKE_TOPIC' }),
  }),
  ingest: section({
    processes: leaf(
      z
        .preprocess(toNumber, z.int('expected a number').min(1, 'expected at least 1').max(64, 'expected at most 64'))
        .default(Math.min(2, availableParallelism())),
      'Processes of the role ingest that `start` runs where the log is Kafka; they share the partitions. With the embedded log it is one.',
      { env: 'GATETRAIL_INGEST_PROCESSES', shown: 'one per core, 2 at most' },
    ),
    batchBytes: leaf(
      z
        .preprocess(
          toNumber,
          z.int('expected a number of bytes').min(1_048_576, 'expected at least 1048576').max(67_108_864, 'expected at most 67108864'),
        )
        .default(67_108_864),
      'Values of a batch at most, in bytes; of more than 8 partitions each has a share of 512 MiB instead, but 16 MiB. It bounds the memory of ingest while ClickHouse is away: 3 times that, what is read ahead (16 MiB at most) and one fetch (8 MiB at most) per partition that a process owns, and 64 MiB. Lower it where memory is scarce.',
      { env: 'GATETRAIL_INGEST_BATCH_BYTES' },
    ),
  }),
  journal: section({
    keep: leaf(span().default(86_400_000), 'How long the embedded log keeps a record after it was stored.', {
      env: 'GATETRAIL_JOURNAL_KEEP',
      shown: '24h',
    }),
  }),
  deadLetters: section({
    keepBytes: leaf(
      flag().default(false),
      'Keeps the whole message of each dead letter in the database too, sealed (AES-256-GCM) under a key of its own drawn from `secret`, so that it can be read again when the log no longer has it. Messages of more than 1 MiB are not kept.',
    ),
    keep: leaf(
      span(dayMs).default(7 * dayMs),
      'How long these messages are kept, counted from their arrival; whole days (UTC) go. Never longer than the shortest retention.',
      { shown: '7d' },
    ),
  }),
  cluster: leaf(
    text()
      .regex(/^[\w.-]+$/, 'expected the name of a cluster: letters, digits, _ . -')
      .optional(),
    'Name of a ClickHouse cluster (`remote_servers`) whose nodes hold the tables, replicated and in shards. Its nodes are asked by the names that `system.clusters` gives, with scheme and port of `clickhouse.url`; each needs the macros `shard` and `replica`.',
    { env: 'GATETRAIL_CLUSTER', shown: 'one server' },
  ),
  durability: leaf(
    z.enum(['power', 'process'], 'expected power or process').default('power'),
    'What an answered insert survives: `power`, a power cut too (part and folder are flushed first); `process`, only the end of a process. Takes effect with the next `gatetrail migrate` or `start`.',
    { env: 'GATETRAIL_DURABILITY' },
  ),
  clickhouse: section({
    url: leaf(url('http:', 'https:').optional(), 'ClickHouse over HTTP. Without it the embedded engine is started.', {
      env: 'GATETRAIL_CLICKHOUSE_URL',
    }),
    user: leaf(text().default('default'), 'User of ClickHouse.', { env: 'GATETRAIL_CLICKHOUSE_USER' }),
    password: leaf(text().optional(), 'Password of that user.', { env: 'GATETRAIL_CLICKHOUSE_PASSWORD', secret: true }),
    database: leaf(text().default('gatetrail'), 'Database; it is made when it is missing.', { env: 'GATETRAIL_CLICKHOUSE_DATABASE' }),
  }),
  retention: section({
    default: leaf(
      span(dayMs).optional(),
      'How long events and dead letters are kept, counted from their arrival. Whole days (UTC) go, once the last of the day is that old.',
      { env: 'GATETRAIL_RETENTION', shown: 'for ever' },
    ),
    classes: leaf(
      z.array(retentionClass, 'expected a list of classes').superRefine(told(faultsOfOrder)).default([]),
      'What is kept shorter or longer: per class `name`, `tenants`, `dataClasses` (a list each, one of them at least; with both, data of these classes of these tenants), `keep` (a span), `basis` (`pci`: at least P366D, `hipaa`: at least P2192D, or any text with a `minimum` beside it) and `minimum` (a span, below which `keep` is refused).',
    ),
  }),
  alerts: section({
    lateness: leaf(span().default(60_000), 'How long a window waits for records that come late.', {
      env: 'GATETRAIL_ALERTS_LATENESS',
      shown: '60s',
    }),
    groupWait: leaf(span().default(30_000), 'How long a first mail waits for alerts that belong to it.', {
      env: 'GATETRAIL_ALERTS_GROUP_WAIT',
      shown: '30s',
    }),
  }),
  mail: section({
    smtpUrl: leaf(
      url('smtp:', 'smtps:').optional(),
      '`smtp://user:password@host:587`; `?insecure=true` allows no TLS. Without it mails are written to DATA/mailbox.',
      {
        env: 'GATETRAIL_SMTP_URL',
        secret: true,
      },
    ),
    from: leaf(text().default('gatetrail@localhost'), 'Sender of mails.', { env: 'GATETRAIL_MAIL_FROM' }),
    to: leaf(list().default([]), 'Who gets the mails.', { env: 'GATETRAIL_MAIL_TO' }),
  }),
  redaction: section({
    allowQueryKeys: leaf(list().default([]), 'Query parameters whose values are kept; all other values are stored as REDACTED.'),
    truncateAddresses: leaf(
      list().default([]),
      'Tenants whose clients are stored as their networks (/24, /48), in all three addresses; `*` stands for every tenant.',
    ),
    dropUserAgents: leaf(list().default([]), 'Tenants whose user agents are not stored; `*` stands for every tenant.'),
  }),
  catalogue: leaf(
    text().optional(),
    'Path of catalogue.yaml: APIs with their routes and lives, consumers and their limits (docs/catalogue.md).',
    { env: 'GATETRAIL_CATALOGUE' },
  ),
  geoip: leaf(
    text().optional(),
    'Path of a database in MaxMind’s format (.mmdb) with countries, autonomous systems or both. It is asked first, the one that ships (countries alone) for what it does not know; read once, at start.',
    { env: 'GATETRAIL_GEOIP', shown: 'the one that ships' },
  ),
  rules: leaf(list().default([]), 'Folders of rule documents, beside the built-in pack.', { env: 'GATETRAIL_RULES' }),
  access: section({
    adminKey: leaf(
      text().min(20, 'expected at least 20 characters').optional(),
      'An API key with role admin for unattended set-ups. In the embedded default one is made at first start and kept in DATA/admin.key.',
      { env: 'GATETRAIL_ADMIN_KEY', secret: true, shown: 'made at first start' },
    ),
  }),
});

export type Config = z.infer<typeof declaration>;

export interface Setting {
  /** As in the file: `http.port`. */
  readonly path: string;
  readonly env: string | null;
  readonly secret: boolean;
  /** Text for people. */
  readonly shownDefault: string;
  readonly description: string;
}

/** Every setting in the order of the declaration. */
export const settings: readonly Setting[] = settingsOf(declaration, []);

function settingsOf(type: z.ZodType, path: readonly string[]): Setting[] {
  const mark = marks.get(type);
  if (mark) return [settingOf(type, path.join('.'), mark)];
  const inner = type instanceof z.ZodPrefault ? (type.unwrap() as z.ZodType) : type; // sections alone are declared so
  if (!(inner instanceof z.ZodObject)) throw new Error(`the setting ${path.join('.')} has no description`);
  return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([name, part]) => settingsOf(part, [...path, name]));
}

function settingOf(type: z.ZodType, path: string, mark: Marks): Setting {
  const fallback: unknown = type.safeParse(undefined).data;
  const shown = mark.shown ?? (fallback === undefined ? '' : Array.isArray(fallback) ? fallback.join(',') : String(fallback));
  return { path, env: mark.env ?? null, secret: mark.secret ?? false, shownDefault: shown, description: type.description ?? '' };
}

/** What a value was refused for, at the path of the setting. */
export interface Issue {
  readonly path: readonly (string | number)[];
  /** What was expected. */
  readonly message: string;
  /** Where it is not what stands at the path; null where nothing came that could be shown. */
  readonly came?: string | null;
}

export type Checked = { readonly config: Config } | { readonly issues: readonly Issue[] };

export function check(values: unknown): Checked {
  const { data, error } = declaration.safeParse(values);
  return error === undefined ? { config: data } : { issues: error.issues.flatMap(issuesOf) };
}

function issuesOf(issue: z.core.$ZodIssue): Issue[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...path, key], message: 'no setting has this name', came: null }));
  const came: unknown = issue.code === 'custom' ? issue.params?.['came'] : undefined;
  return [{ path, message: issue.message, ...(typeof came === 'string' && { came }) }];
}

function section<Shape extends z.core.$ZodShape>(shape: Shape) {
  // Left out, a section is an empty one, in which every setting has its default; the type cannot show that none is required.
  return z.strictObject(shape, 'expected settings by name').prefault({} as never);
}

function longText() {
  return text().refine((value) => Buffer.byteLength(value) >= 32, 'expected at least 32 random bytes');
}

function toNumber(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
}

function toBoolean(value: unknown): unknown {
  return value === 'true' ? true : value === 'false' ? false : value;
}

function toList(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
