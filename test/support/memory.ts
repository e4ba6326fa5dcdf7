/** How much memory a process holds, as Linux counts it, now and over time. */
import { readFileSync } from 'node:fs';
import { grouped } from '../../core/grouped.ts';

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

export interface Slope {
  readonly meanMiB: number;
  /** Growth in ten minutes, as a share of the mean. */
  readonly perTenMinutes: number;
  /** Its standard error, from how the samples lie about the line. */
  readonly error: number;
}

/** Least squares over what comes after the first quarter. */
export function slopeOf(samples: readonly RssSample[]): Slope {
  const steady = samples.slice(Math.floor(samples.length / 4));
  const mean = meanOf(steady);
  const [meanAt, meanBytes] = [mean(({ atMs }) => atMs), mean(({ bytes }) => bytes)];
  const variance = mean(({ atMs }) => (atMs - meanAt) ** 2);
  const slope = mean(({ atMs, bytes }) => (atMs - meanAt) * (bytes - meanBytes)) / variance;
  const scatter = mean(({ atMs, bytes }) => (bytes - meanBytes - slope * (atMs - meanAt)) ** 2);
  const error = Math.sqrt(scatter / variance / (steady.length - 2));
  return { meanMiB: mebibytes(meanBytes), perTenMinutes: (slope * 600_000) / meanBytes, error: (error * 600_000) / meanBytes };
}

/** Samples that follow each other closely are no news: the error is that of the minutes. */
export function rssSlope(samples: readonly RssSample[]): Slope & { readonly minutesMiB: readonly number[] } {
  const minutes = byMinute(samples);
  return { ...slopeOf(samples), error: slopeOf(minutes).error, minutesMiB: minutes.map(({ bytes }) => mebibytes(bytes)) };
}

function byMinute(samples: readonly RssSample[]): RssSample[] {
  const minutes = grouped(samples, ({ atMs }) => Math.floor((atMs - (samples[0]?.atMs ?? 0)) / 60_000));
  return [...minutes.values()].map(meanOf).map((mean) => ({ atMs: mean(({ atMs }) => atMs), bytes: mean(({ bytes }) => bytes) }));
}

const meanOf = (samples: readonly RssSample[]) => (of: (sample: RssSample) => number) =>
  samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
