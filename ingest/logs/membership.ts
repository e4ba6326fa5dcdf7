/** Who this process is in its consumer group, so that the next one of its folder can leave the group in its name. */
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { lives, ownMark, type ProcessMark } from '../../core/process.ts';

interface Holder extends ProcessMark {
  readonly instance: string;
}

/**
 * The name of a process of this folder that has ended, else a new one; no two that live have the same. Of another machine that
 * shares the folder nobody can tell what lives, so each has names of its own. Null where none can be kept: then the session of
 * a killed process runs out by itself.
 */
export function nameInFolder(folder: string, clientId: string, logger: Logger): string | null {
  try {
    mkdirSync(folder, { recursive: true });
    for (let place = 1; ; place += 1) {
      const instance = take(join(folder, `${hostname()}-${place}.json`));
      if (instance !== null) return `${clientId}-${instance}`;
    }
  } catch (error) {
    logger.warn({ folder, error: messageOf(error) }, 'the name of this member of the group cannot be kept');
    return null;
  }
}

/** Names of processes of this folder and machine that have ended. */
export function namesOfEnded(folder: string, clientId: string): string[] {
  const holders = readdirSync(folder)
    .filter((file) => file.startsWith(`${hostname()}-`) && file.endsWith('.json'))
    .map((file) => holderOf(join(folder, file)));
  return holders.flatMap((holder) => (holder === null || lives(holder) ? [] : [`${clientId}-${holder.instance}`]));
}

/** Null where it is another's, or where another was faster. */
function take(file: string): string | null {
  const mine = `${file}.${randomUUID()}`;
  const before = holderOf(file);
  if (before !== null && (lives(before) || !moved(file, mine))) return null;
  // Somebody else may have taken it right before it was moved: then it is put back.
  const taken = before === null ? null : holderOf(mine);
  const isMine = taken === null || !lives(taken);
  const instance = isMine ? (taken?.instance ?? randomUUID()) : taken.instance;
  try {
    if (isMine) {
      rmSync(mine, { force: true }); // somebody may be reading what was moved: that stays as it is
      writeFileSync(mine, JSON.stringify({ ...ownMark(), instance }), { mode: 0o600 });
    }
    linkSync(mine, file);
    return isMine ? instance : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

function moved(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Null where there is none. */
function holderOf(file: string): Holder | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder; // linked whole, by us alone
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** The little of a client of Kafka that leaving takes. */
export interface Group {
  /** Members of the group by the names that their clients gave. */
  members(): Promise<readonly { readonly clientId: string; readonly memberId: string }[]>;
  leave(memberIds: readonly string[]): Promise<void>;
}

/**
 * After `kill -9` a group waits a whole session for each dead member, also for one that was killed while it joined.
 * `namesOf` gives those of the dead. False when Kafka did not answer.
 */
export async function leaveForPredecessors(open: () => Promise<Group>, namesOf: () => readonly string[], logger: Logger): Promise<boolean> {
  try {
    const group = await open();
    const names = namesOf();
    const dead = (await group.members()).filter(({ clientId }) => names.includes(clientId));
    if (dead.length === 0) return true;
    await group.leave(dead.map(({ memberId }) => memberId));
    logger.info({ members: dead.length }, 'left the group for members that have ended');
    return true;
  } catch (error) {
    logger.info({ error: messageOf(error) }, 'could not leave the group for a predecessor; its session runs out by itself');
    return false;
  }
}
