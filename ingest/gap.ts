/** The marker that stands in the place of events whose messages were gone before they could be stored. No reader sees it: it has no tenant. */
import { emptyEvent } from '../schemas/event.ts';
import { createEventBlock } from '../storage/block.ts';
import type { Claim, PartitionKey } from '../storage/ledger.ts';

/** Stands in the place of a normaliser, so that the part describes itself. */
export const gapNormaliser = 'gap';

export function gapMarker(key: PartitionKey, claim: Claim, attempt: number): Buffer {
  const block = createEventBlock();
  block.add({ ...emptyEvent(), timestamp: claim.receivedAt * 1000, time_source: 'ingest', source_format: 'gap' }, claim.firstOffset, 0);
  return block.encode({ ...key, receivedAt: claim.receivedAt, replay: 0, attempt, normaliser: gapNormaliser });
}
