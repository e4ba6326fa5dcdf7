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
  /** Of the lowest samples that the slope is taken from. */
  readonly meanMiB: number;
  /** Growth in ten minutes, as a share of that mean. */
  readonly perTenMinutes: number;
  /** The lowest of each window, the first quarter too: a line through noise says little without what it goes through. */
  readonly lowestMiB: readonly number[];
}

/** Long enough that what is buffered has been written once in it. */
const windowMs = 120_000;

/**
 * Least squares through the least that was held in each two minutes, after the first quarter. Buffers fill and empty with the
 * load, by more than what is looked for; what is never given back lifts the floor.
 */
export function rssSlope(samples: readonly RssSample[]): RssSlope {
  const lowest = lowestOf(samples);
  const steady = lowest.slice(Math.floor(lowest.length / 4));
  const mean = (of: (sample: RssSample) => number) => steady.reduce((sum, sample) => sum + of(sample), 0) / steady.length;
  const [meanAt, meanBytes] = [mean(({ atMs }) => atMs), mean(({ bytes }) => bytes)];
  const covariance = mean(({ atMs, bytes }) => (atMs - meanAt) * (bytes - meanBytes));
  const variance = mean(({ atMs }) => (atMs - meanAt) ** 2);
  return {
    meanMiB: mebibytes(meanBytes),
    perTenMinutes: variance === 0 ? 0 : ((covariance / variance) * 600_000) / meanBytes,
    lowestMiB: lowest.map(({ bytes }) => mebibytes(bytes)),
  };
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
