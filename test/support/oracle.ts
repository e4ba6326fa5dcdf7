/**
 * Judges a run by plain SQL on the tables: what Kafka acknowledged against what is stored. Independent of the code that it
 * judges: it imports nothing of the product and reads every row itself.
 */
import { sqlText, type SqlServer } from './sql.ts';

/** What one element of a message must become. */
export type Element =
  | { readonly kind: 'event'; readonly requestId: string }
  | { readonly kind: 'rejected'; readonly code: string }
  | { readonly kind: 'skipped' };

/** A message that Kafka said it has. */
export interface Acknowledged {
  readonly partition: number;
  readonly offset: number;
  readonly sha256: string;
  readonly elements: readonly Element[];
}

export interface Place {
  readonly server: SqlServer;
  readonly database: string;
  readonly topic: string;
}

export interface Verdict {
  readonly messages: number;
  readonly records: number;
  readonly events: number;
  readonly rejected: number;
  readonly skipped: number;
  /** Batches in the ledger, origins left out. */
  readonly batches: number;
  /** Rows of the ledger that say more of a batch than its claim did. */
  readonly revisions: number;
  /** Inserts that needed another token. */
  readonly suffixes: number;
  /** Acknowledged elements without their row, rows that stand twice, rows that nobody produced. All three must be 0. */
  readonly lost: number;
  readonly doubled: number;
  readonly foreign: number;
  /** Everything that the ledger says otherwise than it is; must be empty. */
  readonly faults: readonly string[];
}

/** What a run must look like, whatever happened in it. */
export const clean = { lost: 0, doubled: 0, foreign: 0, faults: [] } as const;

export async function judge(place: Place, acknowledged: readonly Acknowledged[]): Promise<Verdict> {
  const byPartition = new Map<number, Acknowledged[]>();
  for (const message of acknowledged)
    (byPartition.get(message.partition) ?? list(byPartition, message.partition))[message.offset] = message;
  const ledger = await readLedger(place);
  const sum = { batches: 0, revisions: 0, suffixes: 0, lost: 0, doubled: 0, foreign: 0 };
  const totals = { event: 0, rejected: 0, skipped: 0 };
  const faults: string[] = [];
  for (const [partition, messages] of byPartition) {
    const claims = chain(ledger.get(partition) ?? [], (fault) => faults.push(`${partition}: ${fault}`));
    ledger.delete(partition);
    const stored = await readStored(place, partition);
    const found = compareRows(messages, stored);
    compareClaims(claims, messages, { stored, fault: (text) => faults.push(`${partition}: ${text}`) });
    for (const { elements } of messages) for (const { kind } of elements) totals[kind] += 1;
    sum.batches += claims.length - 1;
    sum.revisions += claims.filter(({ revision }) => revision > 0).length;
    sum.suffixes += claims.filter(({ attempt }) => attempt > 0).length + stored.suffixes;
    sum.lost += found.lost;
    sum.doubled += found.doubled;
    sum.foreign += found.foreign;
  }
  for (const partition of ledger.keys()) faults.push(`${partition}: in the ledger, though nothing was produced there`);
  const { event: events, rejected, skipped } = totals;
  return { messages: acknowledged.length, records: events + rejected + skipped, events, rejected, skipped, ...sum, faults };
}

/** Whether the ledger has come to the end of what was produced, and the last batches are stored. */
export async function isCovered(place: Place, acknowledged: readonly Acknowledged[]): Promise<boolean> {
  const ends = new Map<number, number>();
  let [events, rejected] = [0, 0];
  for (const { partition, offset, elements } of acknowledged) {
    ends.set(partition, Math.max(offset, ends.get(partition) ?? 0));
    for (const { kind } of elements) {
      if (kind === 'event') events += 1;
      if (kind === 'rejected') rejected += 1;
    }
  }
  const rows = await table(
    place,
    `SELECT kafka_partition, max(last_offset) FROM batches WHERE topic = '${place.topic}' GROUP BY kafka_partition`,
  );
  const claimed = new Map(rows.map(([partition, end]) => [Number(partition), Number(end)]));
  if ([...ends].some(([partition, end]) => (claimed.get(partition) ?? -1) < end)) return false;
  const [[storedEvents] = []] = await table(place, `SELECT count() FROM events WHERE topic = '${place.topic}'`);
  const [[storedLetters] = []] = await table(place, `SELECT count() FROM dead_letters FINAL WHERE topic = '${place.topic}'`);
  return Number(storedEvents) >= events && Number(storedLetters) >= rejected;
}

export interface ClaimRow {
  readonly first: number;
  readonly last: number;
  readonly messages: number;
  readonly records: number;
  readonly events: number;
  readonly rejected: number;
  readonly skipped: number;
  readonly gapReason: string;
  readonly receivedAt: string;
  readonly lastSha256: string;
  readonly revision: number;
  readonly attempt: number;
  readonly sequence: number;
}

export async function readLedger(place: Place): Promise<Map<number, ClaimRow[]>> {
  const rows = await table(
    place,
    `SELECT kafka_partition, first_offset, last_offset, messages, records, events, rejected, skipped, gap_reason, toString(received_at),
  last_sha256, revision, attempt, sequence
FROM batches WHERE topic = '${place.topic}' AND replay = 0
ORDER BY kafka_partition, source_epoch, first_offset, revision, attempt`,
  );
  const ledger = new Map<number, ClaimRow[]>();
  for (const row of rows) {
    const number = (at: number) => Number(row[at]);
    (ledger.get(number(0)) ?? list(ledger, number(0))).push({
      first: number(1),
      last: number(2),
      messages: number(3),
      records: number(4),
      events: number(5),
      rejected: number(6),
      skipped: number(7),
      gapReason: row[8] ?? '',
      receivedAt: row[9] ?? '',
      lastSha256: row[10] ?? '',
      revision: number(11),
      attempt: number(12),
      sequence: number(13),
    });
  }
  return ledger;
}

