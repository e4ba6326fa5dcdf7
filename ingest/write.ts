/**
 * The write protocol: claim, dead letters, events, read back. Whatever crashes, is held back or comes late, a range of a
 * partition is stored once: the claim decides what the batch is, and everything after it can be repeated by anyone with
 * the same result. No insert counts before its read back; what the engine says it wrote is never believed.
 */
import { sleep } from '../core/clock.ts';
import { AuditError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { BatchStore, Found } from '../storage/batch-store.ts';
import { type Claim, claimToken, type Ledger, type PartitionKey } from '../storage/ledger.ts';
import type { Batch, BatchMaker } from './batch.ts';
import { gapMarker, gapNormaliser } from './gap.ts';
import { isRefusedForGood, refusedPositions } from './refused.ts';

export type Step = 'fetch' | 'decode' | 'claim' | 'dead letters' | 'events' | 'read back' | 'commit';

export interface WriterOptions {
  readonly ledger: Ledger;
  readonly store: BatchStore;
  readonly maker: BatchMaker;
  /** Unique per process: tells our claim from another's. */
  readonly writer: string;
  readonly logger: Logger;
  /** Told at the start of each step; for tests that kill in the middle of one. */
  readonly trace?: (step: Step) => void;
  /** Told when a batch does not read back as claimed: the counter that must stay 0. */
  readonly onInconsistent?: () => void;
  /** First wait after a try that failed; doubles up to a hundred times that. Default 50 ms. */
  readonly retryMs?: number;
}

/** The assignment of a partition. Everything that writes looks here right before. */
export interface Assignment {
  readonly key: PartitionKey;
  readonly revoked: AbortSignal;
}

export type Outcome =
  /** Ours, stored and read back. */
  | { readonly kind: 'stored'; readonly claim: Claim }
  /** Another writer defined the batch: drop ours, complete theirs. */
  | { readonly kind: 'lost'; readonly claim: Claim }
  /** The chain went on without us: store nothing, go to its end. */
  | { readonly kind: 'late' };

export interface Writer {
  /** @throws Revoked, LEDGER_INCONSISTENT */
  write(assignment: Assignment, batch: Batch, sequence: number): Promise<Outcome>;
  /** Stores what a claim says, as it stands; null when its messages are gone from the log. Gives the claim as it then reads. */
  complete(assignment: Assignment, claim: Claim, batch: Batch | null): Promise<Claim>;
  /** A claim without messages: an origin, or a range that the log no longer has. */
  claimOnly(assignment: Assignment, claim: Claim): Promise<Outcome>;
  /** Whether what stands in the tables is what the claim says. */
  isComplete(key: PartitionKey, claim: Claim): Promise<boolean>;
}

/** The partition was taken away: nothing more may be written for it here. */
export class Revoked extends Error {
  override readonly name = 'Revoked';
}

export function createWriter(options: WriterOptions): Writer {
  const { ledger, store, maker, logger, trace = () => {}, retryMs = 50 } = options;

  /** Rule A: the next suffix only after a success that a later look does not find; else the same token again. */
  async function settle<Answer>(assignment: Assignment, token: string, { send, look }: Attempt<Answer>): Promise<Answer> {
    let attempt = 0;
    for (let tries = 0; ; tries += 1) {
      const suffixed = attempt === 0 ? token : `${token}:r${attempt}`;
      const answered = await sent(assignment, () => send(suffixed, attempt));
      const answer = await untilRead(assignment, look);
      if (answer !== null) return answer;
      if (answered) attempt += 1;
      else await pause(assignment, tries);
    }
  }

  /** True when the insert was answered with success; false when nobody knows. */
  async function sent(assignment: Assignment, insert: () => Promise<void>): Promise<boolean> {
    if (assignment.revoked.aborted) throw new Revoked();
    try {
      await insert();
      return true;
    } catch (error) {
      if (!(error instanceof AuditError) || isRefusedForGood(error)) throw error;
      logger.warn({ ...assignment.key, code: error.code, error: error.message }, 'an insert was not answered with success; reading back');
      return false;
    }
  }

  async function untilRead<Answer>(assignment: Assignment, look: () => Promise<Answer>): Promise<Answer> {
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

  async function decide(assignment: Assignment, wanted: Claim): Promise<Outcome> {
    trace('claim');
    return settle<Outcome>(assignment, claimToken(assignment.key, wanted.firstOffset), {
      send: (token, attempt) => ledger.insertClaim(assignment.key, { ...wanted, attempt }, token),
      look: async () => {
        const [claim, successor] = await ledger.claimsFrom(assignment.key, wanted.firstOffset, 2);
        if (claim === undefined) return null;
        if (claim.firstOffset > wanted.firstOffset || successor !== undefined) return { kind: 'late' };
        return { kind: isSame(claim, wanted) ? 'stored' : 'lost', claim };
      },
    });
  }

  async function storeOrRefuse(assignment: Assignment, claim: Claim, batch: Batch): Promise<Claim> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await storeAs(assignment, claim, batch);
      } catch (error) {
        if (error instanceof BelowFloor) return claim; // closed by definition
        if (!isRefusedForGood(error)) throw error;
        if (tries === 3) return storeWithoutRefused(assignment, claim, batch);
        await pause(assignment, tries);
      }
    }
  }

  async function storeWithoutRefused(assignment: Assignment, claim: Claim, batch: Batch): Promise<Claim> {
    const accepts = (block: Buffer) => untilRead(assignment, () => store.accepts(block));
    const refused = await refusedPositions(assignment.key, batch, { maker, accepts });
    const facts = { ...assignment.key, refused: [...refused] };
    logger.error(facts, 'the database refuses events for good; they become dead letters STORE_REFUSED');
    const rest = maker.make(assignment.key, batch.range, claim.receivedAt, refused);
    try {
      return await storeAs(assignment, claim, rest);
    } finally {
      rest.free();
    }
  }

  async function storeAs(assignment: Assignment, claim: Claim, batch: Batch): Promise<Claim> {
    const { key } = assignment;
    const isOther = batch.counts.normaliser !== claim.normaliser;
    // Dead letters of another normaliser outlive late ones of the claim's own.
    const stamped = { ...claim, normaliser: batch.counts.normaliser, revision: claim.revision + (isOther ? 1 : 0) };
    if (batch.deadLetters.length > 0) trace('dead letters');
    for (let tries = 0; !(await sent(assignment, () => store.insertDeadLetters(key, stamped, batch.deadLetters))); tries += 1)
      await pause(assignment, tries);
    if (batch.counts.events === 0 && claim.events === 0) {
      const judgement = await untilRead(assignment, async () => judge(claim, await store.found(key, claim)));
      return settled(assignment, { claim, batch, judgement: isOther ? { kind: 'other', counts: batch.counts } : judgement });
    }
    // Even where nothing is left to store, the token is used up: a late copy of what was claimed must find it taken.
    const block = (attempt: number) => (batch.counts.events === 0 ? gapMarker(key, claim, attempt) : batch.encode(attempt));
    return settled(assignment, { claim, batch, judgement: await storeUnderToken(assignment, claim, block) });
  }

  async function storeUnderToken(assignment: Assignment, claim: Claim, block: (attempt: number) => Buffer): Promise<Judgement> {
    return settle<Judgement>(assignment, claimToken(assignment.key, claim.firstOffset), {
      send: async (token, attempt) => {
        trace('events');
        // Dropping a day frees its tokens: a copy that comes after that would bring the day back.
        if (claim.receivedAt < (await store.floor())) throw new BelowFloor();
        if (assignment.revoked.aborted) throw new Revoked();
        await store.insertEvents(block(attempt), token);
      },
      look: async () => {
        trace('read back');
        const judgement = judge(claim, await store.found(assignment.key, claim));
        return judgement.kind === 'nothing' ? null : judgement;
      },
    });
  }

  /** What the tables show decides: complete as claimed, complete in itself under other counts, or a contradiction. */
  async function settled(assignment: Assignment, { claim, batch, judgement }: Judged): Promise<Claim> {
    const next = { revision: claim.revision + 1, attempt: 0 };
    if (judgement.kind === 'complete') return claim;
    if (judgement.kind === 'other') return revise(assignment, { ...claim, ...countsOf(judgement.counts), ...next });
    if (judgement.kind === 'marked' && batch?.counts.events === 0)
      return revise(assignment, { ...claim, ...countsOf(batch.counts), records: batch.counts.records, ...next });
    if (judgement.kind === 'marked') return revise(assignment, { ...claim, ...nothing, gapReason: 'RETENTION_OVERRUN', ...next });
    options.onInconsistent?.();
    throw new AuditError(
      'LEDGER_INCONSISTENT',
      `The batch at offset ${claim.firstOffset} of ${assignment.key.topic}/${assignment.key.partition} does not read back as claimed`,
      { facts: { claim, judgement } },
    );
  }

  async function revise(assignment: Assignment, revised: Claim): Promise<Claim> {
    const token = `${claimToken(assignment.key, revised.firstOffset)}:v${revised.revision}`;
    return settle<Claim>(assignment, token, {
      send: (suffixed, attempt) => ledger.insertRevision(assignment.key, { ...revised, attempt }, suffixed),
      look: async () => {
        const [claim] = await ledger.claimsFrom(assignment.key, revised.firstOffset, 1);
        return claim && claim.firstOffset === revised.firstOffset && claim.revision >= revised.revision ? claim : null;
      },
    });
  }

  /** The messages are gone: the token is used up first, so that nothing can come late, then the gap is on record. */
  async function completeAsGap(assignment: Assignment, claim: Claim): Promise<Claim> {
    const { key } = assignment;
    const judgement = await storeUnderToken(assignment, claim, (attempt) => gapMarker(key, claim, attempt));
    if (judgement.kind === 'marked')
      logger.error(
        { ...key, from: claim.firstOffset, to: claim.lastOffset },
        'claimed messages are gone from the log; the gap is on record',
      );
    return settled(assignment, { claim, batch: null, judgement });
  }

  return {
    async write(assignment, batch, sequence) {
      const wanted = claimOf(batch, { writer: options.writer, sequence });
      const outcome = await decide(assignment, wanted);
      return outcome.kind === 'stored' ? { kind: 'stored', claim: await storeOrRefuse(assignment, outcome.claim, batch) } : outcome;
    },
    async complete(assignment, claim, batch) {
      if (claim.receivedAt < (await untilRead(assignment, () => store.floor()))) return claim; // closed by definition
      const before = await untilRead(assignment, () => store.found(assignment.key, claim));
      const judgement = judge(claim, before);
      const isOpen = judgement.kind === 'nothing' || judgement.kind === 'letters missing' || judgement.kind === 'marked';
      if (!isOpen) return settled(assignment, { claim, batch, judgement });
      if (batch === null)
        return claim.events > 0 ? completeAsGap(assignment, claim) : settled(assignment, { claim, batch, judgement: { kind: 'marked' } });
      return storeOrRefuse(assignment, claim, batch);
    },
    claimOnly: (assignment, claim) => decide(assignment, { ...claim, writer: options.writer }),
    async isComplete(key, claim) {
      return claim.settled || judge(claim, await store.found(key, claim)).kind === 'complete';
    },
  };
}

