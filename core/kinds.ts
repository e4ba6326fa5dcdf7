/** A folder of kinds: one file each, the file's name is the kind's public name, the default export the kind. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Loads every kind of a folder, in the order of their names. Declarations, maps and tests are passed over. Where the folder
 * has the kind `only`, that one is loaded alone: the others may bring packages that it does not need.
 * @throws Error when a file has no default export: that is a fault of the product, not of a user.
 */
export async function loadKinds<Kind>(folder: string, only = ''): Promise<ReadonlyMap<string, Kind>> {
  const all = (await readdir(folder)).filter((file) => /^[a-z0-9-]+\.(ts|js)$/.test(file)).toSorted();
  const wanted = all.filter((file) => nameOf(file) === only);
  const kinds = new Map<string, Kind>();
  for (const file of wanted.length > 0 ? wanted : all) {
    const module = (await import(pathToFileURL(join(folder, file)).href)) as { default?: Kind };
    if (module.default === undefined) throw new Error(`${file} in ${folder} exports no kind: export it as default`);
    kinds.set(nameOf(file), module.default);
  }
  return kinds;
}

const nameOf = (file: string): string => file.replace(/\.(ts|js)$/, '');