/** One row per batch, from an origin on, without an overlap and without a hole. */
export function chain(rows: readonly ClaimRow[], fault: (text: string) => void): ClaimRow[] {
  const claims: ClaimRow[] = [];
  for (const row of rows) {
    const before = claims.at(-1);
    if (before?.first === row.first) {
      if (before.revision === row.revision && before.attempt === row.attempt) fault(`two claims at ${row.first}`);
      if (before.last !== row.last || before.receivedAt !== row.receivedAt)
        fault(`the claim at ${row.first} changed its range or its time`);
      claims.pop(); // the rows are in order: the later one counts
    }
    claims.push(row);
  }
  claims.forEach((claim, at) => {
    const before = claims[at - 1];
    if (before === undefined && claim.first !== -1) fault(`the chain begins at ${claim.first}, without an origin`);
    if (before && claim.first <= before.last) fault(`the claims at ${before.first} and ${claim.first} overlap`);
    if (before && claim.first > before.last + 1) fault(`a hole from ${before.last + 1} to ${claim.first - 1}`);
    if (before && claim.sequence !== before.sequence + 1) fault(`the claim at ${claim.first} is number ${claim.sequence}`);
    if (before && claim.receivedAt < before.receivedAt) fault(`the claim at ${claim.first} is older than the one before`);
    if (claim.gapReason !== '') fault(`a gap at ${claim.first}: ${claim.gapReason}`);
    if (claim.records !== claim.events + claim.rejected + claim.skipped) fault(`records are not accounted for at ${claim.first}`);
  });
  return claims;
}

interface Stored {
  /** `event:ID` or `rejected:CODE` by `offset/index`. */
  readonly rows: ReadonlyMap<string, string>;
  /** When the event of an offset arrived. */
  readonly receivedAt: ReadonlyMap<number, string>;
  readonly doubled: number;
  readonly suffixes: number;
}

async function readStored(place: Place, partition: number): Promise<Stored> {
  const where = `WHERE topic = '${place.topic}' AND kafka_partition = ${partition}`;
  const events = await table(place, `SELECT kafka_offset, message_index, request_id, toString(received_at), attempt FROM events ${where}`);
  const letters = await table(place, `SELECT kafka_offset, message_index, code FROM dead_letters FINAL ${where}`);
  const rows = new Map<string, string>();
  const receivedAt = new Map<number, string>();
  let [doubled, suffixes] = [0, 0];
  const add = (at: string, what: string) => {
    if (rows.has(at)) doubled += 1;
    rows.set(at, what);
  };
  for (const [offset, index, id, arrived, attempt] of events) {
    add(`${offset}/${index}`, `event:${id}`);
    receivedAt.set(Number(offset), arrived ?? '');
    if (attempt !== '0') suffixes += 1;
  }
  for (const [offset, index, code] of letters) add(`${offset}/${index}`, `rejected:${code}`);
  return { rows, receivedAt, doubled, suffixes };
}

function compareRows(messages: readonly Acknowledged[], stored: Stored): { lost: number; doubled: number; foreign: number } {
  let [lost, met] = [0, 0];
  for (const { offset, elements } of messages) {
    elements.forEach((element, index) => {
      if (element.kind === 'skipped') return;
      const wanted = element.kind === 'event' ? `event:${element.requestId}` : `rejected:${element.code}`;
      if (stored.rows.get(`${offset}/${index}`) === wanted) met += 1;
      else lost += 1;
    });
  }
  return { lost, doubled: stored.doubled, foreign: stored.rows.size - met };
}

interface Comparing {
  readonly stored: Stored;
  readonly fault: (text: string) => void;
}

/** Each batch of the ledger says of its range what was produced there. */
function compareClaims(claims: readonly ClaimRow[], messages: readonly Acknowledged[], { stored, fault }: Comparing): void {
  for (const claim of claims.slice(1)) {
    const range = messages.slice(claim.first, claim.last + 1);
    const count = { event: 0, rejected: 0, skipped: 0 };
    for (const { offset, elements } of range) {
      for (const { kind } of elements) count[kind] += 1;
      const arrived = stored.receivedAt.get(offset);
      if (arrived !== undefined && arrived !== claim.receivedAt) fault(`an event at ${offset} did not arrive with its batch`);
    }
    const says = { event: claim.events, rejected: claim.rejected, skipped: claim.skipped };
    if (JSON.stringify(says) !== JSON.stringify(count))
      fault(`the batch at ${claim.first} says ${JSON.stringify(says)} and is ${JSON.stringify(count)}`);
    if (claim.messages !== range.length) fault(`the batch at ${claim.first} says ${claim.messages} messages and has ${range.length}`);
    if (claim.lastSha256 !== messages[claim.last]?.sha256) fault(`the batch at ${claim.first} ends with another message`);
  }
  if (claims.length > 0 && claims.at(-1)?.last !== messages.length - 1)
    fault(`the ledger ends at ${claims.at(-1)?.last}, the topic at ${messages.length - 1}`);
}

/** The rows of an answer, as texts. */
export async function table({ server, database }: Place, statement: string): Promise<string[][]> {
  const text = await sqlText(server, `${statement} FORMAT TabSeparated`, database);
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t'));
}

function list<Item>(lists: Map<number, Item[]>, at: number): Item[] {
  const made: Item[] = [];
  lists.set(at, made);
  return made;
}
