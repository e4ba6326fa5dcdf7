/**
 * What the engine says of its writes holds for its files, or it ends. Where a write fails, chdb goes on and says that it was done:
 * it leaves out the exception that ClickHouse throws (src/IO/WriteBufferFromFileDescriptor.cpp), but counts the failure. And where
 * the last call on a new part fails, the insert is refused though its part is there again after the next start. In both cases
 * nobody gets an answer; the next engine opens what is whole, and puts aside what is not.
 */
import type { Session } from 'chdb';
import { statfs } from 'node:fs/promises';
import { sleep } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { refuse } from './refusal.ts';
import type { EngineSessions } from './sessions.ts';

/** Nothing while there is none. */
const failures =
  "SELECT value FROM system.events WHERE event = 'WriteBufferFromFileDescriptorWriteFailed' LIMIT 1 FORMAT TabSeparated SETTINGS max_threads = 1";
/** Nobody waits for the answer of a merge. What it was made of stays for minutes (`old_parts_lifetime`), so it is found out in time. */
const everyMs = 5_000;
/** More than all definitions of the tables take, and most results. */
const room = 16 * 1024 * 1024;

export interface Writes {
  /** Before something is written that ClickHouse reserves no space for. @throws Refusal 243 where the disk may have no room for it */
  assertRoom(): Promise<void>;
  /** Runs a statement that writes. Does not come back where the disk has failed. */
  run(session: Session, sql: string, options?: { readonly format: string }): Promise<Result>;
  close(): Promise<void>;
}

type Result = Awaited<ReturnType<Session['queryAsync']>>;

/** `end` ends the process at once. */
export function watchWrites(folder: string, sessions: EngineSessions, end: (reason: string) => never): Writes {
  async function assertWhole(session: Session): Promise<void> {
    const failed = Number((await session.queryAsync(failures)).text());
    if (failed > 0) end(`${failed} writes to its files failed`);
  }
  const isOfDisk = (text: string) => text.includes(`${folder}/`) && /\berrno: \d|filesystem error/.test(text);
  const stopped = new AbortController();
  const watching = (async () => {
    while (!stopped.signal.aborted) {
      await sleep(everyMs, stopped.signal);
      await sessions.run('default', assertWhole).catch(() => {}); // an engine that cannot say this says nothing else
    }
  })();
  return {
    async assertRoom() {
      const { bavail, bsize } = await statfs(folder);
      const free = bavail * bsize;
      if (free < room) throw refuse(243, `Only ${free} bytes are free on the disk of ${folder}, expected ${room}.`);
    },
    async run(session, sql, options) {
      const result = await session.queryAsync(sql, options).catch((error: unknown) => {
        const text = messageOf(error);
        throw isOfDisk(text) ? end(text) : error;
      });
      await assertWhole(session);
      return result;
    },
    async close() {
      stopped.abort();
      await watching;
    },
  };
}
