/**
 * A ClickHouse for tests: the one at CLICKHOUSE_URL, else a container where Docker answers, else the embedded engine in
 * a process of its own. Tests that share a server keep apart by a database each.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type ClickHouseClient } from '@clickhouse/client';
import { sleep } from '../../core/clock.ts';
import { isAlive } from './alive.ts';
import { spawnEngine, type SpawnedEngine } from '../../local/engine/spawn.ts';

export interface TestEngine {
  readonly branch: 'server' | 'container' | 'embedded';
  /** Changes with a restart. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** Empty on a server. */
  readonly dataDir: string;
  /** Process of the embedded engine; 0 on a server. */
  readonly pid: number;
  /** A client of this engine, closed with it. */
  client(options?: { database?: string; user?: string }): ClickHouseClient;
  /** Makes a database of its own for a test and gives its name. */
  createDatabase(): Promise<string>;
  /** Embedded only: resolves when the process has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Embedded only: starts it again on the same folder; the signal kills it, ready or not. */
  restart(signal?: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

const program = join(import.meta.dirname, '../../dist/local/engine/process.js');

export async function startEngine(options: { dataDir?: string } = {}): Promise<TestEngine> {
  const server = process.env['CLICKHOUSE_URL'];
  if (server !== undefined && server !== '') return overServer('server', new URL(server), async () => {});
  if (existsSync('/var/run/docker.sock')) return overContainer();
  return startEmbeddedEngine(options);
}

/** For tests of the embedded engine itself, whatever else is there. */
export async function startEmbeddedEngine(options: { dataDir?: string } = {}): Promise<TestEngine> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'gatetrail-engine-')));
  let engine: SpawnedEngine = await spawnEngine({ dataDir, program });
  const clients: ClickHouseClient[] = [];
  const started: TestEngine = {
    branch: 'embedded',
    get url() {
      return engine.url;
    },
    user: 'default',
    get password() {
      return engine.password;
    },
    dataDir,
    get pid() {
      return engine.child.pid ?? 0;
    },
    client({ database, user = 'default' } = {}) {
      const client = createClient({
        url: engine.url,
        username: user,
        password: engine.password,
        ...(database === undefined ? {} : { database }),
      });
      clients.push(client);
      return client;
    },
    createDatabase() {
      return makeDatabase(started.client());
    },
    async kill(signal = 'SIGKILL') {
      const { child } = engine;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill(signal);
      await exited;
    },
    async restart(signal) {
      await engine.stop();
      engine = await spawnEngine({ dataDir, program, ...(signal && { signal }) });
    },
    async stop() {
      await Promise.all(clients.map((client) => client.close()));
      await engine.stop();
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
  return started;
}

/** `SELECT version()` and where it came from: printed by the suites. */
export async function describeEngine(engine: TestEngine): Promise<string> {
  const result = await engine.client().query({ query: 'SELECT version() AS version', format: 'JSONEachRow' });
  const [row] = await result.json<{ version: string }>();
  return `ClickHouse ${row?.version ?? '?'} (${engine.branch})`;
}

/** Starts the embedded engine again whenever it has ended, as `gatetrail start` does. */
export function keepAlive(engine: TestEngine): { end(): Promise<void> } {
  let isWanted = true;
  const lives = () => isAlive(engine.pid);
  const keeping = (async () => {
    while (isWanted) {
      // On a disk that is full it may not start either.
      if (!lives()) await engine.restart().catch(() => {});
      await sleep(10);
    }
  })();
  return {
    async end() {
      isWanted = false;
      await keeping;
      if (!lives()) await engine.restart();
    },
  };
}

async function overContainer(): Promise<TestEngine> {
  const { ClickHouseContainer } = await import('@testcontainers/clickhouse');
  const container = await new ClickHouseContainer('clickhouse/clickhouse-server:26.7').start();
  const url = new URL(container.getHttpUrl());
  url.username = container.getUsername();
  url.password = container.getPassword();
  return overServer('container', url, async () => void (await container.stop()));
}

/** A server has one user for all, and nobody kills it. */
function overServer(branch: 'server' | 'container', address: URL, stopServer: () => Promise<void>): TestEngine {
  const [user, password] = [decodeURIComponent(address.username) || 'default', decodeURIComponent(address.password)];
  const clients: ClickHouseClient[] = [];
  const no = async () => {
    throw new Error('only the embedded engine can be killed and restarted by a test');
  };
  const started: TestEngine = {
    branch,
    url: address.origin,
    user,
    password,
    dataDir: '',
    pid: 0,
    client({ database } = {}) {
      const client = createClient({ url: address.origin, username: user, password, ...(database === undefined ? {} : { database }) });
      clients.push(client);
      return client;
    },
    createDatabase() {
      return makeDatabase(started.client());
    },
    kill: no,
    restart: no,
    async stop() {
      await Promise.all(clients.map((client) => client.close()));
      await stopServer();
    },
  };
  return started;
}

async function makeDatabase(client: ClickHouseClient): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await client.command({ query: `CREATE DATABASE ${name}` });
  return name;
}
