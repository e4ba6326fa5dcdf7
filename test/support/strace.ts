/** System calls of the engine, through strace: which ones a piece of work makes, and a fault at one of them. Linux alone. */
import { spawn, spawnSync } from 'node:child_process';
import { isAlive } from './alive.ts';

/** The n-th call of a kind on a path. Path null: the n-th of the first thread, on whatever; it is the one that answers. */
export interface Point {
  readonly call: string;
  readonly path: string | null;
  readonly nth: number;
}

/** As strace writes it: `signal=SIGKILL`, `error=EIO`, `delay_enter=500000` (microseconds). */
export type Fault = `signal=${string}` | `error=${string}` | `delay_enter=${number}`;

export const hasStrace = (): boolean => spawnSync('strace', ['--version']).status === 0;

const calls = 'mkdir,openat,write,pwrite64,writev,fsync,fdatasync,rename,renameat2,unlink,rmdir';

/** Calls of a process on files below a folder, in their order, and writes of its first thread to sockets. */
export async function recordCalls(pid: number, folder: string, work: () => Promise<void>): Promise<Point[]> {
  const tracing = await attach(pid, ['-f', '-y', '-s', '0', '-e', `trace=${calls}`]);
  await work();
  const lines = await tracing.detach();
  const below = new RegExp(`(\\w+)\\(.*?["<](${folder}/[^">]*)[">]`);
  const counts = new Map<string, number>();
  return lines.flatMap((line) => {
    const [, call, path] = below.exec(line) ?? [];
    if (call !== undefined && path !== undefined) return [numbered(counts, call, path)];
    const [, answer, to] = new RegExp(`\\[pid +${pid}\\] (writev?)\\(\\d+<([^>]*)`).exec(line) ?? [];
    if (answer === undefined) return [];
    const point = numbered(counts, answer, null); // every write of the thread counts, those on sockets are points
    return to?.startsWith('socket:') === true ? [point] : [];
  });
}

function numbered(counts: Map<string, number>, call: string, path: string | null): Point {
  const nth = (counts.get(`${call} ${path}`) ?? 0) + 1;
  counts.set(`${call} ${path}`, nth);
  return { call, path, nth };
}

export interface Injection {
  /** Whether the fault has struck. */
  readonly hasStruck: boolean;
  detach(): Promise<void>;
}

/** Strikes at the call on one of the paths (empty: on any; null: see above), then lets the process go, unless it is dead. */
export async function inject(
  pid: number,
  call: Omit<Point, 'path'> & { readonly paths: readonly string[] | null },
  fault: Fault,
): Promise<Injection> {
  let hasStruck = false;
  const where = call.paths === null ? [] : ['-f', ...call.paths.flatMap((path) => ['-P', path])];
  const what = ['-e', `trace=${call.call}`, '-e', `inject=${call.call}:${fault}:when=${call.nth}`];
  const tracing = await attach(pid, [...where, ...what], (line) => {
    if (!/\((INJECTED|DELAYED)/.test(line)) return;
    hasStruck = true;
    tracing.interrupt();
  });
  void tracing.endedByItself.then(() => (hasStruck = true)); // with the process that it was attached to
  return {
    get hasStruck() {
      return hasStruck;
    },
    async detach() {
      await tracing.detach();
    },
  };
}

interface Tracing {
  /** Stays open when it was told to end. */
  readonly endedByItself: Promise<void>;
  interrupt(): void;
  /** What was written, once the process runs alone again. */
  detach(): Promise<string[]>;
}

async function attach(pid: number, args: readonly string[], onLine: (line: string) => void = () => {}): Promise<Tracing> {
  const strace = spawn('strace', ['-p', String(pid), '-e', 'signal=none', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => strace.once('exit', () => resolve()));
  const lines: string[] = [];
  let rest = '';
  await new Promise<void>((resolve, reject) => {
    strace.once('error', reject);
    void ended.then(() => reject(new Error(`strace ended before it was attached: ${lines.join('\n')}${rest}`)));
    strace.stderr.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      for (const line of parts) {
        lines.push(line);
        if (/Process \d+ attached/.test(line)) resolve();
        onLine(line);
      }
    });
  });
  // A thread that began as its process was killed is waited for by nobody, and so is the process: until strace is gone.
  const burying = setInterval(() => !isAlive(pid) && strace.kill('SIGKILL'), 1_000);
  void ended.then(() => clearInterval(burying));
  let isInterrupted = false;
  const interrupt = () => {
    isInterrupted = true;
    strace.kill('SIGINT');
  };
  return {
    endedByItself: new Promise((resolve) => void ended.then(() => isInterrupted || resolve())),
    interrupt,
    async detach() {
      interrupt();
      await ended;
      return lines;
    },
  };
}
