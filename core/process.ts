/** Tells whether the process that left a mark in a file still lives, and is not a later one under its id. For one machine. */
import { readFileSync } from 'node:fs';

export interface ProcessMark {
  readonly pid: number;
  /** Null where the system does not say. */
  readonly startedAt: string | null;
}

export const ownMark = (): ProcessMark => ({ pid: process.pid, startedAt: startOf(process.pid) });

export function lives({ pid, startedAt }: ProcessMark): boolean {
  const now = startOf(pid);
  if (now !== null) return startedAt === null || startedAt === now;
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux'; // there it would have a start, were it more than the rest of an ended one
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** In ticks since the machine began; null for a process that has ended, or where there is no /proc. Source: proc(5), stat. */
function startOf(pid: number): string | null {
  try {
    const [state, ...fields] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return state === 'Z' ? null : (fields[18] ?? null);
  } catch {
    return null;
  }
}
