/**
 * The log on one machine: partitions of records in lmdb, shared by the processes that append and the one that reads. An append
 * resolves when its records are on disk: a commit syncs, and appends that come together share one; a killed writer or reader leaves the others unharmed. Records are kept as they
 * came, secrets included, so each value is sealed with AES-256-GCM.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, statfsSync } from 'node:fs';
import { open, type Database, type RootDatabase } from 'lmdb';
import { sleep } from '../../core/clock.ts';
import { AuditError, messageOf } from '../../core/errors.ts';
import type { PurposeKey } from '../../core/keys.ts';
import { lives, ownMark, type ProcessMark } from '../../core/process.ts';
import type { AssignedPartition, Bounds, ConsumeOptions, Fetched, Log, LogMessage, NewMessage, TopicPartition } from '../log.ts';

export interface JournalOptions {
  readonly folder: string;
  readonly key: PurposeKey;
  /** Keys of before a rotation: what they sealed can still be read. */
  readonly previousKeys?: readonly PurposeKey[];
}

export interface Journal extends Log {
  /** Forgets records below an offset. Whoever calls it knows that they are stored and need not be read again. */
  trim(place: TopicPartition, below: number): Promise<void>;
}

const partitions = 4;
/** A reader looks this often; lmdb does not wake other processes. */
const pollMs = 25;
/** Records that one transaction holds at most, so that a reader is never far behind. */
const recordsPerTransaction = 5_000;

interface Stored {
  readonly at: number;
  readonly keyId: string;
  readonly sealed: Buffer;
}

/** Next offset to be given, and the first one that is still there. */
interface Ends {
  readonly low: number;
  readonly high: number;
}

type RecordKey = [topic: string, partition: number, offset: number];

