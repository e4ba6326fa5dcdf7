/** One supervisor a data folder. Who holds it stands in DATA/start.json; what a killed one left there holds nothing. */
import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AuditError, messageOf } from '../core/errors.ts';
import { lives, ownMark, type ProcessMark } from '../core/process.ts';

/** Takes the folder, and gives what lets it go. @throws DATA_DIR_LOCKED, DATA_DIR_UNUSABLE, DISK_FULL */
export function holdFolder(dataDir: string): () => void {
  const file = join(dataDir, 'start.json');
  try {
    mkdirSync(dataDir, { recursive: true });
    accessSync(dataDir, constants.W_OK);
    const holder = noteOf<ProcessMark>(file);
    if (holder !== null && lives(holder)) throw locked(dataDir, file, holder);
    writeFileSync(file, JSON.stringify(ownMark()), { mode: 0o600 });
  } catch (error) {
    throw error instanceof AuditError ? error : unusable(resolve(dataDir), error);
  }
  return () => rmSync(file, { force: true });
}

/** Waits until the engine of a killed supervisor has ended by itself, which takes it two seconds at most; then its own lock decides. */
export async function engineGone(dataDir: string, sleep: (ms: number) => Promise<void>): Promise<void> {
  const engine = noteOf<{ pid: number }>(join(dataDir, 'engine.json'));
  for (let tries = 0; engine !== null && tries < 30 && lives({ pid: engine.pid, startedAt: null }); tries += 1) await sleep(100);
}

export function unusable(path: string, error: unknown): AuditError {
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
    return new AuditError('DISK_FULL', `${path} cannot be written: its disk is full. Free space, then start again`, { cause: error });
  const advice = 'Give this user the right to write the data folder, or choose another one with --data';
  return new AuditError('DATA_DIR_UNUSABLE', `${path} cannot be written: ${messageOf(error)}. ${advice}`, { cause: error });
}

function locked(dataDir: string, file: string, { pid }: ProcessMark): AuditError {
  const message = `Process ${pid} works on the data folder ${resolve(dataDir)}, which only one can. Stop it, or choose another folder with --data. (Where that process is none of Gatetrail, remove ${file})`;
  return new AuditError('DATA_DIR_LOCKED', message, { facts: { dataDir, pid } });
}

/** A note of ours; null where there is none, or one that was cut short. */
function noteOf<Note>(file: string): Note | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Note; // written by us alone
  } catch {
    return null;
  }
}
