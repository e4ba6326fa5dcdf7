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

const mebibytes = (bytes: number): number => Math.round(bytes / 2 ** 20);

/** Bytes in rising order, by minute. */
function minutesOf(samples: readonly RssSample[]): number[][] {
  const start = samples[0]?.atMs ?? 0;
  const minutes: number[][] = [];
  for (const { atMs, bytes } of samples) (minutes[Math.floor((atMs - start) / 60_000)] ??= []).push(bytes);
  return minutes.map((minute) => minute.toSorted((a, b) => a - b));
}
