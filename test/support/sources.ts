/** The product's own source as a map of path and text, for tests that read it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** Folders that are no part of what is shipped. */
const aside = new Set(['node_modules', 'dist', 'test', 'bench', 'scripts', 'docs', 'data', 'coverage', 'deploy']);

/** Every .ts file of the product by its path from the root, with / between names. */
export function sources(): ReadonlyMap<string, string> {
  const files = readdirSync(root, { withFileTypes: true })
    .filter(({ name }) => !aside.has(name) && !name.startsWith('.') && !name.endsWith('.config.ts'))
    .flatMap((entry) => (entry.isDirectory() ? below(entry.name) : [entry.name]))
    .filter((file) => file.endsWith('.ts'));
  return new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
}

function below(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));
}
