/** Files of records, opened: gzip by its magic bytes, `-` is standard input. */
import { constants, createReadStream, statSync } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { AuditError, messageOf } from '../../core/errors.ts';

/** @throws BAD_USER_INPUT for the first of the files that cannot be read: before anything is started for the others. */
export async function assertReadable(files: readonly string[]): Promise<void> {
  for (const file of files.filter((each) => each !== '-')) {
    try {
      await access(file, constants.R_OK);
      if ((await stat(file)).isDirectory()) throw new Error('it is a folder');
    } catch (error) {
      throw unreadable(file, error);
    }
  }
}

/** What can be read once alone, as a pipe: there is no place in it to go on from. */
export const isPipe = (file: string): boolean => file === '-' || !statSync(file).isFile();

/** The content from the start, opened. @throws BAD_USER_INPUT when the file cannot be read. */
export async function* contentOf(file: string): AsyncGenerator<Buffer> {
  try {
    yield* opened(file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1024 * 1024 }));
  } catch (error) {
    throw unreadable(file, error);
  }
}

async function* opened(raw: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const pieces = raw[Symbol.asyncIterator]();
  let start = Buffer.alloc(0);
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
    start = Buffer.concat([start, next.value]);
    if (start.length > 1) break;
  }
  const content = async function* () {
    yield start;
    yield* { [Symbol.asyncIterator]: () => pieces };
  };
  const zipped = start[0] === 0x1f && start[1] === 0x8b;
  yield* zipped ? pipeline(content(), createGunzip(), () => {}) : content(); // a fault of either ends the loop that reads it
}

function unreadable(file: string, error: unknown): AuditError {
  return new AuditError('BAD_USER_INPUT', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
}

/**
 * A file that grows: its bytes from `start` on, then whatever is appended, until the signal aborts. A file that is renamed
 * away and made anew is read to its end first, then the new one from its start; one that is cut off is read from its start.
 */
export async function* followed(file: string, start: number, signal: AbortSignal, pollMs = 250): AsyncGenerator<Buffer | 'restarted'> {
  let handle = await open(file);
  let position = start;
  try {
    for (;;) {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(1024 * 1024), 0, 1024 * 1024, position);
      if (bytesRead > 0) {
        position += bytesRead;
        yield buffer.subarray(0, bytesRead);
        continue;
      }
      if (signal.aborted) return;
      const next = await replacement(file, handle, position);
      if (next === null) await new Promise((resolve) => setTimeout(resolve, pollMs));
      else {
        if (next !== handle) await handle.close();
        handle = next;
        position = 0;
        yield 'restarted';
      }
    }
  } finally {
    await handle.close();
  }
}

type Handle = Awaited<ReturnType<typeof open>>;

/** The handle to go on with from 0, or null while the file is still the same one. */
async function replacement(file: string, handle: Handle, position: number): Promise<Handle | null> {
  const current = await handle.stat();
  if (current.size < position) return handle;
  const named = await open(file).catch(() => null); // between the rename and the new file there is none
  if (named === null) return null;
  const { ino, dev } = await named.stat();
  if (ino !== current.ino || dev !== current.dev) {
    // What was written between the last read and the rename is still in the old file.
    if ((await handle.stat()).size === position) return named;
  }
  await named.close();
  return null;
}
