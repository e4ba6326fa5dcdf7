/**
 * Accounts for every message by plain SQL on the tables, where nobody can say beforehand what must come of it: the batches of a
 * partition cover its offsets without a hole, and each has the events, dead letters and skipped elements that it says.
 */
import { chain, type ClaimRow, type Place, readLedger, table } from './oracle.ts';

/** What one message became, or must become. */
export interface Counts {
  readonly events: number;
  readonly rejected: number;
  readonly skipped: number;
}

export interface Account {
  readonly messages: number;
  readonly records: number;
  readonly events: number;
  readonly rejected: number;
  readonly skipped: number;
  readonly batches: number;
  /** Dead letters by their code. */
  readonly codes: Readonly<Record<string, number>>;
  /** At most some; must be empty. */
  readonly faults: readonly string[];
}

const maxFaults = 20;

/** `wanted`: of each partition, by offset, what the messages that Kafka acknowledged become when each is read alone. */
export async function account(place: Place, wanted: readonly (readonly Counts[])[]): Promise<Account> {
  const ledger = await readLedger(place);
  const faults: string[] = [];
  const sum = { messages: 0, events: 0, rejected: 0, skipped: 0, batches: 0 };
  for (const [partition, messages] of wanted.entries()) {
    const fault = (text: string) => faults.length < maxFaults && faults.push(`${partition}: ${text}`);
    const claims = chain(ledger.get(partition) ?? [], fault).slice(1);
    const rows = await rowsOf(place, partition, fault);
    for (const claim of claims) compare(claim, messages, { rows, fault });
    if (claims.at(-1)?.last !== messages.length - 1)
      fault(`the ledger ends at ${claims.at(-1)?.last}, the topic at ${messages.length - 1}`);
    sum.batches += claims.length;
    for (const { messages: count, events, rejected, skipped } of claims) {
      sum.messages += count;
      sum.events += events;
      sum.rejected += rejected;
      sum.skipped += skipped;
    }
  }
  return { ...sum, records: sum.events + sum.rejected + sum.skipped, codes: await codesOf(place), faults };
}

/** Whether the ledger has come to the end, and the rows of its last batches are there. */
export async function isStored(place: Place, lengths: readonly number[]): Promise<boolean> {
  const [row = []] = await table(
    place,
    `SELECT countIf(end >= wanted) FROM (
  SELECT kafka_partition, max(last_offset) AS end, [${lengths.join()}][kafka_partition + 1] - 1 AS wanted
  FROM batches WHERE topic = '${place.topic}' GROUP BY kafka_partition)`,
  );
  if (Number(row[0]) < lengths.filter((length) => length > 0).length) return false;
  const of = `topic = '${place.topic}'`;
  const [counts = []] = await table(
    place,
    `SELECT (SELECT sum(events) FROM batches WHERE ${of} AND revision = 0), (SELECT count() FROM events WHERE ${of} AND batch_events > 0),
  (SELECT sum(rejected) FROM batches WHERE ${of} AND revision = 0), (SELECT count() FROM dead_letters FINAL WHERE ${of})`,
  );
  return Number(counts[1]) >= Number(counts[0]) && Number(counts[3]) >= Number(counts[2]);
}

type Rows = ReadonlyMap<number, { readonly events: number; readonly rejected: number }>;

/** How many of each kind stand at an offset; each index once. */
async function rowsOf(place: Place, partition: number, fault: (text: string) => void): Promise<Rows> {
  const of = `topic = '${place.topic}' AND kafka_partition = ${partition}`;
  const both = `SELECT kafka_offset, message_index, true AS is_event FROM events WHERE ${of} AND batch_events > 0
UNION ALL SELECT kafka_offset, message_index, false FROM dead_letters FINAL WHERE ${of}`;
  const [[doubled] = []] = await table(place, `SELECT count() - uniqExact((kafka_offset, message_index)) FROM (${both})`);
  if (doubled !== '0') fault(`${doubled} elements stand twice`);
  const found = await table(place, `SELECT kafka_offset, countIf(is_event), countIf(NOT is_event) FROM (${both}) GROUP BY kafka_offset`);
  return new Map(found.map(([offset, events, rejected]) => [Number(offset), { events: Number(events), rejected: Number(rejected) }]));
}

const nothing = { events: 0, rejected: 0 };

interface Comparing {
  readonly rows: Rows;
  readonly fault: (text: string) => void;
}

function compare(claim: ClaimRow, wanted: readonly Counts[], { rows, fault }: Comparing): void {
  const stored = { events: 0, rejected: 0 };
  let skipped = 0;
  for (let offset = claim.first; offset <= claim.last; offset += 1) {
    const here = rows.get(offset) ?? nothing;
    const alone = wanted[offset];
    stored.events += here.events;
    stored.rejected += here.rejected;
    skipped += alone?.skipped ?? 0;
    if (here.events !== alone?.events || here.rejected !== alone.rejected)
      fault(`${offset} has ${JSON.stringify(here)}, alone it is ${JSON.stringify(alone)}`);
  }
  if (claim.messages !== claim.last - claim.first + 1) fault(`the batch at ${claim.first} says ${claim.messages} messages`);
  if (claim.events !== stored.events || claim.rejected !== stored.rejected || claim.skipped !== skipped)
    fault(`the batch at ${claim.first} says ${JSON.stringify(claim)} and has ${JSON.stringify({ ...stored, skipped })}`);
}

async function codesOf(place: Place): Promise<Record<string, number>> {
  const rows = await table(
    place,
    `SELECT code, count() FROM dead_letters FINAL WHERE topic = '${place.topic}' GROUP BY code ORDER BY code`,
  );
  return Object.fromEntries(rows.map(([code, count]) => [code, Number(count)]));
}
