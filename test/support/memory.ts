/** How much memory a process holds, as Linux counts it, now and over time. */
import { readFileSync } from 'node:fs';

/** Resident bytes of a process now. */
export function rssOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} tells no resident memory`);
  return Number(kilobytes) * 1024;
}

export interface RssSample {
  readonly atMs: number;
  readonly bytes: number;
}

/** Looks a few times a second until `stop` or the end of the process; `stop` gives the most that was seen. */
export function watchRss(pid: number): { readonly samples: readonly RssSample[]; readonly most: () => number; stop(): number } {
  const samples: RssSample[] = [];
  const look = () => samples.push({ atMs: performance.now(), bytes: rssOf(pid) });
  const most = () => samples.reduce((highest, { bytes }) => Math.max(highest, bytes), 0);
  look();
  const timer = setInterval(() => {
    try {
      look();
    } catch {
      clearInterval(timer); // it has ended
    }
  }, 200);
  return {
    samples,
    most,
    stop() {
      clearInterval(timer);
      return most();
    },
  };
}

export const mebibytes = (bytes: number): number => Math.round(bytes / (1024 * 1024));

export interface RssSlope {
  readonly meanMiB: number;
  /** Growth in ten minutes, as a share of the mean. */
  readonly perTenMinutes: number;
  /** The same of the lowest of each window: a leak lifts the floor, buffers that fill with the load do not. It judges nothing. */
  readonly floorPerTenMinutes: number;
  /** The lowest of each window, the first quarter too: a line through noise says little without what it goes through. */
  readonly lowestMiB: readonly number[];
}

/** Long enough that what is buffered has mostly been written once in it. */
const windowMs = 120_000;

export function rssSlope(samples: readonly RssSample[]): RssSlope {
  const lowest = lowestOf(samples);
  return {
    ...lineThrough(samples),
    floorPerTenMinutes: lineThrough(lowest).perTenMinutes,
    lowestMiB: lowest.map(({ bytes }) => mebibytes(bytes)),
  };
}

/** Least squares over what comes after the first quarter. */
function lineThrough(samples: readonly RssSample[]): Pick<RssSlope, 'meanMiB' | 'perTenMinutes'> {
  const steady = samples.slice(Math.floor(samples.length / 4));
  const mean = (of: (sample: RssSample) => number) => steady.reduce((sum, sample) => sum + of(sample), 0) / steady.length;
  const [meanAt, meanBytes] = [mean(({ atMs }) => atMs), mean(({ bytes }) => bytes)];
  const covariance = mean(({ atMs, bytes }) => (atMs - meanAt) * (bytes - meanBytes));
  const variance = mean(({ atMs }) => (atMs - meanAt) ** 2);
  return { meanMiB: mebibytes(meanBytes), perTenMinutes: ((covariance / variance) * 600_000) / meanBytes };
}

function lowestOf(samples: readonly RssSample[]): RssSample[] {
  const start = samples[0]?.atMs ?? 0;
  const lowest: RssSample[] = [];
  for (const sample of samples) {
    const at = Math.floor((sample.atMs - start) / windowMs);
    const before = lowest[at];
    if (before === undefined || sample.bytes < before.bytes) lowest[at] = sample;
  }
  return lowest;
}
