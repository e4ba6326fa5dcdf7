/** Files of records, opened: gzip by its magic bytes, `-` is standard input. */
import { open } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { AuditError, messageOf } from '../../core/errors.ts';

/** The content from the start, opened. @throws BAD_USER_INPUT when the file cannot be read. */
export async function* contentOf(file: string): AsyncGenerator<Buffer> {
  if (file === '-') {
    yield* process.stdin as AsyncIterable<Buffer>;
    return;
  }
  try {
    const zipped = await isGzip(file);
    const raw = createReadStream(file, { highWaterMark: 1024 * 1024 });
    yield* zipped ? pipeline(raw, createGunzip(), () => {}) : raw; // a fault of either ends the loop that reads it
  } catch (error) {
    throw new AuditError('BAD_USER_INPUT', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await handle.close();
  }
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
