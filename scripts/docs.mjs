// Writes docs/reference/ from the declarations in dist/; `--check` compares instead and names what differs.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const { configReference, errorsReference, eventsReference } = await import(join(root, 'dist/app/reference.js'));
const pages = { 'configuration.md': configReference(), 'errors.md': errorsReference(), 'events.md': eventsReference() };
const folder = join(root, 'docs/reference');
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(pages)) {
  const file = join(folder, name);
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, 'utf8') !== text) {
    console.error(`docs/reference/${name} is not what the code says: run npm run docs`);
    process.exitCode = 1;
  }
}
