/** Sends the messages of files to a service, a chunk at a time, and keeps how far each file is. */
import { createHash } from 'node:crypto';
import { AuditError } from '../../core/errors.ts';
import type { CutMessage, OversizeLine } from '../../ingest/messages.ts';
import { fieldsHeader, lineCutter } from '../../ingest/messages.ts';
import { call, type Service } from '../service.ts';
import { cutContent } from './cut.ts';
import { contentOf, followed, isPipe } from './files.ts';
import { digestSoFar, type Mark, type Progress } from './progress.ts';

export interface Tally {
  files: number;
  messages: number;
  events: number;
  rejected: number;
  skipped: number;
  reasons: Record<string, number>;
  /** Messages that are in the log and were not seen to be stored; left out where there are none. */
  pending?: number;
}

export interface ImportOptions {
  readonly service: Service;
  readonly progress: Progress;
  readonly format: string | undefined;
  readonly tenant: string | undefined;
  readonly topic: string | undefined;
  /** Forgets what was imported before. */
  readonly again: boolean;
  readonly note: (line: string) => void;
}

const maxChunkBytes = 4 * 1024 * 1024;
const maxChunkMessages = 5_000;

export async function importFile(file: string, tally: Tally, options: ImportOptions): Promise<void> {
  const mark = isPipe(file) || options.again ? null : await options.progress.find(contentOf(file));
  const tracker = trackContent(contentOf(file), mark);
  const sender = createSender(tally, mark, { ...options, onAppended: (place) => save(file, tracker.at(place), options) });
  tally.files += 1;
  for await (const part of mark === null ? cutContent(tracker.content) : cutLines(tracker.content, mark)) await sender.add(part);
  await sender.flush();
}

/** Goes on with a file that grows, until the signal aborts. */
export async function followFile(file: string, tally: Tally, options: ImportOptions & { readonly signal: AbortSignal }): Promise<void> {
  const mark = options.again ? null : await options.progress.find(contentOf(file));
  tally.files += 1;
  let life = openLife(file, mark, tally, options);
  if (mark !== null) for await (const chunk of head(contentOf(file), mark.end)) life.passed(chunk);
  for await (const piece of followed(file, mark?.end ?? 0, options.signal)) {
    if (piece === 'restarted') {
      await life.end();
      life = openLife(file, null, tally, options);
    } else await life.push(piece);
  }
}

/** A file from its start, or from its mark, until another one takes its name. */
function openLife(file: string, mark: Mark | null, tally: Tally, options: ImportOptions) {
  const cutter = lineCutter(mark?.end ?? 0, mark?.fields ?? '');
  const hashed = hashUpTo(mark);
  const sender = createSender(tally, mark, { ...options, onAppended: (place) => save(file, hashed.at(place), options) });
  const send = async (parts: readonly Part[]) => {
    for (const part of parts) await sender.add(part);
    await sender.flush();
  };
  return {
    passed: hashed.add,
    async push(piece: Buffer) {
      hashed.add(piece);
      await send(cutter.push(piece));
    },
    /** What has no line break at its end is a line too, now that nothing follows. */
    end: () => send(cutter.end()),
  };
}

function save(file: string, mark: Mark, { progress }: ImportOptions): void {
  if (!isPipe(file)) progress.save(mark);
}

async function* cutLines(content: AsyncIterable<Buffer>, mark: Mark): AsyncGenerator<Part> {
  const cutter = lineCutter(mark.end, mark.fields);
  for await (const chunk of content) yield* cutter.push(chunk);
  yield* cutter.end();
}

async function* head(content: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  for await (const chunk of content) {
    if (left <= 0) return;
    yield chunk.subarray(0, left);
    left -= chunk.length;
  }
}

