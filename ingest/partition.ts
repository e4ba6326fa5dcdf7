/**
 * The life of one assigned partition: find the position in the ledger, see that the log is still the one it names, complete
 * what a predecessor left open, then batch after batch. Kafka's committed offset is a hint for lag tools and decides nothing.
 */
import { within } from '../core/clock.ts';
import { AuditError, messageOf } from '../core/errors.ts';
import type { Claim } from '../storage/ledger.ts';
import { emptyClaim } from '../storage/positions.ts';
import { collect } from './collect.ts';
import { beginLife, type Life, type PartitionOptions, stops } from './life.ts';
import type { AssignedPartition, Fetched } from './log.ts';
import { Revoked } from './settle.ts';
import { completeTheirs, logReplaced, takeOver } from './take-over.ts';

/** Runs until the partition is taken away. @throws what is no fault of the data or of a server that is away: the process should end. */
export async function runPartition(log: AssignedPartition, options: PartitionOptions): Promise<void> {
  const { topic, partition, revoked } = log;
  try {
    await follow(await beginLife(log, options));
  } catch (error) {
    if (revoked.aborted || error instanceof Revoked) return;
    if (!(error instanceof AuditError) || !stops.has(error.code)) throw error;
    const key = { logId: options.logId, sourceEpoch: 0, topic, partition };
    options.logger.error({ ...key, code: error.code, error: error.message }, 'the partition stands still');
    options.onStopped(key, error);
  }
}

async function follow(life: Life): Promise<void> {
  const { key, log, options, patiently } = life;
  let tail = await takeOver(life);
  for (log.seek(tail.lastOffset + 1); !life.revoked.aborted;) {
    options.trace?.('fetch');
    const fetched = await patiently(() => log.next({ maxWaitMs: 1_000, maxBytes: options.limits.bytes }));
    if (fetched.to > fetched.from) {
      tail = await storeNext(life, tail, fetched);
    } else if (fetched.low > fetched.from) {
      tail = await recordGap(life, tail, fetched.low - 1);
      log.seek(tail.lastOffset + 1);
    } else if (fetched.high < fetched.from) {
      throw logReplaced(key, `its end is ${fetched.high}, the ledger is at ${fetched.from}`);
    }
  }
}

/** One batch, from its first messages to the claim that then ends the chain; the log is where that claim ends. */
async function storeNext(life: Life, tail: Claim, first: Fetched): Promise<Claim> {
  const { key, log, options, patiently } = life;
  const receivedAt = await patiently(async () => Math.max(options.databaseClock.now(), tail.receivedAt));
  const batch = await collect(life, first, receivedAt);
  const outcome = await options.writer.write(life, batch, tail.sequence + 1);
  let claim: Claim;
  if (outcome.kind === 'stored') {
    claim = outcome.claim;
    options.onStored(key, claim);
    await hint(life, claim);
  } else {
    options.logger.info({ ...key, at: first.from, outcome: outcome.kind }, 'another writer has this position');
    claim = outcome.kind === 'lost' ? await completeTheirs(life, outcome.claim, batch) : await takeOver(life);
    log.seek(claim.lastOffset + 1);
  }
  batch.free();
  return claim;
}

/** Retention was faster than we: what is gone is on record, never passed over in silence. */
async function recordGap(life: Life, tail: Claim, to: number): Promise<Claim> {
  const { key, options, patiently } = life;
  const receivedAt = await patiently(async () => Math.max(options.databaseClock.now(), tail.receivedAt));
  const { sequence } = tail;
  const range = { firstOffset: tail.lastOffset + 1, lastOffset: to };
  const gap = emptyClaim(range, { receivedAt, sequence: sequence + 1, writer: '', note: '', gapReason: 'RETENTION_OVERRUN' });
  const outcome = await options.writer.claimOnly(life, gap);
  options.logger.error({ ...key, from: gap.firstOffset, to }, 'the log no longer has these offsets; the gap is on record');
  if (outcome.kind === 'late') return takeOver(life);
  // Another writer still had the messages: its batch is completed as it stands.
  return outcome.kind === 'lost' ? completeTheirs(life, outcome.claim, null) : outcome.claim;
}

/** A coordinator that stands still holds up nothing: the ledger has the position. */
const hintMs = 2_000;

async function hint({ log, options }: Life, claim: Claim): Promise<void> {
  options.trace?.('commit');
  try {
    await within(hintMs, log.commit(claim.lastOffset + 1));
  } catch (error) {
    const facts = { topic: log.topic, partition: log.partition, error: messageOf(error) };
    options.logger.debug(facts, 'the log did not take the position; the ledger has it');
  }
}
