/** Every package has a line of reason, is pinned exactly, and stands in the lock file as it stands in package.json. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/sources.ts';

type Versions = Readonly<Record<string, string>>;
interface Package {
  readonly dependencies: Versions;
  readonly optionalDependencies: Versions;
  readonly devDependencies: Versions;
}

const json = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));
const { dependencies, optionalDependencies, devDependencies } = json('package.json') as Package; // npm checks its shape
const lock = json('package-lock.json') as { packages: Record<string, Partial<Package> & { version?: string; optional?: boolean }> };
const page = readFileSync(join(root, 'docs/decisions/0002-dependencies.md'), 'utf8');

describe('every package', () => {
  const all = { ...dependencies, ...optionalDependencies, ...devDependencies };

  it('has one line of reason, and no line speaks of a package that is not there', () => {
    const rows = [...page.matchAll(/^\| `([^`]+)`.*?\| (.+?) \|/gm)];
    expect(rows.map(([, name = '']) => name).toSorted()).toEqual(Object.keys(all).toSorted());
    for (const [, name, reason] of rows) expect(reason?.length, name).toBeGreaterThan(3);
  });

  it('is pinned exactly', () => {
    expect(Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('is locked as it is declared', () => {
    const { dependencies: plain, optionalDependencies: optional, devDependencies: dev } = lock.packages[''] ?? {};
    expect({ plain, optional, dev }).toEqual({ plain: dependencies, optional: optionalDependencies, dev: devDependencies });
    for (const [name, version] of Object.entries(all)) expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version);
  });
});

describe('the lock file', () => {
  it('names the parts of a package for every platform, so that npm ci takes it on each', () => {
    const locked = Object.values(lock.packages) as Partial<Package>[];
    const missing = locked.flatMap((one) => Object.keys(one.optionalDependencies ?? {})).filter((name) => !inLock(name));
    expect(missing).toEqual([]);
  });

  it('speaks of no registry', () => {
    expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved"/);
  });

  it('leaves the embedded engine optional: the image is built without it', () => {
    expect(Object.keys(optionalDependencies)).toEqual(['chdb']);
    expect(lock.packages['node_modules/chdb']?.optional).toBe(true);
  });
});

const inLock = (name: string) => Object.keys(lock.packages).some((path) => path.endsWith(`node_modules/${name}`));
