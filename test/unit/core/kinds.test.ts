/** A folder of kinds: one file each, named by its file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadKinds } from '../../../core/kinds.ts';

const root = mkdtempSync(join(tmpdir(), 'gatetrail-kinds-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function folder(files: Readonly<Record<string, string>>): string {
  const made = mkdtempSync(join(root, 'folder-'));
  writeFileSync(join(made, 'package.json'), '{"type":"module"}');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(made, name), text);
  return made;
}

describe('a folder of kinds', () => {
  it('gives each default export under the name of its file, in the order of the names', async () => {
    const kinds = await loadKinds<number>(folder({ 'two-words.js': 'export default 2;', 'one.js': 'export default 1;' }));
    expect([...kinds]).toEqual([
      ['one', 1],
      ['two-words', 2],
    ]);
  });

  it('passes over what is no kind: declarations, maps, tests, documents', async () => {
    const others = { 'one.d.ts': '', 'one.js.map': '{}', 'one.test.js': 'throw 1;', 'Notes.md': '', 'rule.yml': '' };
    expect((await loadKinds(folder({ ...others, 'one.js': 'export default 1;' }))).size).toBe(1);
    expect((await loadKinds(folder({}))).size).toBe(0);
  });

  it('loads one alone where it is asked for by its name, and all where there is none of that name', async () => {
    const kinds = folder({ 'one.js': 'export default 1;', 'other.js': 'export const no = "kind";' });
    expect([...(await loadKinds<number>(kinds, 'one'))]).toEqual([['one', 1]]);
    await expect(loadKinds(kinds, 'three')).rejects.toThrow(/other\.js/);
  });

  it('names the file that exports none', async () => {
    await expect(loadKinds(folder({ 'empty.js': 'export const kind = 1;' }))).rejects.toThrow(/empty\.js .*exports no kind/);
  });
});
