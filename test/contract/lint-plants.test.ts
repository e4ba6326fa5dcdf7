/** The linter finds what it is trusted with: each fault is planted in a folder of its own, under the configuration of this repository. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/sources.ts';

/** Findings of oxlint over these files as `FILE RULE`. */
function lint(files: Readonly<Record<string, string>>): { code: number | null; found: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'gatetrail-lint-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const compilerOptions = {
      strict: true,
      module: 'NodeNext',
      target: 'ES2023',
      types: [],
      allowImportingTsExtensions: true,
      noEmit: true,
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');
    const config = join(root, '.oxlintrc.json');
    const args = [oxlint, '-c', config, '--type-aware', '--deny-warnings', '--format', 'json', '.'];
    // oxlint looks for its judge of types beside the files it reads; there is none in a temporary folder
    const env = { ...process.env, OXLINT_TSGOLINT_PATH: join(root, 'node_modules/.bin/tsgolint') };
    const { status, stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', env, timeout: 30_000 });
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] };
    return { code: status, found: diagnostics.map(({ code, filename }) => `${filename} ${code}`).toSorted() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const sound = 'export async function answer(): Promise<number> {\n  return 42;\n}\n';

describe('the linter', () => {
  it('passes a sound file', () => {
    expect(lint({ 'sound.ts': sound })).toEqual({ code: 0, found: [] });
  });

  it.each([
    ['a promise that nobody waits for', 'no-floating-promises', `${sound}answer();\n`],
    ['any', 'no-explicit-any', `${sound}export const all = (value: any): string => String(value);\n`],
    [
      'an import of types alone that is left in the program',
      'consistent-type-imports',
      "import { Stats } from 'node:fs';\nexport type Size = Stats['size'];\n",
    ],
    ['waiting for what is no promise', 'await-thenable', 'export async function wait(): Promise<void> {\n  await 42;\n}\n'],
    ['a line printed past the logger', 'no-console', "export function tell(): void {\n  console.log('here');\n}\n"],
    ['a comparison that converts', 'eqeqeq', "export const isOne = (value: unknown): boolean => value == '1';\n"],
    ['a variable that nothing uses', 'no-unused-vars', 'export function idle(): void {\n  const spare = 1;\n}\n'],
  ])('refuses %s', (_what, rule, text) => {
    const { code, found } = lint({ 'planted.ts': text });
    expect(code).not.toBe(0);
    expect(found.join('\n')).toContain(rule);
  });

  it('refuses a circle of imports', () => {
    const { code, found } = lint({
      'one.ts': "import { two } from './two.ts';\nexport const one = (): number => two();\n",
      'two.ts': "import { one } from './one.ts';\nexport const two = (): number => one();\n",
    });
    expect(code).not.toBe(0);
    expect(found.join('\n')).toContain('no-cycle');
  });
});
