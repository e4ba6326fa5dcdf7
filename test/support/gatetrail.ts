/** Starts the product as a user does: `node dist/main.js VERB`, and talks to it over HTTP. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SqlServer } from './sql.ts';

const main = join(import.meta.dirname, '../../dist/main.js');

export interface Running {
  readonly pid: number;
  /** The ready line. */
  readonly ready: { readonly url: string; readonly token?: string; readonly adminUrl?: string; readonly role: string };
  /** Everything printed on stderr so far. */
  log(): string;
  /** JSON lines of stdout so far. */
  lines(): Record<string, unknown>[];
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  kill(signal?: NodeJS.Signals): Promise<void>;
  readonly exited: Promise<number | null>;
}

export interface StartOptions {
  readonly dataDir: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly readyWithinMs?: number;
  /** SIGKILL, ready or not. */
  readonly signal?: AbortSignal;
}

/** Environment without anything that would point a test at somebody else's server. */
export function cleanEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(GATETRAIL_|KAFKA_BROKERS|CLICKHOUSE_URL|NODE_OPTIONS|VITEST)/.test(name));
  return { ...Object.fromEntries(kept), ...extra };
}

/** What a role of ingest reads from and writes to; without a server the engine of its own folder. */
export function ingestEnvironment(place: {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly database: string;
  readonly server?: SqlServer;
}): Record<string, string> {
  const { brokers, topic, database, server } = place;
  return {
    GATETRAIL_SECRET: 'a secret of the tests, long enough to pass',
    GATETRAIL_KAFKA_BROKERS: brokers.join(','),
    GATETRAIL_KAFKA_TOPICS: topic,
    GATETRAIL_INTAKE_TOPIC: topic,
    GATETRAIL_CLICKHOUSE_DATABASE: database,
    ...(server && {
      GATETRAIL_CLICKHOUSE_URL: server.url,
      GATETRAIL_CLICKHOUSE_USER: server.user,
      GATETRAIL_CLICKHOUSE_PASSWORD: server.password,
    }),
  };
}

/** The embedded engine of a data folder, under one of its users. */
export function engineOf(dataDir: string, user: string): SqlServer {
  const { url, password } = JSON.parse(readFileSync(join(dataDir, 'engine.json'), 'utf8')) as { url: string; password: string };
  return { url, user, password };
}

/** Resolves when the ready line is there; rejects with what was printed when the process ends before. */
export async function startGatetrail(args: readonly string[], options: StartOptions): Promise<Running> {
  const child = spawn(process.execPath, [main, ...args, '--json', '--data', options.dataDir], {
    env: cleanEnvironment({ GATETRAIL_PORT: '0', ...options.env }),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.signal && { signal: options.signal, killSignal: 'SIGKILL' }),
  });
  child.on('error', () => {}); // the signal was used: the exit tells
  let out = '';
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const lines = () =>
    out
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const isReady = () => lines().find((line) => line['event'] === 'ready');
  const deadline = Date.now() + (options.readyWithinMs ?? 60_000);
  while (!isReady()) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`gatetrail ${args.join(' ')} was not ready: exit ${child.exitCode ?? child.signalCode}\n${out}\n${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    pid: child.pid ?? -1,
    ready: isReady() as unknown as Running['ready'], // the shape is what cli.md promises, and the tests assert on it
    log: () => log,
    lines,
    exited,
    async stop() {
      child.kill('SIGTERM');
      return exited;
    },
    async kill(signal = 'SIGKILL') {
      child.kill(signal);
      await exited;
    },
  };
}

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly log: string;
}

/** Runs a verb to its end. */
export async function runGatetrail(args: readonly string[], options: StartOptions & { readonly input?: string | Buffer }): Promise<Ran> {
  const child = spawn(process.execPath, [main, ...args, '--data', options.dataDir], { env: cleanEnvironment(options.env) });
  let out = '';
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  child.stdin.end(options.input);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out, log };
}

export interface Answer<Shape> {
  readonly data: Shape;
  readonly errors?: readonly { readonly message: string; readonly extensions?: Readonly<Record<string, unknown>> }[];
}

export async function graphql<Shape>(
  service: { readonly url: string; readonly token: string },
  query: string,
  variables: object = {},
): Promise<Answer<Shape>> {
  const response = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${service.token}` },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as Answer<Shape>;
}

/** Asks until `done` holds for the answer; rejects with the last answer when it takes longer. */
export async function until<Value>(ask: () => Promise<Value>, done: (value: Value) => boolean, withinMs: number): Promise<Value> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await ask();
    if (done(value)) return value;
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms, the last answer was ${JSON.stringify(value)?.slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
