/**
 * The log on one machine: partitions of sealed records in lmdb, shared by the processes that append and the one that reads.
 * An append resolves when its records are on disk: a commit syncs, and appends that come together share one. A killed writer
 * or reader leaves the others unharmed.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, statfsSync } from 'node:fs';
import { open, type Database, type RootDatabase } from 'lmdb';
import { sleep } from '../../core/clock.ts';
import { AuditError, messageOf } from '../../core/errors.ts';
import type { AssignedPartition, Bounds, Fetched, Log, LogConsumer, LogMessage, NewMessage, TopicPartition } from '../log.ts';
import { appendPlaced } from './placement.ts';
import { createSealer, type Sealed, type Sealer, type SealOptions } from './seal.ts';

export interface JournalOptions extends SealOptions {
  readonly folder: string;
}

export interface Journal extends Log {
  /** Forgets records below an offset. Whoever calls it knows that they are stored and need not be read again. */
  trim(place: TopicPartition, below: number): Promise<void>;
  /** Notes that everything below an offset is stored since `at`; the note outlives this process. */
  noteStored(place: TopicPartition, below: number, at: number): Promise<void>;
  /** Forgets what is noted as stored before a time. */
  trimStored(before: number): Promise<void>;
}

const partitions = 4;
/** A reader looks this often; lmdb does not wake other processes. */
const pollMs = 25;
/** Records that one transaction holds at most, so that a reader is never far behind. */
const recordsPerTransaction = 5_000;

interface Stored extends Sealed {
  readonly at: number;
}

/** Next offset to be given, and the first one that is still there. */
interface Ends {
  readonly low: number;
  readonly high: number;
}

type RecordKey = [topic: string, partition: number, offset: number];
type StoredKey = [span: number, topic: string, partition: number];

const spanOf = (at: number) => Math.floor(at / 10_000);

export function openJournal(options: JournalOptions): Journal {
  const root = openFolder(options.folder);
  const records: Database<Stored, RecordKey> = root.openDB({ name: 'records' });
  const ends: Database<Ends, [string, number]> = root.openDB({ name: 'ends' });
  const marks: Database<number | string, string[]> = root.openDB({ name: 'marks' });
  const storedBelow: Database<number, StoredKey> = root.openDB({ name: 'stored' });
  const proofs: Database<Sealed, string> = root.openDB({ name: 'proofs' });
  const seal = createSealer(options, `The journal in ${options.folder}`);
  const readers = readerLocks(root, options.folder);
  const consumers = new Set<LogConsumer>();

  const committed = <Result>(work: Promise<Result>) => work.catch((error: unknown) => Promise.reject(notTaken(options.folder, error)));
  const endsOf = (topic: string, partition: number): Ends => ends.get([topic, partition]) ?? { low: 0, high: 0 };
  const boundsOf = (topic: string): Bounds[] =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition, ...endsOf(topic, partition) }));

  async function appendTo(topic: string, partition: number, messages: readonly NewMessage[]): Promise<number> {
    const sealed = messages.map((message) => seal.close(message));
    const at = Date.now();
    // The offsets are given inside the write transaction: of processes that append at once, one at a time is in it.
    return root.transaction(() => {
      const { low, high } = endsOf(topic, partition);
      sealed.forEach((each, index) => void records.put([topic, partition, high + index], { at, ...each }));
      void ends.put([topic, partition], { low, high: high + sealed.length });
      return high;
    });
  }

  /** In steps, so that those who append never wait long. */
  async function trim({ topic, partition }: TopicPartition, below: number): Promise<void> {
    for (;;) {
      const { low, high } = endsOf(topic, partition);
      const limit = Math.min(below, high, low + recordsPerTransaction);
      if (limit <= low) return;
      await committed(
        root.transaction(() => {
          for (let offset = low; offset < limit; offset += 1) void records.remove([topic, partition, offset]);
          void ends.put([topic, partition], { low: limit, high: endsOf(topic, partition).high });
        }),
      );
    }
  }

  /** A wrong secret is told now, not at the first read: a sealed proof must open, and the oldest record of each partition. */
  function assertSecret(): void {
    root.transactionSync(() => {
      const proof = proofs.get('secret');
      if (proof !== undefined) seal.open(proof);
      for (const { key: place, value } of ends.getRange()) {
        const oldest = records.get([...place, value.low]);
        if (oldest !== undefined) seal.open(oldest);
      }
      if (proof?.keyId !== options.key.id) void proofs.put('secret', seal.close({ value: Buffer.alloc(0) }));
    });
  }

  async function close(): Promise<void> {
    for (const consumer of consumers) await consumer.stop();
    await root.close();
  }

  try {
    assertSecret();
  } catch (error) {
    void close();
    throw error;
  }

  return {
    kind: 'journal',
    describe: async () => `journal of ${partitions} partitions`,
    id: async () => known(marks) ?? committed(identity(root, marks)),
    async append(topic, messages) {
      const append = (partition: number, together: readonly NewMessage[]) => committed(appendTo(topic, partition, together));
      return appendPlaced(messages, { partitions, maxRecords: recordsPerTransaction, maxBytes: Infinity, append });
    },
    bounds: async (topics) => topics.flatMap(boundsOf),
    async *read({ topic, partition }, offsets) {
      for (const offset of offsets) {
        const message = readRecord(records, seal, [topic, partition, offset]);
        if (message !== null) yield message;
      }
    },
    async consume(consuming) {
      const unlock = await readers.lock(consuming.group);
      const control = new AbortController();
      const consumer: LogConsumer = {
        bufferedBytes: () => 0, // what is asked for is read then
        async stop() {
          control.abort();
          consumers.delete(consumer);
          await unlock();
        },
      };
      consumers.add(consumer);
      const read = (topic: string, partition: number, offset: number) => readRecord(records, seal, [topic, partition, offset]);
      for (const topic of consuming.topics) {
        for (let partition = 0; partition < partitions; partition += 1) {
          const mark = (next: number) => committed(marks.put([consuming.group, topic, String(partition)], next));
          consuming.onAssigned(assign({ topic, partition, revoked: control.signal, read, endsOf, mark }));
        }
      }
      return consumer;
    },
    readers: async (group) => readers.of(group),
    trim,
    async noteStored({ topic, partition }, below, at) {
      // Fine enough for what is kept for hours, and bounds the number of notes.
      await committed(storedBelow.put([spanOf(at), topic, partition], below));
    },
    async trimStored(before) {
      const due = [...storedBelow.getRange({ end: [spanOf(before)] })];
      for (const { key, value } of due) {
        const [, topic, partition] = key;
        await trim({ topic, partition }, value);
        await committed(storedBelow.remove(key));
      }
    },
    close,
  };
}