/** The retention floor has passed the claim: nothing may be stored for it any more. */
class BelowFloor extends Error {
  override readonly name = 'BelowFloor';
}

interface Judged {
  readonly claim: Claim;
  /** What we would store; null when its messages are gone. */
  readonly batch: Batch | null;
  readonly judgement: Judgement;
}

const nothing = { events: 0, records: 0, rejected: 0, skipped: 0, normaliser: gapNormaliser };

interface Attempt<Answer> {
  readonly send: (token: string, attempt: number) => Promise<void>;
  /** null: nothing is there. */
  readonly look: () => Promise<Answer | null>;
}

function claimOf(batch: Batch, { writer, sequence }: { readonly writer: string; readonly sequence: number }): Claim {
  return { ...batch.counts, note: '', settled: false, attempt: 0, writer, revision: 0, sequence };
}

/** Our claim, whatever attempt brought it there; the same writer may have asked for another range in an earlier assignment. */
function isSame(claim: Claim, wanted: Claim): boolean {
  const fields = Object.keys(wanted) as (keyof Claim)[]; // claimOf makes claims alone
  return fields.every((field) => field === 'attempt' || claim[field] === wanted[field]);
}

type Counts = Pick<Claim, 'events' | 'rejected' | 'skipped' | 'normaliser'>;

