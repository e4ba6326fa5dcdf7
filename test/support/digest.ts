/**
 * The oracle for runs of millions of events: it keeps sums over blocks of offsets instead of records, and lets the engine
 * add up what is stored. As the other oracle it knows nothing of the code that it judges, and reads the tables alone.
 */
import { crc32 } from 'node:zlib';
import { chain, readLedger, table, type Acknowledged, type ClaimRow, type Place, type Verdict } from './oracle.ts';

/** Small enough that a difference names its place, and that the sum of the checksums of its rows stays exact. */
const blockOffsets = 500;

export interface Digest {
  /** In the order of the offsets of its partition. */
  add(message: Acknowledged): void;
  readonly records: number;
  readonly events: number;
  /** The offset that the next message of the partition must have. */
  end(partition: number): number;
  /** Whether the ledger has come to the end of what was produced, and as many rows are stored. */
  isCovered(place: Place): Promise<boolean>;
  judge(place: Place): Promise<Verdict>;
}

interface Block {
  readonly rows: number;
  readonly sum: number;
}

interface Partition {
  /** Elements before each offset, of each kind, and a checksum of the sha256 of each message. */
  readonly events: number[];
  readonly rejected: number[];
  readonly skipped: number[];
  readonly shas: number[];
  readonly blocks: Block[];
}

type Fault = (text: string) => void;

export function createDigest(partitions: number): Digest {
  const all: Partition[] = Array.from({ length: partitions }, () => ({ events: [0], rejected: [0], skipped: [0], shas: [], blocks: [] }));
  const total = (kind: 'events' | 'rejected' | 'skipped') => all.reduce((sum, partition) => sum + (partition[kind].at(-1) ?? 0), 0);
  const used = () => all.map((partition, number) => ({ number, ...partition })).filter(({ shas }) => shas.length > 0);

  return {
    add(message) {
      const partition = all[message.partition];
      if (partition?.shas.length !== message.offset) throw new Error(`offset ${message.offset} came at ${partition?.shas.length}`);
      addTo(partition, message);
    },
    get records() {
      return total('events') + total('rejected') + total('skipped');
    },
    get events() {
      return total('events');
    },
    end: (partition) => all[partition]?.shas.length ?? 0,
    async isCovered(place) {
      const ledger = await table(place, `SELECT kafka_partition, max(last_offset) FROM batches ${of(place)} GROUP BY kafka_partition`);
      const claimed = new Map(ledger.map(([partition, end]) => [Number(partition), Number(end)]));
      if (used().some(({ number, shas }) => (claimed.get(number) ?? -1) < shas.length - 1)) return false;
      const [[events] = []] = await table(place, `SELECT count() FROM events ${of(place)}`);
      const [[letters] = []] = await table(place, `SELECT count() FROM dead_letters FINAL ${of(place)}`);
      return Number(events) >= total('events') && Number(letters) >= total('rejected');
    },
    async judge(place) {
      const ledger = await readLedger(place);
      const sum = { batches: 0, revisions: 0, suffixes: 0, lost: 0, doubled: 0, foreign: 0 };
      const faults: string[] = [];
      for (const { number, ...partition } of used()) {
        const fault: Fault = (text) => faults.push(`${number}: ${text}`);
        const claims = chain(ledger.get(number) ?? [], fault);
        ledger.delete(number);
        const where = `${of(place)} AND kafka_partition = ${number}`;
        const stored = await readBlocks(place, where);
        const found = compareBlocks(partition.blocks, stored);
        compareClaims(claims, partition, fault);
        compareArrivals(claims, await readArrivals(place, where), fault);
        sum.batches += Math.max(0, claims.length - 1);
        sum.revisions += claims.filter(({ revision }) => revision > 0).length;
        sum.suffixes +=
          claims.filter(({ attempt }) => attempt > 0).length + [...stored.values()].reduce((n, block) => n + block.suffixes, 0);
        for (const kind of ['lost', 'doubled', 'foreign'] as const) sum[kind] += found[kind];
      }
      for (const partition of ledger.keys()) faults.push(`${partition}: in the ledger, though nothing was produced there`);
      const counts = { events: total('events'), rejected: total('rejected'), skipped: total('skipped') };
      const messages = used().reduce((n, { shas }) => n + shas.length, 0);
      return { messages, records: counts.events + counts.rejected + counts.skipped, ...counts, ...sum, faults };
    },
  };
}

const of = ({ topic }: Place) => `WHERE topic = '${topic}'`;

