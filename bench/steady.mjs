// The steady state: from the first rows that can be seen to the last, with the CPU seconds of each process meanwhile.
import { readdirSync, readFileSync } from 'node:fs';

const lookEveryMs = 200;

/**
 * `rows()` counts what can be seen, `pids` names the processes that count. Gives the rows of the steady state, its seconds,
 * and CPU seconds by name; joining the group and the first flush stand outside. What was read before the first flush and is
 * seen after it flatters whoever flushes seldom, so `wholeCpu` counts from the call on, for all records.
 */
export async function steadyState({ rows, pids, records, timeoutMs = 600_000 }) {
  const deadline = Date.now() + timeoutMs;
  const before = mapValues(pids, (list) => sum(list.map(cpuOf)));
  const sample = async (isThere) => {
    for (;;) {
      const seen = await rows();
      if (isThere(seen)) return { rows: seen, at: performance.now(), cpu: mapValues(pids, (list) => sum(list.map(cpuOf))) };
      if (Date.now() > deadline) throw new Error(`not stored in time: ${seen} of ${records} rows are there`);
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    }
  };
  const first = await sample((seen) => seen > 0);
  const last = await sample((seen) => seen >= records);
  if (last.rows !== records) throw new Error(`${records} records were produced, ${last.rows} rows are there`);
  if (first.rows === last.rows) throw new Error('all rows came at once: too few records to measure');
  return {
    rows: last.rows - first.rows,
    seconds: (last.at - first.at) / 1000,
    cpu: mapValues(last.cpu, (value, name) => value - first.cpu[name]),
    wholeCpu: sum(Object.entries(last.cpu).map(([name, value]) => value - before[name])) / records,
  };
}

/** Records per second, and CPU seconds per million records by process. */
export function rates({ rows, seconds, cpu, wholeCpu }) {
  const perMillion = mapValues(cpu, (value) => (value / rows) * 1e6);
  return {
    recordsPerSecond: rows / seconds,
    cpuPerMillion: sum(Object.values(perMillion)),
    cpu: perMillion,
    wholeCpuPerMillion: wholeCpu * 1e6,
  };
}

/** CPU seconds so far of a process and of those that it started: the engine is hosted by a child. */
export function cpuOf(pid) {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const stats = new Map(all.flatMap((name) => statOf(Number(name))));
  const belongs = (each) => each === pid || (stats.has(each) && belongs(stats.get(each).parent));
  return sum([...stats].filter(([each]) => belongs(each)).map(([, { seconds }]) => seconds));
}

/** Nothing for a process that has ended meanwhile. Ticks are hundredths of a second. */
function statOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [[pid, { parent: Number(fields[1]), seconds: (Number(fields[11]) + Number(fields[12])) / 100 }]];
  } catch {
    return [];
  }
}

export const sum = (values) => values.reduce((total, value) => total + value, 0);

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.floor(sorted.length / 2)]) / 2;
}

const mapValues = (from, to) => Object.fromEntries(Object.entries(from).map(([name, value]) => [name, to(value, name)]));
