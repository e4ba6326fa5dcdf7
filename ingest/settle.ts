/**
 * Rule A: how an insert under a token becomes certain though answers get lost, requests come late, and an engine that dies
 * in the middle burns the token.
 */
import { sleep } from '../core/clock.ts';
import { AuditError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { PartitionKey } from '../storage/ledger.ts';
import { isRefusedForGood } from '../storage/refusals.ts';

/** The assignment of a partition. Everything that writes looks here right before. */
export interface Assignment {
  readonly key: PartitionKey;
  readonly revoked: AbortSignal;
}

/** The partition was taken away: nothing more may be written for it here. */
export class Revoked extends Error {
  override readonly name = 'Revoked';
}

interface Attempt<Answer> {
  readonly send: (token: string, attempt: number) => Promise<void>;
  /** null: nothing is there. */
  readonly look: () => Promise<Answer | null>;
}

export interface Settling {
  /** Sends until a look shows what became of it. */
  settle<Answer>(assignment: Assignment, token: string, attempt: Attempt<Answer>): Promise<Answer>;
  /** For what needs no token because it may be repeated: sends until it is answered with success. */
  insist(assignment: Assignment, insert: () => Promise<void>): Promise<void>;
  /** Reads until the database answers. */
  read<Answer>(assignment: Assignment, look: () => Promise<Answer>): Promise<Answer>;
  /** The wait after a try that failed. @throws Revoked */
  pause(assignment: Assignment, tries: number): Promise<void>;
}

interface SettlingOptions {
  readonly logger: Logger;
  readonly retryMs?: number;
  /** Never a suffix on Replicated tables: a success that is not seen yet is on its way to this replica, and would be doubled. */
  readonly replicated?: boolean;
}

export function createSettling({ logger, retryMs = 50, replicated = false }: SettlingOptions): Settling {
  /** True when the insert was answered with success; false when nobody knows. */
  async function sent(assignment: Assignment, insert: () => Promise<void>): Promise<boolean> {
    if (assignment.revoked.aborted) throw new Revoked();
    try {
      await insert();
      return true;
    } catch (error) {
      if (!(error instanceof AuditError) || error.code === 'LEDGER_INCONSISTENT' || isRefusedForGood(error)) throw error;
      logger.warn({ ...assignment.key, code: error.code, error: error.message }, 'an insert was not answered with success; reading back');
      return false;
    }
  }

  async function read<Answer>(assignment: Assignment, look: () => Promise<Answer>): Promise<Answer> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await look();
      } catch (error) {
        if (!(error instanceof AuditError) || error.code === 'LEDGER_INCONSISTENT') throw error;
        logger.warn({ ...assignment.key, code: error.code, error: error.message }, 'cannot read back yet');
        await pause(assignment, tries);
      }
    }
  }

  async function pause({ revoked }: Assignment, tries: number): Promise<void> {
    await sleep(retryMs * Math.min(100, 2 ** tries), revoked);
    if (revoked.aborted) throw new Revoked();
  }

  return {
    async settle(assignment, token, { send, look }) {
      let attempt = 0;
      for (let tries = 0; ; tries += 1) {
        const suffixed = attempt === 0 ? token : `${token}:r${attempt}`;
        const answered = await sent(assignment, () => send(suffixed, attempt));
        const answer = await read(assignment, look);
        if (answer !== null) return answer;
        // The next suffix only after a success that a later look does not find; else the same token again.
        if (answered && !replicated) attempt += 1;
        else await pause(assignment, tries);
      }
    },
    async insist(assignment, insert) {
      for (let tries = 0; !(await sent(assignment, insert)); tries += 1) await pause(assignment, tries);
    },
    read,
    pause,
  };
}