function addTo(partition: Partition, { offset, sha256, elements }: Acknowledged): void {
  const count = { event: 0, rejected: 0, skipped: 0 };
  let { rows, sum } = partition.blocks[Math.floor(offset / blockOffsets)] ?? { rows: 0, sum: 0 };
  elements.forEach((element, index) => {
    count[element.kind] += 1;
    if (element.kind === 'skipped') return;
    rows += 1;
    sum += crc32(`${offset}/${index}/${element.kind}:${element.kind === 'event' ? element.requestId : element.code}`);
  });
  partition.blocks[Math.floor(offset / blockOffsets)] = { rows, sum };
  partition.events.push((partition.events[offset] ?? 0) + count.event);
  partition.rejected.push((partition.rejected[offset] ?? 0) + count.rejected);
  partition.skipped.push((partition.skipped[offset] ?? 0) + count.skipped);
  partition.shas.push(crc32(sha256));
}

interface StoredBlock extends Block {
  readonly distinct: number;
  readonly suffixes: number;
}

async function readBlocks(place: Place, where: string): Promise<Map<number, StoredBlock>> {
  const rowsOf = (from: string, what: string, attempt: string) =>
    `SELECT kafka_offset, message_index, concat(toString(kafka_offset), '/', toString(message_index), '/', ${what}) AS text, ${attempt} AS attempt FROM ${from} ${where}`;
  const rows = await table(
    place,
    `SELECT intDiv(kafka_offset, ${blockOffsets}) AS block, count(), uniqExact(kafka_offset, message_index), sum(toUInt64(CRC32(text))), countIf(attempt > 0)
FROM (${rowsOf('events', "'event:', request_id", 'attempt')} UNION ALL ${rowsOf('dead_letters FINAL', "'rejected:', code", '0')})
GROUP BY block`,
  );
  return new Map(
    rows.map((row) => {
      const [block = 0, count = 0, distinct = 0, sum = 0, suffixes = 0] = row.map(Number);
      return [block, { rows: count, distinct, sum, suffixes }];
    }),
  );
}

/** Where as many rows stand as were produced, and others, at least one is lost and one is foreign. */
function compareBlocks(wanted: readonly Block[], stored: ReadonlyMap<number, StoredBlock>) {
  let [lost, doubled, foreign] = [0, 0, 0];
  const none = { rows: 0, distinct: 0, sum: 0 };
  const blocks = new Set([...wanted.keys(), ...stored.keys()]);
  for (const block of blocks) {
    const [want, have] = [wanted[block] ?? none, stored.get(block) ?? none];
    doubled += have.rows - have.distinct;
    const others = have.rows === want.rows && have.distinct === want.rows && have.sum !== want.sum ? 1 : 0;
    lost += Math.max(want.rows - have.distinct, others);
    foreign += Math.max(have.distinct - want.rows, others);
  }
  return { lost, doubled, foreign };
}

/** Each batch of the ledger says of its range what was produced there. */
function compareClaims(claims: readonly ClaimRow[], made: Partition, fault: Fault): void {
  const { shas } = made;
  for (const { first, last, messages, events, rejected, skipped, lastSha256 } of claims.slice(1)) {
    const within = (upTo: readonly number[]) => (upTo[Math.min(last, shas.length - 1) + 1] ?? 0) - (upTo[first] ?? 0);
    const says = JSON.stringify({ events, rejected, skipped });
    const is = JSON.stringify({ events: within(made.events), rejected: within(made.rejected), skipped: within(made.skipped) });
    if (says !== is) fault(`the batch at ${first} says ${says} and is ${is}`);
    if (messages !== last - first + 1) fault(`the batch at ${first} says ${messages} messages and has ${last - first + 1}`);
    if (crc32(lastSha256) !== shas[last]) fault(`the batch at ${first} ends with another message`);
  }
  const end = claims.at(-1)?.last;
  if (end !== shas.length - 1) fault(`the ledger ends at ${end}, the topic at ${shas.length - 1}`);
}

/** First and last offset of the events that arrived at one time. */
type Arrivals = ReadonlyMap<string, readonly [number, number]>;

async function readArrivals(place: Place, where: string): Promise<Arrivals> {
  const rows = await table(
    place,
    `SELECT toString(received_at), min(kafka_offset), max(kafka_offset) FROM events ${where} GROUP BY received_at`,
  );
  return new Map(rows.map(([at = '', first, last]) => [at, [Number(first), Number(last)]]));
}

/** Times of a chain never fall, so that the claims of one time are neighbours and their range is one. */
function compareArrivals(claims: readonly ClaimRow[], arrivals: Arrivals, fault: Fault): void {
  const ranges = new Map<string, [number, number]>();
  for (const { receivedAt, first, last } of claims.slice(1)) ranges.set(receivedAt, [ranges.get(receivedAt)?.[0] ?? first, last]);
  for (const [at, [first, last]] of arrivals) {
    const [from, to] = ranges.get(at) ?? [Infinity, -Infinity];
    if (first < from) fault(`an event at ${first} did not arrive with its batch`);
    else if (last > to) fault(`an event at ${last} did not arrive with its batch`);
  }
}