/** Hashes what passes, so that a mark can be made anywhere behind the one before: pieces not yet passed by a mark are held. */
function hashUpTo(mark: Mark | null) {
  const hash = createHash('sha256');
  const held: Buffer[] = [];
  let [seen, hashed] = [0, 0];
  const advance = (end: number) => {
    while (held.length > 0 && hashed < end) {
      const chunk = held.shift() as Buffer; // there is one
      const take = chunk.subarray(0, end - hashed);
      hash.update(take);
      hashed += take.length;
      if (take.length < chunk.length) held.unshift(chunk.subarray(take.length));
    }
  };
  return {
    add(chunk: Buffer): void {
      held.push(chunk);
      seen += chunk.length;
      advance(Math.min(seen, mark?.end ?? 0));
    },
    at({ end, fields }: Place): Mark {
      advance(end);
      return { end, sha256: digestSoFar(hash), fields };
    },
  };
}

/** The content behind the mark. */
function trackContent(all: AsyncIterable<Buffer>, mark: Mark | null) {
  const { add, at } = hashUpTo(mark);
  async function* content(): AsyncGenerator<Buffer> {
    let seen = 0;
    for await (const chunk of all) {
      add(chunk);
      const from = Math.max(0, (mark?.end ?? 0) - seen);
      seen += chunk.length;
      if (from < chunk.length) yield chunk.subarray(from);
    }
  }
  return { content: content(), at };
}

type Part = CutMessage | OversizeLine;
/** Behind a message, with the columns that are in force there. */
type Place = Pick<Mark, 'end' | 'fields'>;

interface SenderOptions extends ImportOptions {
  /** Everything up to there is in the log and need never be sent again. */
  readonly onAppended: (place: Place) => void;
}

/** What the service says of a post. */
interface Answer extends Omit<Tally, 'files' | 'pending'> {
  /** In the log, not stored within the time that a post waits. */
  readonly pending?: boolean;
}

function createSender(tally: Tally, mark: Mark | null, { service, format, tenant, topic, note, onAppended }: SenderOptions) {
  const asked = Object.entries({ format, tenant, topic }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const query = new URLSearchParams([['wait', 'stored'], ...asked]);
  let chunk: CutMessage[] = [];
  let bytes = 0;
  let reached: Place = mark ?? { end: 0, fields: '' };
  let appended = reached.end;

  async function flush(): Promise<void> {
    if (chunk.length > 0) await post();
    if (reached.end > appended) onAppended(reached);
    appended = reached.end;
  }

  async function post(): Promise<void> {
    const { fields } = reached;
    const [first] = chunk;
    // One message may be a document over many lines; several are lines each, as one is with its columns.
    const isDocument = chunk.length === 1 && fields === '';
    const lines = [...(fields === '' ? [] : [fields]), ...chunk.map(({ value }) => value.toString())].join('\n');
    const body = isDocument && first ? first.value : Buffer.from(lines);
    const isPending = tally.pending !== undefined;
    // What is late once is not waited for again: the rest is appended meanwhile.
    if (isPending) query.delete('wait');
    const answer = (await call(service, `/v1/records?${query.toString()}`, body, { 'content-type': 'text/plain' })) as Answer;
    for (const name of ['messages', 'events', 'rejected', 'skipped'] as const) tally[name] += answer[name] ?? 0;
    for (const [code, count] of Object.entries(answer.reasons ?? {})) tally.reasons[code] = (tally.reasons[code] ?? 0) + count;
    if (answer.pending && !isPending)
      note('What was sent is in the log, but was not stored within a minute; it will be. The rest is appended without waiting');
    if (answer.pending || isPending) tally.pending = (tally.pending ?? 0) + chunk.length;
    chunk = [];
    bytes = 0;
  }

  return {
    flush,
    async add(part: Part): Promise<void> {
      if ('oversize' in part) {
        await flush();
        tally.rejected += 1;
        tally.reasons['TOO_LARGE'] = (tally.reasons['TOO_LARGE'] ?? 0) + 1;
        note(
          new AuditError(
            'TOO_LARGE',
            `a line of ${part.oversize} bytes ends at byte ${part.end}; a message has at most 16 MiB, so it was left out`,
          ).message,
        );
        reached = { ...reached, end: part.end };
        return;
      }
      const fields = part.headers?.[fieldsHeader] ?? '';
      const isFull = chunk.length >= maxChunkMessages || bytes + part.value.length > maxChunkBytes || fields !== reached.fields;
      if (isFull) await flush();
      reached = { end: part.end, fields };
      chunk.push(part);
      bytes += part.value.length;
    },
  };
}
