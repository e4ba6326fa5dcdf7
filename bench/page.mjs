// docs/bench.md: what is measured how, and the figures that were kept. As a program it writes the page; `--check` compares instead.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parts } from './parts.mjs';
import { table } from './table.mjs';

const baselineFile = join(import.meta.dirname, 'baseline.json');
const pageFile = join(import.meta.dirname, '../docs/bench.md');

export const readBaseline = () => JSON.parse(readFileSync(baselineFile, 'utf8'));

export function writeBaseline(baseline) {
  writeFileSync(baselineFile, `${JSON.stringify(baseline, null, 2)}\n`);
  writeFileSync(pageFile, page(baseline));
}

function page(baseline) {
  const sections = Object.entries(parts).map(([name, part]) => section(name, part, baseline[name]));
  return `# Bench

\`npm run bench -- [PART…]\` measures these parts. Both sides of a ratio come from one run on one machine with the same records.
This page is written by \`--keep\` from \`bench/baseline.json\`: the figures of the last run in full size.

${sections.join('\n\n')}
`;
}

function section(name, { title, how, goals = {} }, kept) {
  const head = `## ${name}: ${title}\n\n${how}`;
  if (kept === undefined) return `${head}\n\nNot kept yet.`;
  const { date, machine, node, load, minutes, sizes, values, ratios, table: rows } = kept;
  const goal = ({ atLeast, atMost, aim } = {}) =>
    [atLeast !== undefined && `at least ${atLeast}`, atMost !== undefined && `at most ${atMost}`, aim !== undefined && `aim ${aim}`]
      .filter(Boolean)
      .join(', ');
  const judged = Object.entries(ratios).map(([ratio, value]) => ({ ratio, measured: value, goal: goal(goals[ratio]) }));
  const measured = Object.entries(values).map(([figure, value]) => ({ figure, measured: value }));
  const took = minutes === undefined ? '' : `${minutes} minutes, `;
  const where = `${date}, ${machine}, Node ${node}, load ${load}, ${took}\`${JSON.stringify(sizes)}\`.`;
  return [head, where, table(judged), table(measured), ...(rows ? [table(rows)] : [])].join('\n\n');
}

if (process.argv[1] === import.meta.filename) {
  const isCurrent = existsSync(pageFile) && readFileSync(pageFile, 'utf8') === page(readBaseline());
  if (!process.argv.includes('--check')) writeFileSync(pageFile, page(readBaseline()));
  else if (!isCurrent) {
    console.error('docs/bench.md is not what bench/ says: run node bench/page.mjs');
    process.exitCode = 1;
  }
}
