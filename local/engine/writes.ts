/**
 * What the engine says of its writes holds for its files, or it ends. Where a write fails, chdb goes on and says that it was done:
 * it leaves out the exception that ClickHouse throws (src/IO/WriteBufferFromFileDescriptor.cpp), but counts the failure. And where
 * the last call on a new part fails, the insert is refused though its part is there again after the next start. In both cases
 * nobody gets an answer; the next engine opens what is whole, and puts aside what is not.
 */
import type { Session } from 'chdb';
import { statfs } from 'node:fs/promises';
import { messageOf } from '../../core/errors.ts';
import { refuse } from './refusal.ts';

/** Nothing while there is none. */
const failures =
  "SELECT value FROM system.events WHERE event = 'WriteBufferFromFileDescriptorWriteFailed' LIMIT 1 FORMAT TabSeparated SETTINGS max_threads = 1";
/** Nobody waits for the answer of a merge. What it was made of stays for minutes (`old_parts_lifetime`), so it is found out in time. */
const everyMs = 5_000;
/** More than all definitions of the tables take. */
const room = 16 * 1024 * 1024;

export interface Writes {
  /** Before a statement is run. @throws Refusal 243 for a definition that the disk may have no room for: half written, it loses its table */
  assertRoom(sql: string): Promise<void>;
  /** Runs a statement that writes, and gives its result. Does not come back where the disk has failed. */
  vouched<Result>(session: Session, run: () => Promise<Result>): Promise<Result>;
  close(): void;
}

/** `end` ends the process at once. */
export function watchWrites(folder: string, open: () => Session, end: (reason: string) => never): Writes {
  async function assertWhole(session: Session): Promise<void> {
    const failed = Number((await session.queryAsync(failures)).text());
    if (failed > 0) end(`${failed} writes to its files failed`);
  }
  const isOfDisk = (text: string) => text.includes(`${folder}/`) && /\berrno: \d|filesystem error/.test(text);
  const session = open();
  const timer = setInterval(() => void assertWhole(session).catch(() => {}), everyMs); // an engine that cannot say this says nothing else
  timer.unref();
  return {
    async assertRoom(sql) {
      if (!isDefinition(sql)) return;
      const { bavail, bsize } = await statfs(folder);
      const free = bavail * bsize;
      if (free < room) throw refuse(243, `Cannot write a definition: ${free} bytes are free on the disk of ${folder}, expected ${room}.`);
    },
    async vouched(user, run) {
      const result = await run().catch((error: unknown) => {
        const text = messageOf(error);
        throw isOfDisk(text) ? end(text) : error;
      });
      await assertWhole(user);
      return result;
    },
    close() {
      clearInterval(timer);
      session.close();
    },
  };
}

/** Parts that go make room. */
const isDefinition = (sql: string) => /^\s*(?:CREATE|ALTER|RENAME|EXCHANGE)\b/i.test(sql) && !/\bDROP\s+PART(?:ITION)?\b/i.test(sql);
