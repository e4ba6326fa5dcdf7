/**
 * The one row that stands in the place of events where a batch has none to store: it uses up the token, so that a late copy
 * finds it taken, and names the reader whose dead letters count. It says that its batch has 0 events, and no reader sees
 * it: it has no tenant.
 */
import { emptyEvent } from '../schemas/event.ts';
import { createEventBlock } from '../storage/block.ts';
import type { Claim, PartitionKey } from '../storage/ledger.ts';

/** Stands in the place of a normaliser where the messages were gone before they could be stored. */
export const gapNormaliser = 'gap';

export function marker(
  key: PartitionKey,
  batch: Pick<Claim, 'firstOffset' | 'receivedAt' | 'normaliser' | 'replay'>,
  attempt: number,
): Buffer {
  const { firstOffset, receivedAt, normaliser, replay = 0 } = batch;
  const block = createEventBlock();
  block.add({ ...emptyEvent(), timestamp: receivedAt * 1000, time_source: 'ingest', source_format: 'gap' }, firstOffset, 0);
  return block.encode({ ...key, receivedAt, replay, attempt, normaliser, batchEvents: 0 });
}
