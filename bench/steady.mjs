// The steady state: from the first rows that can be seen to the last, with the CPU seconds of each process meanwhile.
import { readdirSync, readFileSync } from 'node:fs';

/**
 * `rows()` counts what can be seen, `pids` names the processes that count. Gives the rows of the steady state, its seconds,
 * and CPU seconds by name; joining the group and the first flush stand outside. What was read before the first flush and is
 * seen after it flatters whoever flushes seldom, so `wholeCpu` counts from the call on, for all records.
 */
export async function steadyState({ rows, pids, records, lookEveryMs = 200, timeoutMs = 1_200_000 }) {
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
export const cpuOf = (pid) => sum(family(pid).map((each) => statOf(`/proc/${each}`)?.seconds ?? 0));

/** The same by the names of threads, which in the engine tell what they do; threads that have ended are left out. */
export function cpuByThread(pid) {
  const byName = {};
  for (const each of family(pid)) {
    for (const thread of numbered(`/proc/${each}/task`)) {
      const { name, seconds } = statOf(`/proc/${each}/task/${thread}`) ?? { name: '', seconds: 0 };
      byName[name] = (byName[name] ?? 0) + seconds;
    }
  }
  return byName;
}

/** CPU seconds so far of the engine's merges and mutations. */
export const mergesOf = (pid) => cpuByThread(pid).MergeMutate ?? 0;

function family(pid) {
  const children = numbered(`/proc/${pid}/task`).flatMap((thread) => textOf(`/proc/${pid}/task/${thread}/children`).trim().split(' '));
  return [pid, ...children.filter((each) => each !== '').flatMap((each) => family(Number(each)))];
}

function numbered(folder) {
  try {
    return readdirSync(folder).map(Number);
  } catch {
    return []; // ended meanwhile
  }
}

function textOf(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Nothing for what has ended meanwhile. Ticks are hundredths of a second. */
function statOf(folder) {
  const stat = textOf(`${folder}/stat`);
  const [start, end] = [stat.indexOf('('), stat.lastIndexOf(')')];
  const fields = stat.slice(end + 2).split(' ');
  if (end < 0) return undefined;
  return { name: stat.slice(start + 1, end), seconds: (Number(fields[11]) + Number(fields[12])) / 100 };
}

export const sum = (values) => values.reduce((total, value) => total + value, 0);

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.floor(sorted.length / 2)]) / 2;
}

const mapValues = (from, to) => Object.fromEntries(Object.entries(from).map(([name, value]) => [name, to(value, name)]));
