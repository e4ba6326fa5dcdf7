/** Secrets that the data folder keeps where none is configured: made once, readable by this user alone. */
import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AuditError } from '../core/errors.ts';
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
      writeWhole(file, `${make()}\n`);
    }
  } catch (error) {
    // Another process of the same start was first.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(file, error);
  }
  chmodSync(file, 0o600);
  const text = readFileSync(file, 'utf8').trim();
  if (text.length >= minLength) return text;
  const message = `${file} holds ${text.length} characters, at least ${minLength} are expected: it was cut short. Bring it back from a backup. Where nothing was stored yet, remove it: a new one is made`;
  throw new AuditError('DATA_DIR_UNUSABLE', message);
}

/** Like that of a configured secret: a shorter one is no secret. */
const minLength = 32;

/** There whole and for good, or not at all: what is sealed and acknowledged under a secret must not outlive it. */
function writeWhole(file: string, text: string): void {
  const own = `${file}.${randomUUID()}`;
  try {
    writeFileSync(own, text, { mode: 0o600, flag: 'wx', flush: true });
    linkSync(own, file);
  } finally {
    rmSync(own, { force: true });
  }
  const folder = openSync(dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
}
