// The product's own writer, without a log: claim, dead letters, events, read back, batch after batch of one partition.

export async function createBenchWriter(clickhouse, maker) {
  const { createWriter } = await import('../dist/ingest/write.js');
  const { openLedger } = await import('../dist/storage/ledger.js');
  const { openBatchStore } = await import('../dist/storage/batch-store.js');
  const { originClaim } = await import('../dist/storage/positions.js');
  const { silentLogger } = await import('../dist/core/logger.js');
  const [ledger, store] = [openLedger(clickhouse), openBatchStore(clickhouse)];
  const writer = createWriter({ ledger, store, maker, writer: 'bench', logger: silentLogger });
  const revoked = new AbortController().signal;
  const sequences = new Map();

  return {
    /** One range of messages: batched, claimed, stored, read back. Ranges of a partition come in order. */
    async write(key, range) {
      const place = `${key.topic}/${key.partition}`;
      const receivedAt = Date.now();
      if (!sequences.has(place)) {
        await writer.claimOnly({ key, revoked }, originClaim(range.firstOffset, { receivedAt, writer: '', note: 'earliest' }));
        sequences.set(place, 0);
      }
      const batch = maker.make(key, range, receivedAt);
      sequences.set(place, sequences.get(place) + 1);
      const outcome = await writer.write({ key, revoked }, batch, sequences.get(place));
      if (outcome.kind !== 'stored') throw new Error(`the batch at ${range.firstOffset} was ${outcome.kind}`);
      if (outcome.claim.events !== range.messages.length) throw new Error('not every record could be read');
      batch.free();
    },
  };
}
