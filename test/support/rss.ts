/** Resident memory of a process, over time. */
import { readFileSync } from 'node:fs';

export interface RssSample {
  readonly atMs: number;
  readonly bytes: number;
}

/** Linux only. Samples every second until it is stopped or the process has ended. */
export function watchRss(pid: number): { readonly samples: readonly RssSample[]; stop(): void } {
  const samples: RssSample[] = [];
  const timer = setInterval(() => {
    try {
      const [kib] = /(?<=VmRSS:\s*)\d+/.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
      if (kib !== undefined) samples.push({ atMs: performance.now(), bytes: Number(kib) * 1024 });
    } catch {
      clearInterval(timer); // it has ended
    }
  }, 1_000);
  return { samples, stop: () => clearInterval(timer) };
}

/** Least squares over what comes after the first quarter: growth in ten minutes, as a share of the mean. */
export function rssSlope(samples: readonly RssSample[]): { readonly meanMiB: number; readonly perTenMinutes: number } {
  const steady = samples.slice(Math.floor(samples.length / 4));
  const mean = (of: (sample: RssSample) => number) => steady.reduce((sum, sample) => sum + of(sample), 0) / steady.length;
  const [meanAt, meanBytes] = [mean(({ atMs }) => atMs), mean(({ bytes }) => bytes)];
  const covariance = mean(({ atMs, bytes }) => (atMs - meanAt) * (bytes - meanBytes));
  const variance = mean(({ atMs }) => (atMs - meanAt) ** 2);
  return { meanMiB: Math.round(meanBytes / 2 ** 20), perTenMinutes: ((covariance / variance) * 600_000) / meanBytes };
}
