/** What keeps a role from being ready beside its own start: the log, the disk, and under `start` the other roles. Texts are `CODE: message`. */
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { sleep } from '../core/clock.ts';
import { AuditError, messageOf } from '../core/errors.ts';
import type { Log } from '../ingest/log.ts';
import type { Config } from './settings.ts';

export const told = (error: unknown): string => (error instanceof AuditError ? `${error.code}: ${error.message}` : messageOf(error));

/** Asks now and then, and remembers the answer: a probe of readiness must not wait for a server that is away. */
export function watchProblem(ask: () => Promise<unknown>, signal: AbortSignal, everyMs = 5_000): () => string[] {
  let problem: string[] = [];
  const look = async () => {
    while (!signal.aborted) {
      problem = await ask().then(
        () => [],
        (error: unknown) => [told(error)],
      );
      await sleep(everyMs, signal);
    }
  };
  void look();
  return () => problem;
}

/** Whether the log answers and has each topic. */
export const watchLog = (log: Log, topics: readonly string[], signal: AbortSignal) => watchProblem(() => log.bounds(topics), signal);

/** The largest message, which must always find room. */
const roomBytes = 16 * 1024 * 1024;

/** The journal grows with what is posted; it is told before it takes nothing any more. */
export function fullDisk({ kafka, dataDir }: Config): string[] {
  if (kafka.brokers.length > 0) return [];
  const folder = resolve(dataDir, 'journal');
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= roomBytes) return [];
  return [`DISK_FULL: ${bavail * bsize} bytes are free under the journal in ${folder}, at least ${roomBytes} are needed. Free space there`];
}

interface Note {
  readonly roles: Readonly<Record<string, string>>;
}

/** Under `start` one port answers for all. */
export async function othersNotReady(dataDir: string): Promise<string[]> {
  const file = join(dataDir, 'service.json');
  if (process.env['SUPERVISED'] === undefined || !existsSync(file)) return [];
  const { roles } = JSON.parse(readFileSync(file, 'utf8')) as Note; // the supervisor's own
  const reasons = await Promise.all(Object.entries(roles).map(([role, url]) => reasonsOf(role, url)));
  return reasons.flat();
}

/** Why the role at `url` is not ready; empty when it is. */
export async function reasonsOf(role: string, url: string): Promise<readonly string[]> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
    return response.ok ? [] : ((await response.json()) as { reasons: string[] }).reasons;
  } catch (error) {
    return [`NOT_READY: the role ${role} does not answer: ${messageOf(error)}`];
  }
}
