/** A later row of a claim: other counts or settled, never another range or time. Written from the state before it alone. */
import { type Claim, claimToken, type Ledger } from '../storage/ledger.ts';
import type { Assignment, Settling } from './settle.ts';

/** Gives the claim as it then reads: another's revision of the same state may be the one that counts. @throws Revoked, LEDGER_INCONSISTENT */
export type Revise = (assignment: Assignment, claim: Claim) => Promise<Claim>;

export function createRevise(ledger: Pick<Ledger, 'claimsFrom' | 'insertRevision'>, { settle }: Pick<Settling, 'settle'>): Revise {
  return (assignment, claim) => {
    const revised = { ...claim, revision: claim.revision + 1 };
    const token = `${claimToken(assignment.key, revised.firstOffset, revised.replay)}:v${revised.revision}`;
    return settle<Claim>(assignment, token, {
      send: (suffixed, attempt) => ledger.insertRevision(assignment.key, { ...revised, attempt }, suffixed),
      look: async () => {
        const [current] = await ledger.claimsFrom(assignment.key, revised.firstOffset, 1);
        return current?.firstOffset === revised.firstOffset && current.revision >= revised.revision ? current : null;
      },
    });
  };
}
