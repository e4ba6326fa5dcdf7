/** Whole batches for tests of who follows the ledger: a claim and its events, as ingest leaves them, by plain SQL. */
import { claimRow, eventRow, writeClaims, writeEvents } from './events.ts';
import type { SqlServer } from './sql.ts';

export interface BatchOptions {
  readonly partition?: number;
  /** Arrival, `2026-11-23 00:00:00.000`. */
  readonly receivedAt?: string;
  /** What of the batch is there; both when nothing is said. */
  readonly only?: 'claim' | 'events';
  readonly claim?: object;
}

/** `values` are those of each event; the first gets the offset `first`. */
export async function writeBatch(
  server: SqlServer,
  database: string,
  { first, events }: { readonly first: number; readonly events: readonly (Record<string, unknown> & { readonly timestamp: string })[] },
  { partition = 0, receivedAt = '2026-11-23 00:00:00.000', only, claim = {} }: BatchOptions = {},
): Promise<void> {
  const times = events.map(({ timestamp }) => timestamp).toSorted();
  const place = { kafka_partition: partition, received_at: receivedAt };
  const range = { first_offset: first, last_offset: first + events.length - 1 };
  if (only !== 'events')
    await writeClaims(server, database, [claimRow({ ...range, ...place, min_timestamp: times[0], max_timestamp: times.at(-1), ...claim })]);
  if (only === 'claim') return;
  const rows = events.map((values, at) => eventRow({ ...values, ...place, kafka_offset: first + at, batch_events: events.length }));
  await writeEvents(server, database, rows);
}
