/** Reading back decides: what stands in the range of a claim, held against what the claim says. */
import type { Found } from '../storage/batch-store.ts';
import type { Claim } from '../storage/ledger.ts';
import { gapNormaliser } from './marker.ts';

/** What a revision may change, besides the reason of a gap. */
export type Counts = Pick<Claim, 'records' | 'events' | 'rejected' | 'skipped' | 'normaliser'>;

export type Judgement =
  | { readonly kind: 'complete' }
  /** Not decided yet: no insert of events has used up the token, or dead letters are missing. */
  | { readonly kind: 'nothing' }
  /** One batch, complete in itself, but not as claimed: stored by another normaliser, or without what the database refused. */
  | { readonly kind: 'other'; readonly counts: Counts }
  /** The messages were gone, and a marker has used up the token. */
  | { readonly kind: 'gap' }
  | { readonly kind: 'contradiction'; readonly found: Found };

/**
 * Each normaliser has dead letters of its own and writes them before its events. So the one insert of events that the token
 * let through says whose dead letters count, and all of those are there.
 */
export function judge(claim: Claim, found: Found): Judgement {
  if (claim.normaliser === gapNormaliser) return { kind: 'complete' };
  if (found.events === 0) return judgeLetters(claim, found);
  const [normaliser] = found.normalisers;
  const [batchEvents] = found.batchEvents;
  const isMarker = batchEvents === 0 && found.events === 1;
  const isOneBatch =
    found.normalisers.length === 1 &&
    found.batchEvents.length === 1 &&
    found.events === found.distinct &&
    (isMarker || batchEvents === found.events);
  if (!isOneBatch || normaliser === undefined) return { kind: 'contradiction', found };
  if (normaliser === gapNormaliser) return { kind: 'gap' };
  const events = isMarker ? 0 : found.events;
  const rejected = found.deadLetters[normaliser] ?? 0;
  if (normaliser === claim.normaliser) {
    if (events === claim.events && rejected === claim.rejected) return { kind: 'complete' };
    const isRefused = events < claim.events && events + rejected === claim.events + claim.rejected;
    if (!isRefused) return { kind: 'contradiction', found };
  }
  // Another reader may find more records in the same messages, a list where the claimer saw one.
  const records = Math.max(claim.records, events + rejected);
  return { kind: 'other', counts: { records, events, rejected, skipped: records - events - rejected, normaliser } };
}

/** A claim without events uses up no token: its own dead letters decide. */
function judgeLetters(claim: Claim, found: Found): Judgement {
  const letters = found.deadLetters[claim.normaliser] ?? 0;
  if (claim.events > 0 || letters < claim.rejected) return { kind: 'nothing' };
  return letters === claim.rejected ? { kind: 'complete' } : { kind: 'contradiction', found };
}

/** Rows of one batch that went after it was stored whole, as retention takes those of a class: a part is never written in part. */
export function isThinned({ events, distinct, batchEvents, normalisers }: Found): boolean {
  return normalisers.length === 1 && batchEvents.length === 1 && events === distinct && events < (batchEvents[0] ?? 0);
}
