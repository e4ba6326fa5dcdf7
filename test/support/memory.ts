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
  /** Median of each minute, the first quarter too: a line through noise says little without what it goes through. */
  readonly minutesMiB: readonly number[];
}

/** Least squares over what comes after the first quarter. */
export function rssSlope(samples: readonly RssSample[]): RssSlope {
  const steady = samples.slice(Math.floor(samples.length / 4));
  const mean = (of: (sample: RssSample) => number) => steady.reduce((sum, sample) => sum + of(sample), 0) / steady.length;
  const [meanAt, meanBytes] = [mean(({ atMs }) => atMs), mean(({ bytes }) => bytes)];
  const covariance = mean(({ atMs, bytes }) => (atMs - meanAt) * (bytes - meanBytes));
  const variance = mean(({ atMs }) => (atMs - meanAt) ** 2);
  return {
    meanMiB: mebibytes(meanBytes),
    perTenMinutes: ((covariance / variance) * 600_000) / meanBytes,
    minutesMiB: minutesOf(samples).map((minute) => mebibytes(minute[minute.length >> 1] ?? 0)),
  };
}

/** Bytes in rising order, by minute. */
function minutesOf(samples: readonly RssSample[]): number[][] {
  const start = samples[0]?.atMs ?? 0;
  const minutes: number[][] = [];
  for (const { atMs, bytes } of samples) (minutes[Math.floor((atMs - start) / 60_000)] ??= []).push(bytes);
  return minutes.map((minute) => minute.toSorted((a, b) => a - b));
}
