/** Starts the engine as a child process, for the supervisor, for verbs that work without one, and for tests. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { AuditError, catalogue, type ErrorCode } from '../../core/errors.ts';
import { engineThreads } from './sessions.ts';

/** What must stand in the environment of a process before it calls `startEngineHost`. */
export function engineEnvironment(): Record<string, string> {
  return { UV_THREADPOOL_SIZE: String(engineThreads), TZ: 'UTC' };
}

export interface SpawnedEngine {
  readonly url: string;
  readonly password: string;
  readonly child: ChildProcess;
  /** Ends the engine cleanly; SIGKILL after 5 s. */
  stop(): Promise<void>;
}

export interface SpawnOptions {
  readonly dataDir: string;
  /** The compiled `local/engine/process.js`; the one beside this file when left out. */
  readonly program?: string;
  /** Kills it at once, ready or not. */
  readonly signal?: AbortSignal;
}

/** Resolves when the engine answers. @throws AuditError with the code that the child ended with. */
export async function spawnEngine({ dataDir, program, signal }: SpawnOptions): Promise<SpawnedEngine> {
  const file = program ?? fileURLToPath(new URL('process.js', import.meta.url));
  const child = spawn(process.execPath, [file, dataDir], {
    env: { ...process.env, ...engineEnvironment() },
    // The channel ends with this process, and with the channel the child: nothing is left that holds the folder.
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    ...(signal && { signal, killSignal: 'SIGKILL' }),
  });
  const { url, password } = await firstLine(child);
  return { url, password, child, stop: () => end(child) };
}

function firstLine(child: ChildProcess): Promise<{ url: string; password: string }> {
  return new Promise((ready, failed) => {
    // A child that was there has an exit as well, and holds the folder until then.
    child.on('error', (error) => child.pid === undefined && failed(error));
    child.once('exit', (code, signal) =>
      failed(new AuditError('BACKEND_UNAVAILABLE', `The engine ended with ${signal ?? code} before it was ready.`)),
    );
    if (child.stdout === null) return failed(new Error('the child was started without a pipe'));
    createInterface({ input: child.stdout }).once('line', (text) => {
      // Written by process.ts of this folder, which writes one of these two.
      const line = JSON.parse(text) as
        { event: 'ready'; url: string; password: string } | { event: 'failed'; code: string; message: string };
      if (line.event === 'ready') ready(line);
      else failed(new AuditError(isErrorCode(line.code) ? line.code : 'INTERNAL', line.message));
    });
  });
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(catalogue, code);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const kill = setTimeout(() => child.kill('SIGKILL'), 5000);
  child.kill('SIGTERM');
  await exited;
  clearTimeout(kill);
}
