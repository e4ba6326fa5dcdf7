// `npm run campaign -- PART [SIZE=N…]`: the full form of one part, its result appended to docs/campaign.md. A size that is
// named is taken in place of the full one, and stands in the result. Without PART: the list.
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const maxMinutes = 30;
const parts = new Map(
  ['integration', 'faults'].flatMap((project) =>
    readdirSync(join(root, 'test', project), { recursive: true })
      .filter((file) => file.endsWith('.test.ts'))
      .flatMap((file) => partsOf(join('test', project, file)).map((part) => [part, { project, file: join('test', project, file) }])),
  ),
);

const [part, ...sizes] = process.argv.slice(2);
const found = parts.get(part);
if (!found) {
  console.error(`usage: npm run campaign -- PART [SIZE=N…], with PART one of ${[...parts.keys()].join(', ')}`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-campaign-'));
const report = join(folder, 'report.jsonl');
const startedAt = new Date();
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root }).toString().trim();
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--project', found.project, found.file, '--testTimeout', String(maxMinutes * 60_000)],
  {
    cwd: root,
    stdio: 'inherit',
    timeout: maxMinutes * 60_000,
    env: { ...process.env, CAMPAIGN_PART: part, CAMPAIGN_SIZES: sizes.join(' '), CAMPAIGN_REPORT: report },
  },
);
const lines = existsSync(report) ? readFileSync(report, 'utf8').trim().split('\n') : ['no result was reported'];
const minutes = ((Date.now() - startedAt.getTime()) / 60_000).toFixed(1);
appendFileSync(
  join(root, 'docs/campaign.md'),
  `\n## ${[part, ...sizes].join(' ')}: ${status === 0 ? 'passed' : 'FAILED'}\n\n${startedAt.toISOString()}, commit ${commit}, ${minutes} minutes.\n\n\`\`\`json\n${lines.join('\n')}\n\`\`\`\n`,
);
rmSync(folder, { recursive: true });
process.exit(status ?? 1);

/** A part is what a test file passes as first argument to `campaign(`. */
function partsOf(file) {
  return [...readFileSync(join(root, file), 'utf8').matchAll(/\bcampaign\(\s*'([a-z-]+)'/g)].map(([, name]) => name);
}
