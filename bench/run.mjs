// Measures the product on this machine and prints the figures:
// `npm run bench -- [PART…] [--quick] [--SIZE NUMBER…] [--compare | --keep]`, all parts by default. Runs on dist/.
// --keep writes what was measured in full size into bench/baseline.json and docs/bench.md; --compare prints each figure beside
// the kept one and ends with 3 where a ratio is worse than 1.3 times that. Times of a shared machine swing; ratios of one run
// hold much better.
import { cpus, loadavg, release } from 'node:os';
import { parseArgs } from 'node:util';
import { compare } from './compare.mjs';
import { readBaseline, writeBaseline } from './page.mjs';
import { parts } from './parts.mjs';
import { round, table } from './table.mjs';

const sizeNames = [...new Set(Object.values(parts).flatMap(({ sizes }) => Object.keys(sizes.full)))];
const { positionals: wanted, values: flags } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean' },
    compare: { type: 'boolean' },
    keep: { type: 'boolean' },
    ...Object.fromEntries(sizeNames.map((name) => [name, { type: 'string' }])),
  },
});
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0) {
  console.error(`there is no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
  process.exit(2);
}

const print = (line) => process.stdout.write(`${line}\n`);
const baseline = readBaseline();
for (const name of wanted.length === 0 ? Object.keys(parts) : wanted) {
  const run = await measure(name, parts[name]);
  report(run, parts[name]);
  if (flags.compare && baseline[name]) {
    if (compare(run, baseline[name], { goals: parts[name].goals, print }).length > 0) process.exitCode = 3;
  }
  if (flags.keep && isFull(run, parts[name])) keep(name, run);
}

async function measure(name, { title, sizes, measure: measurePart }) {
  const given = Object.entries(flags).filter(([flag]) => flag in sizes.full);
  const chosen = { ...(flags.quick ? sizes.quick : sizes.full), ...Object.fromEntries(given.map(([flag, text]) => [flag, Number(text)])) };
  print(`\n${name}: ${title}, ${JSON.stringify(chosen)}`);
  const startedAt = performance.now();
  const figures = await measurePart(chosen, print);
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} x ${cpus()[0]?.model}, ${release()}`,
    node: process.version,
    // Of the last 15 minutes: how much else the machine did.
    load: round(loadavg()[2]),
    minutes: round((performance.now() - startedAt) / 60_000),
    sizes: chosen,
    ...figures,
  };
}

function report(run, { goals = {} }) {
  print(`${run.machine}, Node ${run.node}, load ${run.load}, ${run.minutes} minutes`);
  if (run.table) print(table(run.table));
  const goalOf = ({ atLeast, atMost } = {}) => (atLeast === undefined ? (atMost === undefined ? '' : `<= ${atMost}`) : `>= ${atLeast}`);
  const lines = Object.entries({ ...run.values, ...run.ratios });
  print(table(lines.map(([figure, value]) => ({ figure, measured: round(value), goal: goalOf(goals[figure]) }))));
}

function isFull({ sizes }, part) {
  const full = JSON.stringify(sizes) === JSON.stringify(part.sizes.full);
  if (!full) print('not kept: the sizes are not the full ones');
  return full;
}

function keep(name, { values, ratios, table: rows, ...rest }) {
  const rounded = (figures = {}) => Object.fromEntries(Object.entries(figures).map(([figure, value]) => [figure, round(value)]));
  baseline[name] = { ...rest, values: rounded(values), ratios: rounded(ratios), ...(rows && { table: rows.map(rounded) }) };
  writeBaseline(baseline);
}
