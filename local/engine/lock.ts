/** Opening the engine's folder. The engine itself locks it, so a killed holder leaves no lock; this file gives its refusal words. */
import type { Session } from 'chdb';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AuditError, messageOf } from '../../core/errors.ts';

/**
 * Opens the first session on a folder.
 * @throws AuditError DATA_DIR_LOCKED while another process has the folder, DATA_DIR_UNUSABLE when it cannot be written or read.
 */
export function openFolder(folder: string, open: () => Session): Session {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new AuditError('DATA_DIR_UNUSABLE', `The engine needs a folder that it can write; ${folder} cannot be: ${messageOf(cause)}.`, {
      cause,
      facts: { folder },
    });
  }
  try {
    return open();
  } catch (cause) {
    const holder = lockHolder(join(folder, 'status'));
    if (holder === 'nobody') {
      throw new AuditError(
        'DATA_DIR_UNUSABLE',
        `The engine could not open ${folder}, though no other process holds it: ${messageOf(cause)}. Its own words stand above.`,
        { cause, facts: { folder } },
      );
    }
    const who = holder === 'unknown' ? 'Another process' : `Process ${holder}`;
    throw new AuditError(
      'DATA_DIR_LOCKED',
      `${who} runs the engine on ${folder}, which only one process can. Stop it, or choose another folder with --data.`,
      {
        cause,
        facts: { folder, holder },
      },
    );
  }
}

/** Who holds the lock on a file: a process id, nobody, or unknown where the system does not tell. */
function lockHolder(file: string): string {
  if (!existsSync(file)) return 'nobody'; // the engine that could not open it has removed it again
  let locks: string;
  let inode: number;
  try {
    inode = statSync(file).ino;
    locks = readFileSync('/proc/locks', 'utf8');
  } catch {
    return 'unknown';
  }
  // One line: `3: FLOCK  ADVISORY  WRITE 4242 fe:01:131 0 EOF`. The process is 0 or -1 where it lives in another namespace.
  const line = locks.split('\n').find((entry) => new RegExp(`:${inode} `).test(entry));
  if (line === undefined) return 'nobody';
  const pid = /(?:READ|WRITE)\s+(\d+)/.exec(line)?.[1];
  return pid === undefined || pid === '0' ? 'unknown' : pid;
}
