// docs/gateways/: a page per gateway and the table of all. What stands on a page from `## Set-up` on is written by hand and kept.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { coverages, orderOf } from './gateway-coverage.mjs';
import { asked, bestOf, consequencesOf, groups, timeOf } from './gateway-meaning.mjs';

const root = join(import.meta.dirname, '..');
const byHand = '\n## Set-up\n';
const formNames = { json: 'JSON', text: 'Lines of text' };

/** By their names below docs/. */
export async function gatewayPages() {
  const all = await coverages();
  const gateways = all.map(({ name, gateway }) => [name, gateway]);
  const orders = { json: orderOf(gateways, 'json'), text: orderOf(gateways, 'text') };
  const pages = all.map((each) => [`gateways/${each.name}.md`, `${gatewayPage(each, orders)}${keptOf(each.name)}`]);
  return Object.fromEntries([['gateways/README.md', indexPage(all, orders)], ...pages]);
}

/** What somebody wrote on the page of a gateway; nothing on a new one. */
function keptOf(name) {
  const file = join(root, 'docs/gateways', `${name}.md`);
  const page = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const from = page.indexOf(byHand);
  return from < 0 ? '' : page.slice(from);
}

function gatewayPage({ name, gateway, forms }, orders) {
  const shown = Object.entries(forms);
  const recognised = Object.keys(formNames).filter((form) => gateway[form] !== undefined);
  const sections = shown.map(([form, coverage]) => {
    const heading = shown.length > 1 ? `### ${formNames[form]}\n\n` : '';
    return `${heading}${table(coverage)}\n\n${meaning(coverage)}`;
  });
  return `# ${name}

<!-- Down to Set-up made by \`npm run docs\` from ingest/gateways/${name}.ts and test/fixtures/gateways/${name}/; do not edit there. -->

${aboutOf(name)}

${recognised.map((form) => recognition(name, { form, test: gateway[form].test, order: orders[form] })).join('\n')}

## What it gives

Counted over ${shown.map(([form, { records }]) => `${records} records of ${form === 'json' ? 'JSON' : 'text'}`).join(' and ')} in the fixtures, odd and old ones among them. The fields are those of [the canonical event](../reference/events.md).

${sections.join('\n\n')}
`;
}

/** The comment that the reader begins with: what it reads, in which units, and where that is written. */
function aboutOf(name) {
  const source = readFileSync(join(root, 'ingest/gateways', `${name}.ts`), 'utf8');
  const comment = /^\/\*\*([\s\S]*?)\*\//.exec(source)?.[1] ?? '';
  return comment
    .split('\n')
    .map((line) => line.replace(/^ ?\*? ?/, '').trim())
    .filter((line) => line !== '')
    .join('\n')
    .replaceAll('<', '&lt;');
}

function recognition(name, { form, test, order }) {
  const at = order.indexOf(name);
  const [before, behind] = [order[at - 1], order[at + 1]];
  const place = [before && `behind [${before}](${before}.md)`, behind && `before [${behind}](${behind}.md)`].filter(
    (each) => each !== undefined,
  );
  return `- ${formNames[form]}, recognised by: ${test.replaceAll('<', '&lt;')}. Tried ${place.join(' and ')}; the first that matches wins.`;
}

function table({ given, timeSources }) {
  const cell = (fields, level) =>
    fields
      .filter((field) => given[field] === level)
      .map((field) => `\`${field}\`${field === 'timestamp' ? ` (${timeOf({ timeSources })})` : ''}`)
      .join(', ');
  const rows = Object.entries(groups).map(
    ([group, fields]) => `| ${group} | ${['most', 'some', 'never'].map((level) => cell(fields, level)).join(' | ')} |`,
  );
  return ['| | in most records | in some | never |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function meaning(coverage) {
  const said = consequencesOf(coverage);
  if (said.length === 0) return 'For detections nothing is missing.';
  return `What that means for detections:\n\n${said.map((each) => `- ${each}`).join('\n')}`;
}

function indexPage(all, { json, text }) {
  const mark = { most: 'yes', some: 'some', never: '–' };
  const rows = all.flatMap(({ name, forms }) =>
    Object.entries(forms).map(([form, { given }]) => {
      const cells = Object.values(asked).map((fields) => mark[bestOf(given, fields)]);
      return `| [${name}](${name}.md) | ${form === 'json' ? 'JSON' : 'text'} | ${cells.join(' | ')} |`;
    }),
  );
  return `# What gateways give

Made by \`npm run docs\` from the fixtures of each format; do not edit. Per gateway, what its records give of the fields that detections
ask for: \`yes\` in most records, \`some\` in some of them, \`–\` never. A name is that of the format: \`--format NAME\`, \`format: NAME\` in the
settings of a source. Each page says how to make the gateway send its best record: by the documentation of the
product, which was not run; a record made by each template is read in our tests. [Shippers](../shippers.md) bring logs to Kafka.

| gateway | form | ${Object.keys(asked).join(' | ')} |
| --- | --- | ${Object.keys(asked)
    .map(() => '---')
    .join(' | ')} |
${rows.join('\n')}

Records are tried in this order, and the first format that matches wins. JSON: ${json.join(', ')}. Lines of text: ${text.join(', ')}.
A source with a \`format\` is not tried at all.
`;
}
