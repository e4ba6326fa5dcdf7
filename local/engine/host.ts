/**
 * The embedded engine: chdb behind ClickHouse's HTTP protocol, on loopback. Runs in a process of its own; the rest of
 * the product talks to it as to a server.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import type * as Chdb from 'chdb';
import { AuditError, messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { Answer } from './answer.ts';
import { partsAside, removeEmptyMutations } from './leftovers.ts';
import { openFolder } from './lock.ts';
import { toRefusal } from './refusal.ts';
import { readRequest } from './request.ts';
import { runRequest, type Engine } from './run.ts';
import { engineThreads, openSessions } from './sessions.ts';
import { watchWrites } from './writes.ts';

export interface EngineHost {
  readonly url: string;
  readonly password: string;
  stop(): Promise<void>;
}

export interface EngineHostOptions {
  readonly dataDir: string;
  /** Any free port when left out. */
  readonly port?: number;
  readonly logger: Logger;
}

/** Bound values stand in the address: ClickHouse takes 1 MiB (`http_max_uri_size`), Node 16 KiB unless it is told. */
const longestAddress = 1 << 20;

/**
 * Starts the engine on `DATA/engine` and leaves its address in `DATA/engine.json` (0600).
 * The process must have been started with the environment of `engineEnvironment()`.
 * @throws AuditError ENGINE_NOT_INSTALLED, DATA_DIR_LOCKED, DATA_DIR_UNUSABLE, PORT_IN_USE, CONFIG_INVALID.
 */
export async function startEngineHost(options: EngineHostOptions): Promise<EngineHost> {
  requireThreads();
  const dataDir = resolve(options.dataDir);
  const engine = await openEngine(dataDir, options.logger);
  const password = randomBytes(24).toString('base64url');
  const server = createServer({ keepAliveTimeout: 10_000, requestTimeout: 0, maxHeaderSize: longestAddress }, (message, response) => {
    void handle(message, response, { engine, password, logger: options.logger });
  });
  const url = await listen(server, options.port ?? 0).catch(async (error: unknown) => {
    await engine.sessions.close();
    throw error;
  });
  process.once('exit', cutShort);
  const note = join(dataDir, 'engine.json');
  writePrivately(note, JSON.stringify({ url, password, pid: process.pid }));
  options.logger.info({ url, version: engine.version }, 'engine ready');
  return {
    url,
    password,
    async stop() {
      rmSync(note, { force: true });
      await closeServer(server);
      await engine.writes.close();
      await engine.sessions.close();
      process.off('exit', cutShort);
      rmSync(engine.spool, { recursive: true, force: true });
    },
  };
}

/** An exit waits for the engine's threads, so for whatever statement still runs; the data needs no such care. */
function cutShort(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('a killed process goes on');
}

/** libuv reads the size of its pool once, at the first file that the process opens: too late to change it here. */
function requireThreads(): void {
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);
  if (threads >= engineThreads) return;
  throw new AuditError(
    'CONFIG_INVALID',
    `The engine needs UV_THREADPOOL_SIZE=${engineThreads} in the environment of its process, which has ${threads}.`,
    {
      facts: { threads },
    },
  );
}

async function openEngine(dataDir: string, logger: Logger): Promise<Engine> {
  const { Session } = await loadChdb();
  const folder = join(dataDir, 'engine');
  removeEmptyMutations(folder);
  let first: Chdb.Session | null = openFolder(folder, () => new Session(folder));
  const sessions = openSessions(() => {
    const session = first ?? new Session(folder);
    first = null;
    return session;
  });
  const spool = join(dataDir, 'engine-tmp');
  // Left behind by a killed host; the folder is ours alone from here on.
  rmSync(spool, { recursive: true, force: true });
  mkdirSync(spool, { recursive: true, mode: 0o700 });
  const session = sessions.open();
  const version = (await session.queryAsync('SELECT version()', { format: 'TabSeparated' })).text().trim();
  const names = (await session.queryAsync('SELECT name FROM system.settings', { format: 'TabSeparated' })).text().trim().split('\n');
  const aside = await partsAside(session);
  if (aside.length > 0)
    logger.warn({ folder, parts: aside }, 'parts that were not whole lie aside; completeness tells whether events are missing');
  session.close();
  const writes = watchWrites(folder, sessions, (reason) => {
    logger.error({ folder, reason }, 'the disk failed, so the engine cannot vouch for what it stored last: it ends, to be started again');
    return cutShort();
  });
  return { sessions, spool, settings: new Set(names), version, writes };
}

async function loadChdb(): Promise<typeof Chdb> {
  try {
    return await import('chdb');
  } catch (cause) {
    const text = `The embedded engine needs the optional package chdb, which cannot be loaded: ${messageOf(cause)}. Run npm ci without --omit=optional, or name a ClickHouse with clickhouse.url.`;
    throw new AuditError('ENGINE_NOT_INSTALLED', text, { cause });
  }
}

interface Handling {
  readonly engine: Engine;
  readonly password: string;
  readonly logger: Logger;
}

async function handle(message: IncomingMessage, response: ServerResponse, { engine, password, logger }: Handling): Promise<void> {
  const answer = new Answer(response);
  try {
    const url = new URL(message.url ?? '/', 'http://engine');
    if (isPing(message, url)) return void response.end('Ok.\n');
    if (url.pathname !== '/') return void response.writeHead(404).end(`There is no handle ${url.pathname}\n`);
    const gone = new AbortController();
    response.on('close', () => {
      if (!response.writableFinished) gone.abort();
    });
    const request = await readRequest(message, url, password);
    answer.describe({ version: engine.version, queryId: request.queryId, gzip: request.wantsGzip });
    await runRequest(engine, request, answer, gone.signal);
    if (answer.isOpen && gone.signal.aborted) response.destroy();
  } catch (error) {
    const refusal = toRefusal(error);
    logger.debug({ code: refusal.exceptionCode, message: refusal.message }, 'statement refused');
    answer.fail(refusal);
    message.resume();
  }
}

function isPing(message: IncomingMessage, url: URL): boolean {
  if (message.method !== 'GET' && message.method !== 'HEAD') return false;
  return url.pathname === '/ping' || url.pathname === '/replicas_status' || (url.pathname === '/' && !url.searchParams.has('query'));
}

async function listen(server: Server, port: number): Promise<string> {
  await new Promise<void>((done, failed) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const code = cause.code === 'EADDRINUSE' ? 'PORT_IN_USE' : 'BACKEND_UNAVAILABLE';
      failed(new AuditError(code, `The engine cannot listen on 127.0.0.1:${port}: ${cause.message}.`, { cause }));
    });
    server.listen(port, '127.0.0.1', done);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server that listens has such an address
}

/** Statements that run get a second to end; then their connections are cut, which stops them. */
async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((done) => server.close(() => done()));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), 1000);
  await closed;
  clearTimeout(cut);
}

/** Whole or not at all, and never readable by others. */
function writePrivately(file: string, text: string): void {
  rmSync(`${file}.new`, { force: true });
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
