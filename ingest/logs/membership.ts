/** Who this process is in its consumer group, so that the next one of its folder can leave the group in its name. */
import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';

/** Made once; null where it cannot be kept: then the session of a killed process runs out by itself. */
export function nameOfFolder(membershipFile: string, clientId: string, logger: Logger): string | null {
  try {
    if (!existsSync(membershipFile)) {
      const fresh = `${membershipFile}.${process.pid}`;
      mkdirSync(dirname(membershipFile), { recursive: true });
      writeFileSync(fresh, JSON.stringify({ instance: randomUUID() }), { mode: 0o600 });
      // Whole or not at all, and the first of two processes wins.
      if (!existsSync(membershipFile)) linkSync(fresh, membershipFile);
      rmSync(fresh);
    }
    const { instance } = JSON.parse(readFileSync(membershipFile, 'utf8')) as { instance: string }; // written above
    return `${clientId}-${instance}`;
  } catch (error) {
    logger.warn({ membershipFile, error: messageOf(error) }, 'the name of this member of the group cannot be kept');
    return null;
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
 * False when Kafka did not answer.
 */
export async function leaveForPredecessors(open: () => Promise<Group>, memberName: string, logger: Logger): Promise<boolean> {
  try {
    const group = await open();
    const dead = (await group.members()).filter(({ clientId }) => clientId === memberName);
    if (dead.length === 0) return true;
    await group.leave(dead.map(({ memberId }) => memberId));
    logger.info({ members: dead.length }, 'left the group for members that have ended');
    return true;
  } catch (error) {
    logger.info({ error: messageOf(error) }, 'could not leave the group for a predecessor; its session runs out by itself');
    return false;
  }
}
