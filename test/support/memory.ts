/** How much memory a process holds, as Linux counts it. */
import { readFileSync } from 'node:fs';

/** Resident bytes of a process now. */
export function rssOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} tells no resident memory`);
  return Number(kilobytes) * 1024;
}

/** Looks a few times a second until `stop` or the end of the process; `stop` gives the most that was seen. */
export function watchRss(pid: number): { readonly most: () => number; stop(): number } {
  let most = rssOf(pid);
  const look = () => {
    try {
      most = Math.max(most, rssOf(pid));
    } catch {
      clearInterval(timer);
    }
  };
  const timer = setInterval(look, 200);
  return {
    most: () => most,
    stop() {
      clearInterval(timer);
      return most;
    },
  };
}

export const mebibytes = (bytes: number): number => Math.round(bytes / (1024 * 1024));
