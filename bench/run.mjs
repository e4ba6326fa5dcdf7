// Measures the product on this machine and prints the figures: `npm run bench -- [--quick] [--compare | --keep]`.
// Runs on dist/. --keep writes bench/baseline.json (not with --quick); --compare prints each figure beside it and ends with 3 where a ratio
// is worse than 1.3 times the baseline. Times of a shared machine swing; ratios of one run hold much better.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { compare } from './compare.mjs';
import { measureFreshness } from './freshness.mjs';
import { measureFullPath } from './full-path.mjs';
import { measureInsert } from './insert.mjs';
import { measureParse } from './parse.mjs';
import { startPlace } from './place.mjs';
import { measureReads } from './reads.mjs';

const baselineFile = join(import.meta.dirname, 'baseline.json');
const has = (flag) => process.argv.includes(flag);
const sizes = has('--quick')
  ? { records: 120_000, events: 100_000, rounds: 10, inserts: 3, freshSeconds: 15 }
  : { records: 200_000, events: 1_000_000, rounds: 50, inserts: 10, freshSeconds: 60 };
const print = (line) => process.stdout.write(`${line}\n`);

const place = await startPlace();
let figures;
try {
  const before = measureParse(sizes);
  const insert = await measureInsert(place, sizes);
  const fullPath = await measureFullPath(place, sizes);
  const load = { recordsPerSecond: fullPath.recordsPerSecond / 2, seconds: sizes.freshSeconds };
  const freshness = await measureFreshness(place, load);
  const reads = await measureReads(place, sizes);
  const parse = middle(before, measureParse(sizes)); // before and after: the machine may have become busier
  figures = summary({ parse, insert, fullPath, freshness, reads });
} finally {
  await place.stop();
}

function middle(one, other) {
  return { cpuPerMillion: (one.cpuPerMillion + other.cpuPerMillion) / 2, bytesPerRecord: one.bytesPerRecord };
}

/** `values` are of this machine and moment; of `ratios` smaller is better, and both sides come from this run. */
function summary({ parse, insert, fullPath, freshness, reads }) {
  const values = {
    'bytes per record': parse.bytesPerRecord,
    'JSON.parse alone, CPU s per million': parse.cpuPerMillion,
    'full path, records per second': fullPath.recordsPerSecond,
    'full path, CPU s per million': fullPath.cpuPerMillion,
    'full path, CPU s per million, ingest': fullPath.ingestCpuPerMillion,
    'full path, CPU s per million, engine': fullPath.engineCpuPerMillion,
    'JSON.parse, share of the CPU of ingest': parse.cpuPerMillion / fullPath.ingestCpuPerMillion,
    'insert, rows per second': insert.rowsPerSecond,
    'insert, engine CPU s per million': insert.engineCpuPerMillion,
    'freshness at half load, p50 s': freshness.p50,
    'freshness at half load, p95 s': freshness.p95,
    'page of 100 events, p50 ms': reads.page.p50,
    'page of 100 events, p95 ms': reads.page.p95,
    'page of 100 events as plain SQL, p50 ms': reads.plainPage.p50,
    'series of 24 hours, p50 ms': reads.series.p50,
    'series of 24 hours, p95 ms': reads.series.p95,
    'series of 24 hours as plain SQL, p50 ms': reads.plainSeries.p50,
  };
  const ratios = {
    // A batch closes after a second at most: at most 1.
    'freshness p95 / (flush interval + 0.5 s)': freshness.p95 / 1.5,
    'full path CPU / JSON.parse CPU': fullPath.cpuPerMillion / parse.cpuPerMillion,
    'ingest CPU / JSON.parse CPU': fullPath.ingestCpuPerMillion / parse.cpuPerMillion,
    'insert CPU of the engine / JSON.parse CPU': insert.engineCpuPerMillion / parse.cpuPerMillion,
    'page p50 / plain SQL p50': reads.page.p50 / reads.plainPage.p50,
    'series p50 / plain SQL p50': reads.series.p50 / reads.plainSeries.p50,
    // The goals of a read: at most 1.
    'page p50 / (1.3 x plain SQL p50 + 3 ms)': reads.page.p50 / (1.3 * reads.plainPage.p50 + 3),
    'series p50 / (1.3 x plain SQL p50 + 3 ms)': reads.series.p50 / (1.3 * reads.plainSeries.p50 + 3),
  };
  return { values, ratios };
}

const run = {
  date: new Date().toISOString().slice(0, 10),
  machine: `${cpus().length} x ${cpus()[0]?.model}, ${release()}`,
  node: process.version,
  // Of the last 15 minutes: how much else the machine did.
  load: loadavg()[2],
  sizes,
  ...figures,
};
print(`${run.machine}, Node ${run.node}, load ${run.load}, ${JSON.stringify(sizes)}`);
if (has('--compare')) {
  const baseline = JSON.parse(readFileSync(baselineFile, 'utf8'));
  const worse = compare(run, baseline, print);
  if (worse.length > 0) process.exitCode = 3;
} else for (const [name, value] of Object.entries({ ...figures.values, ...figures.ratios })) print(`${name.padEnd(45)} ${round(value)}`);
if (has('--keep') && !has('--quick')) writeFileSync(baselineFile, `${JSON.stringify(rounded(run), null, 2)}\n`);

function round(value) {
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}

function rounded({ values, ratios, ...rest }) {
  const all = (figures) => Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, round(value)]));
  return { ...rest, values: all(values), ratios: all(ratios) };
}
