/** Folders of rule files. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AuditError, messageOf } from '../core/errors.ts';
import type { RuleDocument } from '../schemas/rule.ts';

/**
 * Every rule that `read` finds in the files of the folders; one that cannot be used stops the start with its place.
 * @throws CONFIG_INVALID for a folder that cannot be read and an id that stands twice, else as `read` does
 */
export async function readRuleFolders<Rule extends RuleDocument>(
  folders: readonly string[],
  read: (text: string, source: string) => Rule[],
): Promise<Rule[]> {
  const files = (await Promise.all(folders.map(ruleFiles))).flat();
  const rules = (await Promise.all(files.map(async (file) => read(await readFile(file, 'utf8'), basename(file))))).flat();
  const byId = new Map<string, Rule>();
  for (const rule of rules) {
    const other = byId.get(rule.id);
    if (other)
      throw new AuditError(
        'CONFIG_INVALID',
        `rules: the id ${rule.id} stands in ${other.source} and in ${rule.source}; give one of them its own`,
      );
    byId.set(rule.id, rule);
  }
  return rules;
}

async function ruleFiles(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder))
      .filter((name) => /\.ya?ml$/.test(name))
      .toSorted()
      .map((name) => join(folder, name));
  } catch (error) {
    throw new AuditError('CONFIG_INVALID', `rules: expected a folder of rule documents, ${messageOf(error)}`, { cause: error });
  }
}
