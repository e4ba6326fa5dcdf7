/** Finds the events that the database refuses for good, so that they become dead letters and the others are stored. */
import type { PartitionKey } from '../storage/ledger.ts';
import type { Batch, BatchMaker } from './batch.ts';

interface Trial {
  readonly maker: BatchMaker;
  /** Whether a block could be stored; it is tried beside the table and leaves nothing. */
  accepts(block: Buffer): Promise<boolean>;
}

/** Positions `offset/index`, found by halving the messages; of a message, all its elements. */
export async function findRefused(key: PartitionKey, batch: Batch, trial: Trial): Promise<ReadonlySet<string>> {
  const refused = new Set<string>();
  const search = async (messages: Batch['range']['messages']): Promise<void> => {
    const first = messages[0];
    if (first === undefined) return;
    const part = trial.maker.make(key, { ...batch.range, messages }, batch.counts.receivedAt);
    const accepted = part.counts.events === 0 || (await trial.accepts(part.encode(0)));
    part.free();
    if (accepted) return;
    if (messages.length === 1) {
      for (let index = 0; index < part.counts.records; index += 1) refused.add(`${first.offset}/${index}`);
      return;
    }
    const half = messages.length >> 1;
    await search(messages.slice(0, half));
    await search(messages.slice(half));
  };
  await search(batch.range.messages);
  return refused;
}
