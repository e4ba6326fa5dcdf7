/** The compiler holds resolvers to the schema: each fault is planted in a file of its own, and one run judges them all. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/sources.ts';

/** Parts of a map of resolvers, and what the compiler says of the fault in it. */
const plants = {
  'a query': ['Query: { alarm: guarded(() => null) }', "'alarm' does not exist in type 'QueryResolvers"],
  'a type': ["Alarm: { id: () => '' }", "'Alarm' does not exist in type 'Resolvers'"],
  'a field': ["Alert: { loudness: () => '' }", "'loudness' does not exist in type 'AlertResolvers"],
  'an argument': ['Query: { alert: guarded(({ alarm }) => alarm) }', "'alarm' does not exist on type"],
  'an argument of a field': ['Alert: { timeline: nested((_, { upTo }) => upTo) }', "'upTo' does not exist on type"],
  'a value of an enum': ["AuditEventConnection: { totalCount: () => ({ value: 1, relation: 'ABOUT' }) }", `'"ABOUT"' is not assignable`],
  'a field of our own parent': ['Alert: { title: nested(({ headline }) => headline) }', "'headline' does not exist on type 'AlertRecord'"],
  'an answer without a field': ["Query: { me: guarded(() => ({ name: '', roles: [], tenants: [], scopes: [] })) }", "'grants' is missing"],
  'null for an argument with a default, unseen': [
    "AuditEventConnection: { totalCount: (_, { upTo }) => ({ value: upTo, relation: 'EXACT' }) }",
    "'null' is not assignable to type 'EntireFieldWrapper<number>'",
  ],
} as const;
const sound = "Query: { alert: guarded(({ id }) => (id === '' ? null : null)) }, Alert: { title: nested(({ title }) => title) }";

/** Errors of the compiler by the place of the file, under the configuration of this repository. */
function compile(maps: readonly string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'gatetrail-types-'));
  try {
    const head = `import type { Guard } from '${root}/query/guard.ts';
import type { Resolvers } from '${root}/query/resolver-types.ts';
export declare const guard: Guard;
const { guarded, nested } = guard;
export const used = [guarded, nested];
`;
    for (const [place, map] of maps.entries()) {
      writeFileSync(join(folder, `${place}.ts`), `${head}export const map = { ${map} } satisfies Resolvers;\n`);
    }
    const emits = { noEmit: true, rootDir: '/', rewriteRelativeImportExtensions: false, allowImportingTsExtensions: true };
    const compilerOptions = { ...emits, typeRoots: [join(root, 'node_modules/@types')] };
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.ts'] }),
    );
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const args = [join(root, 'node_modules/typescript/bin/tsc'), '--pretty', 'false'];
    const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: 30_000 });
    const errors = stdout.split(/\n(?=\S)/);
    return maps.map((_, place) => errors.filter((error) => error.startsWith(`${place}.ts(`)).join('\n'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the compiler', () => {
  const [nothing, ...said] = compile([sound, ...Object.values(plants).map(([map]) => map)]);

  it('passes resolvers of the schema', () => {
    expect(nothing).toBe('');
  });

  it.each(Object.entries(plants).map(([what, [, expected]], place) => [what, expected, said[place]]))(
    'refuses what the schema does not know: %s',
    (_what, expected, error) => {
      expect(error).toContain(expected);
    },
  );
});
