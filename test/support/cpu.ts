/** What work costs this process, whatever else the machine does meanwhile. */

/** CPU milliseconds, the least of some runs: what the garbage collector takes only adds to it. */
export function leastCpuMs(work: () => unknown, runs = 3): number {
  return Math.min(...Array.from({ length: runs }, () => cpuMs(work)));
}

/** CPU milliseconds of one run: a second one may find what the first remembered. */
export function cpuMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
