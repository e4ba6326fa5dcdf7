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
  const sender = createSender(tally, options);
  const tracker = trackContent(contentOf(file), mark);
  for await (const part of mark === null ? cutContent(tracker.content) : cutLines(tracker.content, mark)) {
    if (await sender.add(part)) save(file, tracker.at(sender.end, sender.fields), options);
  }
  await sender.flush();
  save(file, tracker.whole(sender.fields), options);
  tally.files += 1;
}

/** Goes on with a file that grows, until the signal aborts. */
export async function followFile(file: string, tally: Tally, options: ImportOptions & { readonly signal: AbortSignal }): Promise<void> {
  const mark = options.again ? null : await options.progress.find(contentOf(file));
  const sender = createSender(tally, options);
  let hash = createHash('sha256');
  if (mark !== null) for await (const chunk of head(contentOf(file), mark.end)) hash.update(chunk);
  let cutter = lineCutter(mark?.end ?? 0, mark?.fields ?? '');
  let pending = Buffer.alloc(0);
  let end = mark?.end ?? 0;
  tally.files += 1;
  for await (const piece of followed(file, end, options.signal)) {
    if (piece === 'restarted') {
      cutter = lineCutter();
      hash = createHash('sha256');
      pending = Buffer.alloc(0);
      end = 0;
      continue;
    }
    for (const part of cutter.push(piece)) await sender.add(part);
    await sender.flush();
    // Whole lines alone are marked: a line that is not ended yet is read again.
    pending = Buffer.concat([pending, piece]);
    const lines = pending.lastIndexOf(0x0a) + 1;
    hash.update(pending.subarray(0, lines));
    end += lines;
    pending = pending.subarray(lines);
    save(file, end === 0 ? null : { end, sha256: digestSoFar(hash), fields: sender.fields }, options);
  }
}

function save(file: string, mark: Mark | null, { progress }: ImportOptions): void {
  if (mark !== null && !isPipe(file)) progress.save(mark);
}

async function* cutLines(content: AsyncIterable<Buffer>, mark: Mark): AsyncGenerator<CutMessage | OversizeLine> {
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

/** Hashes what passes, so that a mark can be made anywhere: pieces not yet passed by a mark are held. */
function trackContent(all: AsyncIterable<Buffer>, mark: Mark | null) {
  const hash = createHash('sha256');
  const held: Buffer[] = [];
  let hashed = 0;
  let seen = 0;
  const hashUpTo = (end: number) => {
    while (held.length > 0 && hashed < end) {
      const chunk = held.shift() as Buffer; // there is one
      const take = chunk.subarray(0, end - hashed);
      hash.update(take);
      hashed += take.length;
      if (take.length < chunk.length) held.unshift(chunk.subarray(take.length));
    }
  };
  async function* content(): AsyncGenerator<Buffer> {
    for await (const chunk of all) {
      held.push(chunk);
      const from = Math.max(0, (mark?.end ?? 0) - seen);
      seen += chunk.length;
      if (from < chunk.length) yield chunk.subarray(from);
    }
  }
  const at = (end: number, fields: string): Mark | null => {
    hashUpTo(end);
    return end === 0 ? null : { end, sha256: digestSoFar(hash), fields };
  };
  return { content: content(), at, whole: (fields: string) => at(seen, fields) };
}

function createSender(tally: Tally, { service, format, tenant, topic, note }: ImportOptions) {
  const asked = Object.entries({ format, tenant, topic }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const query = new URLSearchParams([['wait', 'stored'], ...asked]);
  let chunk: CutMessage[] = [];
  let bytes = 0;
  let fields = '';
  let end = 0;

  async function flush(): Promise<void> {
    if (chunk.length === 0) return;
    const [first] = chunk;
    const isOne = chunk.length === 1;
    // One message may be a document over many lines; several are lines each.
    const body =
      isOne && first
        ? first.value
        : Buffer.from(`${fields === '' ? '' : `${fields}\n`}${chunk.map(({ value }) => value.toString()).join('\n')}`);
    const answer = (await call(service, `/v1/records?${query.toString()}`, body, { 'content-type': 'text/plain' })) as Omit<
      Tally,
      'files' | 'skipped'
    > & { records: number; skipped: number };
    for (const name of ['messages', 'events', 'rejected', 'skipped'] as const) tally[name] += answer[name] ?? 0;
    for (const [code, count] of Object.entries(answer.reasons)) tally.reasons[code] = (tally.reasons[code] ?? 0) + count;
    chunk = [];
    bytes = 0;
  }

  return {
    get fields() {
      return fields;
    },
    get end() {
      return end;
    },
    flush,
    /** True when a chunk was stored: everything up to `end` is. */
    async add(part: CutMessage | OversizeLine): Promise<boolean> {
      end = part.end;
      if ('oversize' in part) {
        tally.rejected += 1;
        tally.reasons['TOO_LARGE'] = (tally.reasons['TOO_LARGE'] ?? 0) + 1;
        note(
          new AuditError(
            'TOO_LARGE',
            `a line of ${part.oversize} bytes ends at byte ${part.end}; a message has at most 16 MiB, so it was left out`,
          ).message,
        );
        return false;
      }
      const next = part.headers?.[fieldsHeader] ?? '';
      const isFull = chunk.length >= maxChunkMessages || bytes + part.value.length > maxChunkBytes || (chunk.length > 0 && next !== fields);
      if (isFull) await flush();
      fields = next;
      chunk.push(part);
      bytes += part.value.length;
      return isFull;
    },
  };
}