/** Only what a revision may change. */
function countsOf({ events, rejected, skipped, normaliser }: Counts): Counts {
  return { events, rejected, skipped, normaliser };
}

export type Judgement =
  | { readonly kind: 'complete' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'letters missing' }
  /** The gap marker has used up the token. */
  | { readonly kind: 'marked' }
  /** One batch, complete in itself, but not as claimed: stored by another normaliser, or without what the database refused. */
  | { readonly kind: 'other'; readonly counts: Counts }
  | { readonly kind: 'contradiction'; readonly found: Found };

/** Compares a claim with what stands in its range. */
export function judge(claim: Claim, found: Found): Judgement {
  if (claim.normaliser === gapNormaliser) return { kind: 'complete' };
  const letters = found.deadLetters[claim.normaliser] ?? 0;
  const isMarked = found.events === 1 && found.normalisers.length === 1 && found.normalisers[0] === gapNormaliser;
  if (isMarked && claim.events > 0) return { kind: 'marked' };
  if (isMarked || found.events === 0) {
    if (claim.events > 0) return { kind: 'nothing' };
    if (letters === claim.rejected) return { kind: 'complete' };
    return letters < claim.rejected ? { kind: 'letters missing' } : { kind: 'contradiction', found };
  }
  const [normaliser, otherNormaliser] = found.normalisers;
  const isOneBatch =
    found.events === found.distinct &&
    found.batchEvents.length === 1 &&
    found.batchEvents[0] === found.events &&
    otherNormaliser === undefined;
  if (!isOneBatch || normaliser === undefined) return { kind: 'contradiction', found };
  const rejected = found.deadLetters[normaliser] ?? 0;
  if (normaliser === claim.normaliser && found.events === claim.events && rejected === claim.rejected) return { kind: 'complete' };
  const skipped = claim.records - found.events - rejected;
  const explains = normaliser === claim.normaliser ? skipped === claim.skipped && found.events < claim.events : skipped >= 0;
  return explains ? { kind: 'other', counts: { events: found.events, rejected, skipped, normaliser } } : { kind: 'contradiction', found };
}