export function openJournal(options: JournalOptions): Journal {
  const root = openFolder(options.folder);
  const records: Database<Stored, RecordKey> = root.openDB({ name: 'records' });
  const ends: Database<Ends, [string, number]> = root.openDB({ name: 'ends' });
  const marks: Database<number | string, string[]> = root.openDB({ name: 'marks' });
  const seal = sealer(options);
  let nextPartition = Math.floor(Math.random() * partitions);

  const committed = <Result>(work: Promise<Result>) => work.catch((error: unknown) => Promise.reject(notTaken(options.folder, error)));
  const endsOf = (topic: string, partition: number): Ends => ends.get([topic, partition]) ?? { low: 0, high: 0 };

  async function appendTo(topic: string, partition: number, messages: readonly NewMessage[]): Promise<number> {
    const sealed = messages.map((message) => seal.close(message));
    const at = Date.now();
    // The offsets are given inside the write transaction: of processes that append at once, one at a time is in it.
    return root.transaction(() => {
      const { low, high } = endsOf(topic, partition);
      sealed.forEach((each, index) => void records.put([topic, partition, high + index], { at, keyId: options.key.id, sealed: each }));
      void ends.put([topic, partition], { low, high: high + sealed.length });
      return high;
    });
  }

  const boundsOf = (topic: string): Bounds[] =>
    Array.from({ length: partitions }, (_, partition) => ({ topic, partition, ...endsOf(topic, partition) }));

  return {
    kind: 'journal',
    describe: async () => `journal of ${partitions} partitions`,
    id: async () => known(marks) ?? committed(identity(root, marks)),
    async append(topic, messages) {
      const positions: { partition: number; offset: number }[] = [];
      for (const { partition, indexes } of lanes(messages, () => nextPartition++ % partitions)) {
        const lane = indexes.map((index) => messages[index]).filter((message) => message !== undefined);
        const first = await committed(appendTo(topic, partition, lane));
        indexes.forEach((index, at) => (positions[index] = { partition, offset: first + at }));
      }
      return positions;
    },
    bounds: async (topics) => topics.flatMap(boundsOf),
    async consume(consuming) {
      const control = new AbortController();
      const read = (topic: string, partition: number, offset: number): LogMessage | null => {
        const stored = records.get([topic, partition, offset]);
        return stored === undefined ? null : { offset, timestamp: stored.at, ...seal.open(stored) };
      };
      for (const topic of consuming.topics) {
        for (let partition = 0; partition < partitions; partition += 1) {
          consuming.onAssigned(
            assign({
              topic,
              partition,
              consuming,
              revoked: control.signal,
              read,
              endsOf,
              mark: (next) => committed(marks.put([consuming.group, topic, String(partition)], next)),
            }),
          );
        }
      }
      const reader = ['reader', consuming.group];
      // A full disk must not keep the reader from working: only its name is missing then.
      await committed(marks.put(reader, JSON.stringify(ownMark()))).catch(() => {});
      return {
        async stop() {
          control.abort();
          await committed(marks.remove(reader)).catch(() => {}); // then it counts until this process ends
        },
      };
    },
    async readers(group) {
      const mark = marks.get(['reader', group]);
      if (mark === undefined) return [];
      const reader = JSON.parse(String(mark)) as ProcessMark; // put by consume alone
      return lives(reader) ? [`process ${reader.pid}`] : [];
    },
    async trim({ topic, partition }, below) {
      const { low, high } = endsOf(topic, partition);
      const limit = Math.min(below, high);
      if (limit <= low) return;
      await committed(
        root.transaction(() => {
          for (let offset = low; offset < limit; offset += 1) void records.remove([topic, partition, offset]);
          void ends.put([topic, partition], { low: limit, high: endsOf(topic, partition).high });
        }),
      );
    },
    close: () => root.close(),
  };
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

/** A key keeps its partition; what has none goes to the next one, a transaction at a time. */
function lanes(messages: readonly NewMessage[], next: () => number): { partition: number; indexes: number[] }[] {
  const byPartition = new Map<number | 'any', { partition: number; indexes: number[] }>();
  const done: { partition: number; indexes: number[] }[] = [];
  messages.forEach(({ key }, index) => {
    const lane = key === undefined ? 'any' : createHash('sha256').update(key).digest().readUInt32BE() % partitions;
    let open = byPartition.get(lane);
    if (open === undefined || open.indexes.length >= recordsPerTransaction) {
      open = { partition: lane === 'any' ? next() : lane, indexes: [] };
      byPartition.set(lane, open);
      done.push(open);
    }
    open.indexes.push(index);
  });
  return done;
}

interface Assigning extends TopicPartition {
  readonly consuming: ConsumeOptions;
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
    while (low <= from && position < high && (messages.length === 0 || bytes < maxBytes)) {
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

interface Content {
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** nonce (12) | tag (16) | sealed; inside: the length of the headers, the headers as JSON, the value. */
function sealer({ key, previousKeys = [], folder }: JournalOptions) {
  const keys = new Map([key, ...previousKeys].map((each) => [each.id, each.key]));
  return {
    close({ value, headers = {} }: NewMessage): Buffer {
      const head = Buffer.from(JSON.stringify(headers));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(head.length);
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key.key, nonce);
      const sealed = [cipher.update(length), cipher.update(head), cipher.update(value), cipher.final()];
      return Buffer.concat([nonce, cipher.getAuthTag(), ...sealed]);
    },
    open({ keyId, sealed }: Stored): Content {
      const secret = keys.get(keyId);
      try {
        if (secret === undefined) throw new Error(`it was sealed under key ${keyId}`);
        const decipher = createDecipheriv('aes-256-gcm', secret, sealed.subarray(0, 12)).setAuthTag(sealed.subarray(12, 28));
        const content = Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
        const headEnd = 4 + content.readUInt32LE(0);
        return { headers: JSON.parse(content.subarray(4, headEnd).toString()) as Record<string, string>, value: content.subarray(headEnd) };
      } catch (error) {
        const message = `The journal in ${folder} cannot be opened with this secret: ${messageOf(error)}. Start with the secret it was written with, or add that one to secret.previous`;
        throw new AuditError('CONFIG_INVALID', message, { cause: error });
      }
    },
  };
}
