/**
 * The write protocol: claim, dead letters, events, read back. Whatever crashes, is held back or comes late, a range of a
 * partition is stored once: the claim decides what the batch is, and everything after it can be repeated by anyone with
 * the same result. No insert counts before its read back; what the engine says it wrote is never believed.
 */
import { AuditError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { BatchStore } from '../storage/batch-store.ts';
import { type Claim, claimToken, type Ledger, type PartitionKey } from '../storage/ledger.ts';
import { isRefusedForGood } from '../storage/refusals.ts';
import { type Batch, type BatchMaker, claimedWithoutEvents, storeRefused } from './batch.ts';
import { type Counts, isThinned, judge, type Judgement } from './judge.ts';
import { gapNormaliser, marker } from './marker.ts';
import { findRefused } from './refused.ts';
import { createRevise } from './revise.ts';
import { type Assignment, createSettling, Revoked } from './settle.ts';

export type Step = 'fetch' | 'decode' | 'claim' | 'dead letters' | 'events' | 'read back' | 'commit';

export interface WriterOptions {
  readonly ledger: Ledger;
  readonly store: BatchStore;
  readonly maker: BatchMaker;
  /** Unique per process: tells our claim from another's. */
  readonly writer: string;
  readonly logger: Logger;
  /** Keeps the messages of dead letters, where that is wanted; may be repeated. */
  readonly keep?: (key: PartitionKey, batch: Batch) => Promise<void>;
  /** Told at the start of each step; for tests that kill in the middle of one. */
  readonly trace?: (step: Step) => void;
  /** Told when a batch does not read back as claimed: the counter that must stay 0. */
  readonly onInconsistent?: () => void;
  /** First wait after a try that failed; doubles up to a hundred times that. Default 50 ms. */
  readonly retryMs?: number;
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

/** A claim that is being stored. */
interface Open {
  readonly assignment: Assignment;
  readonly claim: Claim;
  /** Before this instant nobody can have stored it, by `performance.now()`. */
  readonly since: number;
}

/** A minute is far less than a quarter of the 100,000 inserts after which a table forgets a token. */
const tokenIsKnownMs = 60_000;

/** Retention is a day at least, so that what was received an hour ago is below no floor, whatever clocks differ by. */
const belowNoFloorMs = 3_600_000;

export function createWriter(options: WriterOptions): Writer {
  const { ledger, store, maker, logger, keep, trace = () => {} } = options;
  const settling = createSettling({ ...options, replicated: store.replicated === true });
  const { settle, insist, read, pause } = settling;
  const revise = createRevise(ledger, settling);

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

  /** Everything after the claim. `batch` is null when its messages are gone. Gives the claim as it then reads. */
  async function finish(open: Open, batch: Batch | null): Promise<Claim> {
    try {
      if (batch === null) return await storeGap(open);
      if (open.claim.events > 0 || batch.counts.events === 0) return await storeOrRefuse(open, batch);
      // A claim without events has no insert that could decide between two readers, so it stays without.
      return await storeInstead(open, maker.make(open.assignment.key, batch.range, open.claim.receivedAt, claimedWithoutEvents));
    } catch (error) {
      if (error instanceof ClosedAlready) return error.claim;
      throw error;
    }
  }

  async function storeOrRefuse(open: Open, batch: Batch): Promise<Claim> {
    const { key } = open.assignment;
    for (let tries = 1; ; tries += 1) {
      try {
        return await storeAs(open, batch);
      } catch (error) {
        if (!isRefusedForGood(error)) throw error;
        if (tries === 3) break;
        await pause(open.assignment, tries);
      }
    }
    const accepts = (block: Buffer) => read(open.assignment, () => store.accepts(block));
    const refused = await findRefused(key, batch, { maker, accepts });
    logger.error({ ...key, refused: [...refused] }, 'the database refuses events for good; they become dead letters STORE_REFUSED');
    return storeInstead(open, maker.make(key, batch.range, open.claim.receivedAt, storeRefused(refused)));
  }

  async function storeInstead(open: Open, batch: Batch): Promise<Claim> {
    try {
      return await storeAs(open, batch);
    } finally {
      batch.free();
    }
  }

  async function storeAs(open: Open, batch: Batch): Promise<Claim> {
    const { assignment, claim } = open;
    if (batch.deadLetters.length > 0) trace('dead letters');
    await insist(assignment, () => store.insertDeadLetters(assignment.key, batch.counts, batch.deadLetters));
    if (keep !== undefined && batch.deadLetters.length > 0) await insist(assignment, () => keep(assignment.key, batch));
    if (claim.events > 0) return conclude(open, await storeEvents(open, (attempt) => batch.encode(attempt)), batch.counts);
    const judgement = await read(assignment, () => look(open));
    const isOther = judgement.kind === 'nothing' && batch.counts.normaliser !== claim.normaliser;
    return conclude(open, isOther ? { kind: 'other', counts: batch.counts } : judgement, batch.counts);
  }

  async function storeEvents(open: Open, block: (attempt: number) => Buffer): Promise<Judgement> {
    const { assignment, claim } = open;
    return settle<Judgement>(assignment, claimToken(assignment.key, claim.firstOffset), {
      async send(token, attempt) {
        trace('events');
        if (await isUnstored(open)) await store.insertEvents(block(attempt), token, { ...assignment.key, shard: claim.shard });
      },
      async look() {
        const judgement = await look(open);
        return judgement.kind === 'nothing' ? null : judgement;
      },
    });
  }

  async function look({ assignment, claim }: Open): Promise<Judgement> {
    trace('read back');
    return judge(claim, await store.found(assignment.key, claim));
  }

  /** Right before the events: nothing may be stored for a claim that is closed by definition, or whose events are there. */
  async function isUnstored(open: Open): Promise<boolean> {
    const { assignment, claim, since } = open;
    const askedAt = performance.now();
    // Dropping a day frees its tokens: a copy that comes after that would bring the day back. No floor is younger than a day.
    if (Date.now() - claim.receivedAt > belowNoFloorMs && claim.receivedAt < (await store.floor())) throw new ClosedAlready(claim);
    if (askedAt - since > tokenIsKnownMs) {
      const [current = claim, successor] = await ledger.claimsFrom(assignment.key, claim.firstOffset, 2);
      if (successor !== undefined || current.settled) throw new ClosedAlready(current);
      // Another writer may have stored it in an idle partition, so long ago that its token is forgotten.
      if ((await look(open)).kind !== 'nothing') return false;
    }
    if (assignment.revoked.aborted) throw new Revoked();
    // To a process that was suspended meanwhile the answers are as old as its sleep: it asks again.
    return performance.now() - askedAt <= tokenIsKnownMs || isUnstored({ ...open, since: -Infinity });
  }

  /** The messages are gone: the token is used up first, so that nothing can come late, then the gap is on record. */
  async function storeGap(open: Open): Promise<Claim> {
    const { assignment, claim } = open;
    const asGap = (attempt: number) => marker(assignment.key, { ...claim, normaliser: gapNormaliser }, attempt);
    const judgement: Judgement = claim.events > 0 ? await storeEvents(open, asGap) : { kind: 'gap' };
    return conclude(open, judgement, null);
  }

  /** What the tables show decides: complete as claimed, complete in itself under other counts, or a contradiction. */
  async function conclude(
    { assignment, claim }: Pick<Open, 'assignment' | 'claim'>,
    judgement: Judgement,
    ours: Counts | null,
  ): Promise<Claim> {
    if (judgement.kind === 'complete') return claim;
    if (judgement.kind === 'other') return revise(assignment, { ...claim, ...exact(judgement.counts, ours) });
    if (judgement.kind === 'gap') {
      const { firstOffset: from, lastOffset: to } = claim;
      logger.error({ ...assignment.key, from, to }, 'claimed messages are gone from the log; the gap is on record');
      return revise(assignment, { ...claim, ...nothing, gapReason: 'RETENTION_OVERRUN' });
    }
    if (judgement.kind === 'nothing' || isThinned(judgement.found)) {
      const closed = await read(assignment, () => closedMeanwhile(assignment, claim));
      if (closed !== null) return closed;
    }
    options.onInconsistent?.();
    throw new AuditError(
      'LEDGER_INCONSISTENT',
      `The batch at offset ${claim.firstOffset} of ${assignment.key.topic}/${assignment.key.partition} does not read back as claimed`,
      { facts: { claim, judgement } },
    );
  }

  /** What stood there whole may be less since, or gone: retention takes from claims that are closed, and from those alone. */
  async function closedMeanwhile({ key }: Assignment, claim: Claim): Promise<Claim | null> {
    const [current = claim, successor] = await ledger.claimsFrom(key, claim.firstOffset, 2);
    return current.settled || successor !== undefined || claim.receivedAt < (await store.floor()) ? current : null;
  }

  return {
    async write(assignment, batch, sequence) {
      const since = performance.now(); // before it is claimed: another may store it while the answer is on its way
      const wanted = claimOf(batch, { writer: options.writer, sequence });
      const outcome = await decide(assignment, wanted);
      if (outcome.kind !== 'stored') return outcome;
      return { kind: 'stored', claim: await finish({ assignment, claim: outcome.claim, since }, batch) };
    },
    async complete(assignment, claim, batch) {
      if (claim.settled || claim.receivedAt < (await read(assignment, () => store.floor()))) return claim; // closed by definition
      // Nobody knows how old it is: the ledger is asked again before anything is stored for it.
      const open = { assignment, claim, since: -Infinity };
      const judgement = await read(assignment, () => look(open));
      return judgement.kind === 'nothing' ? finish(open, batch) : conclude(open, judgement, batch?.counts ?? null);
    },
    claimOnly: (assignment, claim) => decide(assignment, { ...claim, writer: options.writer }),
    async isComplete(key, claim) {
      return claim.settled || judge(claim, await store.found(key, claim)).kind === 'complete';
    },
  };
}

/** The retention floor has passed the claim, it is settled, or a later one stands behind it: it is closed as it reads. */
class ClosedAlready extends Error {
  override readonly name = 'ClosedAlready';
  readonly claim: Claim;
  constructor(claim: Claim) {
    super();
    this.claim = claim;
  }
}

const nothing = { records: 0, events: 0, rejected: 0, skipped: 0, normaliser: gapNormaliser };

function claimOf(batch: Batch, { writer, sequence }: { readonly writer: string; readonly sequence: number }): Claim {
  return { ...batch.counts, note: '', settled: false, attempt: 0, writer, revision: 0, sequence };
}

/** Our claim, whatever attempt brought it there; the same writer may have asked for another range in an earlier assignment. */
function isSame(claim: Claim, wanted: Claim): boolean {
  const fields = Object.keys(wanted) as (keyof Claim)[]; // claimOf makes claims alone
  return fields.every((field) => field === 'attempt' || claim[field] === wanted[field]);
}

/** What was found does not tell how much its reader skipped; whoever has made the same batch knows. */
function exact(found: Counts, ours: Counts | null): Counts {
  const isOurs = ours?.normaliser === found.normaliser && ours.events === found.events && ours.rejected === found.rejected;
  const { records, events, rejected, skipped, normaliser } = isOurs ? ours : found;
  return { records, events, rejected, skipped, normaliser };
}