function readRecord(records: Database<Stored, RecordKey>, seal: Sealer, key: RecordKey): LogMessage | null {
  const stored = records.get(key);
  return stored === undefined ? null : { offset: key[2], timestamp: stored.at, ...seal.open(stored) };
}

function openFolder(folder: string): RootDatabase {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // With overlapping syncs, a writer that is killed leaves the environment of the others in a panic. A batch of an event
    // turn has a promise that nobody gets: its rejection, as on a full disk, would end the process.
    return open({ path: folder, encoding: 'msgpack', maxDbs: 8, overlappingSync: false, eventTurnBatching: false });
  } catch (error) {
    throw new AuditError('DATA_DIR_UNUSABLE', `The journal in ${folder} cannot be opened: ${messageOf(error)}`, { cause: error });
  }
}

/** Below this a commit has no room. */
const roomBytes = 1024 * 1024;

/** A full disk is told by its name: space heals it, nothing else does. lmdb tells of a write that was cut short as an input/output error. */
function notTaken(folder: string, error: unknown): AuditError {
  // The reason comes in a promise of its own, which would end the process if nobody took it.
  const { commitError } = error as { commitError?: Promise<never> }; // lmdb's errors of a commit have it, others not
  commitError?.catch(() => {});
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < roomBytes || /MDB_MAP_FULL/.test(messageOf(error))) {
    const message = `The disk under the journal in ${folder} is full: ${bavail * bsize} bytes are free. Nothing was acknowledged. Free space, then send again`;
    return new AuditError('DISK_FULL', message, { cause: error });
  }
  return new AuditError('LOG_UNAVAILABLE', `The journal in ${folder} takes no records: ${messageOf(error)}`, { cause: error });
}

/** Made with the folder: a journal that was deleted and made anew is another one. */
async function identity(root: RootDatabase, marks: Database<number | string, string[]>): Promise<string> {
  await root.transaction(() => {
    if (known(marks) === undefined) void marks.put(['id'], randomUUID());
  });
  return String(known(marks));
}

const known = (marks: Database<number | string, string[]>) => marks.get(['id']) as string | undefined; // put by identity alone

