/** A request in ClickHouse's HTTP protocol, read from URL, headers and form; for the engine's host. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import { createGunzip } from 'node:zlib';
import { refuse } from './refusal.ts';
import { places, type EngineUser } from './sessions.ts';

export interface EngineRequest {
  readonly user: EngineUser;
  readonly queryId: string;
  /** SQL from the URL; null when all of it stands in the body. */
  readonly query: string | null;
  readonly database: string | null;
  readonly settings: Map<string, string>;
  readonly parameters: Map<string, string>;
  readonly defaultFormat: string;
  /** Nothing is sent before the statement has ended. */
  readonly waitsForEnd: boolean;
  readonly wantsGzip: boolean;
  /** The body, opened when it came compressed. */
  readonly body: Readable;
}

/** @throws Refusal 516 for a wrong user or password, 48 for what the embedded engine does not do. */
export async function readRequest(message: IncomingMessage, url: URL, password: string): Promise<EngineRequest> {
  const user = authenticate(message, url.searchParams, password);
  const asked = url.searchParams;
  refuseUnsupported(asked);
  const body = openBody(message);
  const form = /^multipart\/form-data/i.test(message.headers['content-type'] ?? '') ? await readForm(message, body) : null;
  const settings = new Map([...asked].filter(([name]) => !reserved.has(name) && !name.startsWith('param_')));
  // As on a server: what a link can do must not write.
  if (message.method === 'GET' && !settings.has('readonly')) settings.set('readonly', '2');
  const parameters = [...asked, ...(form ?? [])]
    .filter(([name]) => name.startsWith('param_'))
    .map(([name, value]) => [name.slice(6), value] as const);
  return {
    user,
    queryId: asked.get('query_id') || randomUUID(),
    query: form?.get('query') ?? asked.get('query'),
    database: asked.get('database'),
    settings,
    parameters: new Map(parameters),
    defaultFormat: asked.get('default_format') ?? header(message, 'x-clickhouse-format') ?? 'TabSeparated',
    waitsForEnd: isOn(asked.get('wait_end_of_query')),
    wantsGzip: isOn(asked.get('enable_http_compression')) && /\bgzip\b/i.test(header(message, 'accept-encoding') ?? ''),
    body,
  };
}

/** Parameters of the URL that are not settings. */
const reserved = new Set(
  `query query_id database default_format wait_end_of_query buffer_size user password quota_key role
   session_id session_timeout session_check close_session compress decompress stacktrace`.split(/\s+/),
)
  // The comment names the statement to KILL QUERY, and nothing else reads it: the embedded engine has no query log.
  .add('log_comment');

function refuseUnsupported(asked: URLSearchParams): void {
  if (asked.get('session_id'))
    throw refuse(48, 'session_id is not supported by the embedded engine: each statement runs in a session of its own.');
  if (asked.get('role')) throw refuse(511, `Role '${asked.get('role')}' does not exist: the embedded engine has no roles.`);
  if (isOn(asked.get('compress')) || isOn(asked.get('decompress'))) {
    throw refuse(
      48,
      "ClickHouse's own block compression (compress, decompress) is not read here; use gzip through Content-Encoding and Accept-Encoding.",
      415,
    );
  }
}

function authenticate(message: IncomingMessage, asked: URLSearchParams, password: string): EngineUser {
  const basic = /^Basic (.+)$/i.exec(message.headers.authorization ?? '')?.[1];
  const pair = basic === undefined ? null : Buffer.from(basic, 'base64').toString('utf8');
  const colon = pair?.indexOf(':') ?? -1;
  const user = pair?.slice(0, colon) ?? header(message, 'x-clickhouse-user') ?? asked.get('user') ?? 'default';
  const given = pair?.slice(colon + 1) ?? header(message, 'x-clickhouse-key') ?? asked.get('password') ?? '';
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (isUser(user) && timingSafeEqual(digest(given), digest(password))) return user;
  throw refuse(516, `${user.slice(0, 100)}: Authentication failed: password is incorrect, or there is no user with such name.`);
}

function isUser(name: string): name is EngineUser {
  return Object.hasOwn(places, name);
}

function openBody(message: IncomingMessage): Readable {
  const encoding = message.headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding === '' || encoding === 'identity') return message;
  if (encoding !== 'gzip') throw refuse(48, `Content-Encoding '${encoding.slice(0, 40)}' is not read here; use gzip or none.`, 415);
  const opened = createGunzip();
  // Damage can show before anybody reads; the reader gets the error then, and without this line the process would end.
  opened.on('error', () => {});
  // A client that goes away in the middle must not look like one that has finished.
  message.on('error', (error) => opened.destroy(error));
  return message.pipe(opened);
}

/** Bound parameters too long for a URL come as a form; files in it (external tables) are not read. */
async function readForm(message: IncomingMessage, body: Readable): Promise<Map<string, string>> {
  const bytes = await readAll(body);
  // Response reads forms, so that no parser of our own is needed.
  const form = await new Response(new Uint8Array(bytes), { headers: { 'content-type': message.headers['content-type'] ?? '' } }).formData();
  const fields = new Map<string, string>();
  for (const [name, value] of form) {
    if (typeof value !== 'string') throw refuse(48, 'External tables are not read by the embedded engine.');
    fields.set(name, value);
  }
  return fields;
}

/** SQL text and forms are held in memory; data of inserts never is. */
const mostText = 64 * 1024 * 1024;

/** @throws Refusal 229 beyond 64 MiB. */
export async function readAll(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostText)
      throw refuse(
        229,
        `The text of a statement ends at ${mostText} bytes; data goes behind INSERT … FORMAT in the body, with the statement in the URL.`,
      );
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function header(message: IncomingMessage, name: string): string | null {
  const value = message.headers[name];
  return typeof value === 'string' ? value : null;
}

function isOn(value: string | null): boolean {
  return value !== null && value !== '' && value !== '0' && value.toLowerCase() !== 'false';
}
