/**
 * The life of one assigned partition: find the position in the ledger, see that the log is still the one it names, complete
 * what a predecessor left open, then batch after batch. Kafka's committed offset is a hint for lag tools and decides nothing.
 */
import { sleep, type Clock } from '../core/clock.ts';
import { AuditError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { BatchStore } from '../storage/batch-store.ts';
import { type Claim, type GapReason, type Ledger, originOffset, type PartitionKey } from '../storage/ledger.ts';
import { lastClaim } from '../storage/positions.ts';
import { type Batch, type BatchMaker, sha256Of } from './batch.ts';
import type { AssignedPartition, Fetched, LogMessage } from './log.ts';
import { type Assignment, Revoked, type Step, type Writer } from './write.ts';

export interface BatchLimits {
  /** A batch closes at the first of these. */
  readonly rows: number;
  readonly bytes: number;
  readonly ms: number;
}

export const defaultLimits: BatchLimits = { rows: 20_000, bytes: 16 * 1024 * 1024, ms: 1_000 };

export interface PartitionOptions {
  readonly logId: string;
  readonly ledger: Ledger;
  readonly store: BatchStore;
  readonly maker: BatchMaker;
  readonly writer: Writer;
  /** ClickHouse's clock as this process knows it. @throws CLOCK_SKEW when this machine is more than a minute off */
  readonly databaseClock: Clock;
  /** Where a partition that the ledger does not know begins. */
  readonly start: 'earliest' | 'latest';
  readonly limits: BatchLimits;
  readonly logger: Logger;
  /** Told of each batch that is stored and read back. */
  readonly onStored: (key: PartitionKey, claim: Claim) => void;
  /** The partition stands still for good: its code says why. Others go on. */
  readonly onStopped: (key: PartitionKey, error: AuditError) => void;
  readonly trace?: (step: Step) => void;
  /** The last claim; a test makes a writer forget the ledger here. */
  readonly position?: (key: PartitionKey) => Promise<Claim | null>;
}

/** Runs until the partition is taken away. @throws what is no fault of the data or of a server that is away: the process should end. */
export async function runPartition(partition: AssignedPartition, options: PartitionOptions): Promise<void> {
  const { topic, revoked } = partition;
  try {
    const sourceEpoch = await patiently(partition, options, () => options.ledger.sourceEpoch(options.logId, topic));
    await follow(partition, { key: { logId: options.logId, sourceEpoch, topic, partition: partition.partition }, revoked }, options);
  } catch (error) {
    if (revoked.aborted || error instanceof Revoked) return;
    if (!(error instanceof AuditError) || !stops.has(error.code)) throw error;
    const key = { logId: options.logId, sourceEpoch: 0, topic, partition: partition.partition };
    options.logger.error({ ...key, code: error.code, error: error.message }, 'the partition stands still');
    options.onStopped(key, error);
  }
}

const stops: ReadonlySet<string> = new Set(['LOG_REPLACED', 'EVENTS_AHEAD_OF_LEDGER', 'LEDGER_INCONSISTENT', 'CONFIG_INVALID']);

async function follow(partition: AssignedPartition, assignment: Assignment, options: PartitionOptions): Promise<void> {
  const patient = <Result>(work: () => Promise<Result>) => patiently(partition, options, work);
  let tail = await takeOver(partition, assignment, options);
  for (partition.seek(tail.lastOffset + 1); !assignment.revoked.aborted;) {
    options.trace?.('fetch');
    const first = await patient(() => partition.next({ maxWaitMs: 1_000, maxBytes: options.limits.bytes }));
    if (first.to === first.from) {
      if (first.low > first.from) tail = await recordGap(partition, assignment, { tail, to: first.low - 1, options });
      else if (first.high < first.from) throw replaced(assignment.key, `its end is ${first.high}, the ledger is at ${first.from}`);
      else continue;
      partition.seek(tail.lastOffset + 1);
      continue;
    }
    const receivedAt = await patient(async () => Math.max(options.databaseClock.now(), tail.receivedAt));
    const batch = await collect(partition, { first, key: assignment.key, receivedAt, options });
    const outcome = await options.writer.write(assignment, batch, tail.sequence + 1);
    if (outcome.kind === 'stored') {
      tail = outcome.claim;
      options.onStored(assignment.key, tail);
      await hint(partition, tail, options);
    } else {
      options.logger.info({ ...assignment.key, at: first.from, outcome: outcome.kind }, 'another writer has this position');
      tail =
        outcome.kind === 'lost'
          ? await completeTheirs(partition, assignment, { claim: outcome.claim, batch, options })
          : await takeOver(partition, assignment, options);
      partition.seek(tail.lastOffset + 1);
    }
    batch.free();
  }
}

/** From the ledger to the end of its chain: the last claim, checked against the log and complete. */
async function takeOver(partition: AssignedPartition, assignment: Assignment, options: PartitionOptions): Promise<Claim> {
  const { key } = assignment;
  const patient = <Result>(work: () => Promise<Result>) => patiently(partition, options, work);
  const position = options.position ?? ((place: PartitionKey) => lastClaim(options.ledger, options.store, place));
  const found = await patient(() => position(key));
  const tail = found ?? (await originOf(partition, assignment, options));
  await patient(() => assertSameLog(partition, key, tail));
  if (!(await patient(() => options.writer.isComplete(key, tail)))) {
    options.logger.info({ ...key, from: tail.firstOffset, to: tail.lastOffset }, 'completing the batch that a predecessor left open');
    return completeTheirs(partition, assignment, { claim: tail, batch: null, options });
  }
  return tail;
}

/** The first row of a partition says where reading starts, so that two first writers cannot start differently. */
async function originOf(partition: AssignedPartition, assignment: Assignment, options: PartitionOptions): Promise<Claim> {
  const { low, high } = await patiently(partition, options, () => partition.bounds());
  const start = options.start === 'earliest' ? low : high;
  const outcome = await options.writer.claimOnly(assignment, {
    ...emptyClaim(originOffset, start - 1, options),
    note: options.start,
    receivedAt: options.databaseClock.now(),
  });
  return outcome.kind === 'late' ? takeOver(partition, assignment, options) : outcome.claim;
}

function emptyClaim(firstOffset: number, lastOffset: number, { maker }: PartitionOptions): Claim {
  const nothing = {
    messages: 0,
    records: 0,
    events: 0,
    rejected: 0,
    skipped: 0,
    minTimestamp: 0,
    maxTimestamp: 0,
    lastTimestamp: 0,
    attempt: 0,
    revision: 0,
    sequence: 0,
  };
  return {
    ...nothing,
    firstOffset,
    lastOffset,
    gapReason: '',
    note: '',
    receivedAt: 0,
    normaliser: maker.normaliser,
    lastSha256: '',
    settled: false,
    writer: '',
  };
}

/** The message at the end of the ledger must still be the same one, where the log still has it. */
async function assertSameLog(partition: AssignedPartition, key: PartitionKey, tail: Claim): Promise<void> {
  const { low, high } = await partition.bounds();
  if (high < tail.lastOffset + 1) throw replaced(key, `its end is ${high}, the ledger is at ${tail.lastOffset + 1}`);
  if (tail.lastSha256 === '' || low > tail.lastOffset) return;
  partition.seek(tail.lastOffset);
  const { messages } = await partition.next({ maxWaitMs: 5_000, maxBytes: 1 });
  const last = messages[0];
  if (last?.offset === tail.lastOffset && sha256Of(last) !== tail.lastSha256) {
    throw replaced(key, `the message at offset ${tail.lastOffset} is another one`);
  }
}

function replaced({ topic, partition }: PartitionKey, why: string): AuditError {
  const message = `${topic}/${partition} is not the log that the ledger knows: ${why}. If the topic was made anew on purpose, accept it with gatetrail positions new-epoch --topic ${topic} --reason TEXT`;
  return new AuditError('LOG_REPLACED', message);
}

interface Completing {
  readonly claim: Claim;
  /** What this writer had collected from the same position on, if anything. */
  readonly batch: Batch | null;
  readonly options: PartitionOptions;
}

/** Another's claim is completed as it stands: exactly its range, with its time. */
async function completeTheirs(partition: AssignedPartition, assignment: Assignment, { claim, batch, options }: Completing): Promise<Claim> {
  const messages = covers(batch, claim)
    ? batch.range.messages.filter(({ offset }) => offset <= claim.lastOffset)
    : await readAgain(partition, claim, options);
  const theirs = messages === null ? null : options.maker.make(assignment.key, { ...claim, messages }, claim.receivedAt);
  const completed = await options.writer.complete(assignment, claim, theirs);
  theirs?.free();
  options.onStored(assignment.key, completed);
  return completed;
}

function covers(batch: Batch | null, claim: Claim): batch is Batch {
  return batch !== null && batch.range.firstOffset === claim.firstOffset && batch.range.lastOffset >= claim.lastOffset;
}

/** The messages of a claim from the log; null when it no longer has all of them. */
async function readAgain(partition: AssignedPartition, claim: Claim, options: PartitionOptions): Promise<LogMessage[] | null> {
  const messages: LogMessage[] = [];
  partition.seek(claim.firstOffset);
  for (let at = claim.firstOffset; at <= claim.lastOffset;) {
    const fetched = await patiently(partition, options, () => partition.next({ maxWaitMs: 1_000, maxBytes: options.limits.bytes }));
    if (fetched.low > at) return null;
    messages.push(...fetched.messages.filter(({ offset }) => offset <= claim.lastOffset));
    at = fetched.to;
  }
  return messages;
}

interface Collecting {
  readonly first: Fetched;
  readonly key: PartitionKey;
  readonly receivedAt: number;
  readonly options: PartitionOptions;
}

/** From the first messages on, until the batch is full or its time is over. */
async function collect(partition: AssignedPartition, { first, key, receivedAt, options }: Collecting): Promise<Batch> {
  const { limits, maker } = options;
  const open = maker.open(key, receivedAt);
  const deadline = performance.now() + limits.ms;
  let bytes = 0;
  let gapReason: GapReason = '';
  let lastOffset = first.from - 1;
  let fetched = first;
  options.trace?.('decode');
  for (;;) {
    let isFull = false;
    for (const message of fetched.messages) {
      open.add(message);
      bytes += message.value?.length ?? 0;
      lastOffset = message.offset;
      isFull = open.rows >= limits.rows || bytes >= limits.bytes || open.textLength >= limits.bytes;
      if (isFull) break;
    }
    if (fetched.holes !== null && gapReason === '') gapReason = fetched.holes;
    if (!isFull) lastOffset = fetched.to - 1;
    else if (lastOffset < fetched.to - 1) partition.seek(lastOffset + 1);
    const leftMs = deadline - performance.now();
    if (isFull || leftMs <= 0 || partition.revoked.aborted) break;
    fetched = await partition.next({ maxWaitMs: leftMs, maxBytes: limits.bytes - bytes });
    if (fetched.to === fetched.from) break;
  }
  const batch = open.close({ firstOffset: first.from, lastOffset, gapReason });
  const last = batch.range.messages.at(-1);
  if (batch.fitsOneBlock || last === undefined) return batch;
  // The last message is too much beside the others: it begins the next batch.
  batch.free();
  partition.seek(last.offset);
  const range = { ...batch.range, lastOffset: last.offset - 1, messages: batch.range.messages.slice(0, -1) };
  return maker.make(key, range, receivedAt);
}

/** Retention was faster than we: what is gone is on record, never passed over in silence. */
async function recordGap(
  partition: AssignedPartition,
  assignment: Assignment,
  { tail, to, options }: { readonly tail: Claim; readonly to: number; readonly options: PartitionOptions },
): Promise<Claim> {
  const gap = {
    ...emptyClaim(tail.lastOffset + 1, to, options),
    gapReason: 'RETENTION_OVERRUN' as const,
    receivedAt: tail.receivedAt,
    sequence: tail.sequence + 1,
  };
  const outcome = await options.writer.claimOnly(assignment, gap);
  options.logger.error({ ...assignment.key, from: gap.firstOffset, to }, 'the log no longer has these offsets; the gap is on record');
  if (outcome.kind === 'late') return takeOver(partition, assignment, options);
  // Another writer still had the messages: its batch is completed as it stands.
  return outcome.kind === 'lost' ? completeTheirs(partition, assignment, { claim: outcome.claim, batch: null, options }) : outcome.claim;
}

async function hint(partition: AssignedPartition, claim: Claim, { logger, trace }: PartitionOptions): Promise<void> {
  trace?.('commit');
  try {
    await partition.commit(claim.lastOffset + 1);
  } catch (error) {
    logger.debug(
      { topic: partition.topic, partition: partition.partition, error: messageOf(error) },
      'the log did not take the position; the ledger has it',
    );
  }
}

/** Tries again while a server is away; the partition's read-ahead is bounded, so that nothing grows meanwhile. */
async function patiently<Result>(
  { revoked }: AssignedPartition,
  { logger }: PartitionOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  for (let tries = 0; ; tries += 1) {
    if (revoked.aborted) throw new Revoked();
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof AuditError) || stops.has(error.code)) throw error;
      logger.warn({ code: error.code, error: error.message }, 'waiting for a server');
      await sleep(Math.min(5_000, 100 * 2 ** tries), revoked);
    }
  }
}
