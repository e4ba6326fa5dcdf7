/** The secrets that the data folder keeps: whole and for one user, or an error. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../app/config.ts';
import { adminKeyOf, secretsOf } from '../../../app/secrets.ts';
import type { Config } from '../../../app/settings.ts';

let dataDir: string;
let config: Config;
beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'gatetrail-secrets-')), 'data');
  const loaded = loadConfig({ flags: { dataDir }, env: {}, cwd: tmpdir() }).config;
  if (loaded === null) throw new Error('the empty configuration is good');
  config = loaded;
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

describe('what the data folder keeps', () => {
  test('is made once, for this user alone, and nothing else is left', () => {
    const [{ current }, key] = [secretsOf(config), adminKeyOf(config)];
    expect(Buffer.from(current, 'base64url')).toHaveLength(32);
    expect([secretsOf(config).current, adminKeyOf(config)]).toEqual([current, key]);
    expect(readdirSync(dataDir).toSorted()).toEqual(['admin.key', 'secret']);
    for (const name of ['admin.key', 'secret']) expect(statSync(join(dataDir, name)).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['secret', () => secretsOf(config)],
    ['admin.key', () => adminKeyOf(config)],
  ])('is refused where it was cut short: %s', (name, read) => {
    mkdirSync(dataDir);
    for (const text of ['', '\n', 'half-of-a-secret']) {
      writeFileSync(join(dataDir, name), text);
      expect(read).toThrow(
        expect.objectContaining({ code: 'DATA_DIR_UNUSABLE', message: expect.stringContaining(`${join(dataDir, name)} holds`) }) as Error,
      );
    }
  });
});
