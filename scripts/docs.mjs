// Writes docs/reference/ from the declarations in dist/, docs/gateways/ from the formats in dist/ and their fixtures, and the table of
// docs/sizing.md from bench/baseline.json; `--check` compares instead and names what differs.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gatewayPages } from './gateway-pages.mjs';
import { sizingPage } from './sizing.mjs';

const root = join(import.meta.dirname, '..');
const { loadIntakeRules } = await import(join(root, 'dist/app/decoder.js'));
const { configReference, errorsReference, eventsReference } = await import(join(root, 'dist/app/reference.js'));
const read = (file) => readFileSync(join(root, file), 'utf8');
const pages = {
  'reference/configuration.md': configReference(),
  'reference/errors.md': errorsReference(),
  'reference/events.md': eventsReference(await loadIntakeRules([])),
  ...(await gatewayPages()),
  'sizing.md': sizingPage(read('docs/sizing.md'), JSON.parse(read('bench/baseline.json'))),
};
const folder = join(root, 'docs');
for (const part of ['reference', 'gateways']) mkdirSync(join(folder, part), { recursive: true });
for (const [name, text] of Object.entries(pages)) {
  const file = join(folder, name);
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    console.error(`docs/${name} is not what the code, the fixtures and the bench say: run npm run docs`);
    process.exitCode = 1;
  }
}
