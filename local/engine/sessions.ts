/**
 * Sessions of the engine. Each statement gets a session of its own, which ends with it: opening one takes 0.1 ms, and
 * what a session does not outlive cannot leak (settings, parameters, USE, temporary tables). Each user has places of
 * its own, so that users never wait for each other.
 */
import type { Session } from 'chdb';

/** Places by user name. A statement holds a thread of libuv while it runs. */
export const places = { ingest: 4, reader: 4, export: 2, jobs: 2, default: 2 } as const;
export type EngineUser = keyof typeof places;

/** Threads that the engine's process needs: one a place, one for KILL QUERY, and some for files. */
export const engineThreads = 24;

export interface EngineSessions {
  /** Runs `work` in a new session as soon as `user` has a free place. */
  run<Result>(user: EngineUser, work: (session: Session) => Promise<Result>): Promise<Result>;
  /** Opens a session that the caller closes. */
  open(): Session;
  /** Stops the statement that runs under this comment, as soon as the engine knows it, until `done` says that it ended. */
  kill(comment: string, done: () => boolean): Promise<void>;
  /** Waits for what runs, then lets go of the data folder. */
  close(): Promise<void>;
}

export function openSessions(open: () => Session): EngineSessions {
  // Stays open for the life of the host: with the last session the engine would let go of the data folder.
  const killer = open();
  const users = new Map<string, Place>(Object.entries(places).map(([user, count]) => [user, new Place(count)]));
  return {
    open,
    async run(user, work) {
      const place = users.get(user);
      if (place === undefined) throw new Error(`no places for user ${user}`);
      await place.take();
      try {
        const session = open();
        try {
          return await work(session);
        } finally {
          session.close();
        }
      } finally {
        place.give();
      }
    },
    async kill(comment, done) {
      while (!done()) {
        // ASYNC: with SYNC the answer did not come back.
        await killer.queryAsync(`KILL QUERY WHERE Settings['log_comment'] = '${comment}' ASYNC`).catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async close() {
      await Promise.all([...users.values()].map((place) => place.drain()));
      killer.close();
    },
  };
}

/** Counts the free places of one user; who finds none waits in line. */
class Place {
  private free: number;
  private readonly count: number;
  private readonly line: (() => void)[] = [];

  constructor(count: number) {
    this.free = count;
    this.count = count;
  }

  async take(): Promise<void> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.line.push(resolve));
  }

  give(): void {
    const next = this.line.shift();
    if (next === undefined) this.free += 1;
    else next();
  }

  async drain(): Promise<void> {
    for (let place = 0; place < this.count; place += 1) await this.take();
  }
}