interface Reader {
  readonly pid: number;
  readonly token: string;
}

/** Tokens of the locks of this process. */
const held = new Set<string>();

/**
 * One reader of a group at a time, over all processes. lmdb locks a byte of its own file for each process that has it open,
 * which the system drops with the process: who holds a lock and is not in that list is dead.
 */
function readerLocks(root: RootDatabase, folder: string) {
  const readers: Database<Reader, string> = root.openDB({ name: 'readers' });
  readers.get(''); // so that this process is in the list of lmdb
  const isAlive = ({ pid, token }: Reader) => (pid === process.pid ? held.has(token) : openers(root).has(pid));
  const drop = (isOver: (reader: Reader) => boolean) =>
    root.transactionSync(() => {
      const over = [...readers.getRange()].filter(({ value }) => isOver(value));
      for (const { key } of over) readers.removeSync(key);
    });
  drop(({ pid, token }) => pid === process.pid && !held.has(token)); // of a dead process that had our number
  const take = <Result>(work: () => Result): Result => {
    try {
      return root.transactionSync(work);
    } catch (error) {
      throw notTaken(folder, error);
    }
  };

  return {
    of(group: string): string[] {
      const found = readers.get(group);
      return found !== undefined && isAlive(found) ? [`process ${found.pid}`] : [];
    },
    /** @throws DATA_DIR_LOCKED, DISK_FULL; otherwise gives the way to unlock */
    async lock(group: string): Promise<() => Promise<void>> {
      const mine: Reader = { pid: process.pid, token: randomUUID() };
      const holder = take(() => {
        const found = readers.get(group);
        if (found !== undefined && isAlive(found)) return found;
        readers.putSync(group, mine);
        return null;
      });
      if (holder !== null) {
        const message = `Process ${holder.pid} reads the journal in ${folder} as ${group}, which only one process can. Stop it, or choose another folder with --data`;
        throw new AuditError('DATA_DIR_LOCKED', message, { facts: { folder, holder: holder.pid } });
      }
      held.add(mine.token);
      return async () => {
        if (held.delete(mine.token)) drop(({ token }) => token === mine.token);
      };
    },
  };
}

function openers(root: RootDatabase): Set<number> {
  root.readerCheck(); // forgets those that are gone
  return new Set([...root.readerList().matchAll(/^\s{0,8}(\d{1,10})\s/gm)].map(([, pid]) => Number(pid)));
}

interface Assigning extends TopicPartition {
  readonly revoked: AbortSignal;
  read(topic: string, partition: number, offset: number): LogMessage | null;
  endsOf(topic: string, partition: number): Ends;
  mark(nextOffset: number): Promise<boolean>;
}

/** One process reads the journal, so that a partition stays assigned until it stops. Nothing is fetched ahead: it is a read from memory. */
function assign({ topic, partition, revoked, read, endsOf, mark }: Assigning): AssignedPartition {
  let position = 0;
  const bounds = () => ({ topic, partition, ...endsOf(topic, partition) });

  function take(maxBytes: number): Fetched {
    const { low, high } = endsOf(topic, partition);
    const from = position;
    const messages: LogMessage[] = [];
    let bytes = 0;
    // Short records take time and room by their number: more than these would hold up everything else in the process.
    while (low <= from && position < high && messages.length < recordsPerTransaction && (messages.length === 0 || bytes < maxBytes)) {
      const message = read(topic, partition, position);
      if (message === null) break; // trimmed meanwhile: the next look tells the new bounds
      messages.push(message);
      bytes += message.value?.length ?? 0;
      position += 1;
    }
    return { from, to: position, messages, holes: null, low, high };
  }

  return {
    topic,
    partition,
    revoked,
    seek(offset) {
      position = offset;
    },
    async next({ maxWaitMs, maxBytes }) {
      const deadline = Date.now() + maxWaitMs;
      for (;;) {
        const fetched = take(maxBytes);
        const isOutside = fetched.low > fetched.from || fetched.high < fetched.from;
        if (fetched.messages.length > 0 || isOutside || Date.now() >= deadline || revoked.aborted) return fetched;
        await sleep(Math.min(pollMs, deadline - Date.now()), revoked);
      }
    },
    async commit(nextOffset) {
      if (revoked.aborted) throw new AuditError('LOG_UNAVAILABLE', 'the assignment of the partition is over');
      await mark(nextOffset);
    },
    bounds: async () => bounds(),
  };
}
