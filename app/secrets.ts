/** Secrets that the data folder keeps where none is configured: made once, readable by this user alone. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { newToken } from '../storage/access.ts';
import type { Config } from './settings.ts';
import { unusable } from './folder.ts';

export interface Secrets {
  readonly current: string;
  /** Of before a rotation: what they made is still read. */
  readonly previous: readonly string[];
}

/** The configured secret, or the one of the embedded default in DATA/secret. */
export function secretsOf({ secret, dataDir }: Config): Secrets {
  return {
    current: secret.current ?? kept(join(dataDir, 'secret'), () => randomBytes(32).toString('base64url')),
    previous: secret.previous,
  };
}

/** The configured key of the administrator, or the one of the embedded default in DATA/admin.key; none on a server. */
export function adminKeyOf({ access, clickhouse, dataDir }: Config): string | undefined {
  if (access.adminKey !== undefined) return access.adminKey;
  return clickhouse.url === undefined ? kept(join(dataDir, 'admin.key'), newToken) : undefined;
}

function kept(file: string, make: () => string): string {
  try {
    if (!existsSync(file)) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${make()}\n`, { mode: 0o600, flag: 'wx' });
    }
  } catch (error) {
    // Another process of the same start was first.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(file, error);
  }
  chmodSync(file, 0o600);
  return readFileSync(file, 'utf8').trim();
}
