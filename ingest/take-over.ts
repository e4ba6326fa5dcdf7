/** From the ledger to the end of its chain: the last claim, checked against the log, and what a predecessor left open. */
import type { AuditError } from '../core/errors.ts';
import { type Claim, logReplaced as replaced, type PartitionKey } from '../storage/ledger.ts';
import { lastClaim, originClaim } from '../storage/positions.ts';
import { type Batch, sha256Of } from './batch.ts';
import type { Life } from './life.ts';
import type { LogMessage } from './log.ts';

export async function takeOver(life: Life): Promise<Claim> {
  const { key, options, patiently } = life;
  const position = options.position ?? ((place: PartitionKey) => lastClaim(options.ledger, options.store, place));
  const tail = (await patiently(() => position(key))) ?? (await originOf(life));
  await patiently(() => assertSameLog(life, tail));
  if (await patiently(() => options.writer.isComplete(key, tail))) return tail;
  options.logger.info({ ...key, from: tail.firstOffset, to: tail.lastOffset }, 'completing the batch that a predecessor left open');
  return completeTheirs(life, tail, null);
}

/** The first row of a partition says where reading starts, so that two first writers cannot start differently. */
async function originOf(life: Life): Promise<Claim> {
  const { log, options, patiently } = life;
  const { low, high } = await patiently(() => log.bounds());
  const start = options.start === 'earliest' ? low : high;
  const receivedAt = await patiently(async () => options.databaseClock.now());
  const outcome = await options.writer.claimOnly(life, originClaim(start, { receivedAt, writer: '', note: options.start }));
  return outcome.kind === 'late' ? takeOver(life) : outcome.claim;
}

/** The message at the end of the ledger must still be the same one, where the log still has it. */
async function assertSameLog({ key, log }: Life, tail: Claim): Promise<void> {
  const { low, high } = await log.bounds();
  if (high < tail.lastOffset + 1) throw logReplaced(key, `its end is ${high}, the ledger is at ${tail.lastOffset + 1}`);
  if (tail.lastSha256 === '' || low > tail.lastOffset) return;
  log.seek(tail.lastOffset);
  const { messages } = await log.next({ maxWaitMs: 5_000, maxBytes: 1 });
  const last = messages[0];
  if (last?.offset === tail.lastOffset && sha256Of(last) !== tail.lastSha256) {
    throw logReplaced(key, `the message at offset ${tail.lastOffset} is another one`);
  }
}

export const logReplaced = ({ topic, partition }: PartitionKey, why: string): AuditError => replaced(`${topic}/${partition}`, why);

/** Another's claim is completed as it stands: exactly its range, with its time. `batch`: what this writer had collected there. */
export async function completeTheirs(life: Life, claim: Claim, batch: Batch | null): Promise<Claim> {
  const { key, options } = life;
  const messages = covers(batch, claim)
    ? batch.range.messages.filter(({ offset }) => offset <= claim.lastOffset)
    : await readAgain(life, claim);
  const theirs = messages === null ? null : options.maker.make(key, { ...claim, messages }, claim.receivedAt);
  const completed = await options.writer.complete(life, claim, theirs);
  theirs?.free();
  options.onStored(key, completed);
  return completed;
}

function covers(batch: Batch | null, claim: Claim): batch is Batch {
  return batch !== null && batch.range.firstOffset === claim.firstOffset && batch.range.lastOffset >= claim.lastOffset;
}

/** The messages of a claim from the log; null when it no longer has all of them. */
async function readAgain({ key, log, options, patiently }: Life, claim: Claim): Promise<LogMessage[] | null> {
  const messages: LogMessage[] = [];
  log.seek(claim.firstOffset);
  for (let at = claim.firstOffset; at <= claim.lastOffset;) {
    const fetched = await patiently(() => log.next({ maxWaitMs: 1_000, maxBytes: options.limits.bytes }));
    if (fetched.low > at) return null;
    if (fetched.to === fetched.from) {
      const { high } = await patiently(() => log.bounds());
      if (high <= claim.lastOffset) throw logReplaced(key, `its end is ${high}, a batch of the ledger ends at ${claim.lastOffset}`);
    }
    for (const message of fetched.messages) if (message.offset <= claim.lastOffset) messages.push(message);
    at = fetched.to;
  }
  return messages;
}
