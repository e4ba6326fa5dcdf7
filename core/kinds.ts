/** A folder of kinds: one file each, the file's name is the kind's public name, the default export the kind. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Loads every kind of a folder, in the order of their names. Declarations, maps and tests are passed over.
 * @throws Error when a file has no default export: that is a fault of the product, not of a user.
 */
export async function loadKinds<Kind>(folder: string): Promise<ReadonlyMap<string, Kind>> {
  const files = (await readdir(folder)).filter((file) => /^[a-z0-9-]+\.(ts|js)$/.test(file)).toSorted();
  const kinds = new Map<string, Kind>();
  for (const file of files) {
    const module = (await import(pathToFileURL(join(folder, file)).href)) as { default?: Kind };
    if (module.default === undefined) throw new Error(`${file} in ${folder} exports no kind: export it as default`);
    kinds.set(file.replace(/\.(ts|js)$/, ''), module.default);
  }
  return kinds;
}
