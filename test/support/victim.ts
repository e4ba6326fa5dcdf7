/** A process that is killed and started again, at any instant: while it starts, too. */
export interface Victim {
  /** SIGKILL; resolves when the process has ended. */
  kill(): Promise<void>;
  /** Resolves when it is ready, and also when it was killed before. */
  start(): Promise<void>;
}

export interface VictimOptions {
  /** Rejects when the process ends before it is ready; the signal says that it shall. */
  launch(signal: AbortSignal): Promise<void>;
  /** Kills the process that was launched last. */
  end(): Promise<void>;
}

export function victim({ launch, end }: VictimOptions): Victim {
  let control = new AbortController();
  let launched: Promise<void> = Promise.resolve();
  return {
    async kill() {
      control.abort();
      await end();
      await launched.catch(() => {});
    },
    async start() {
      const mine = new AbortController();
      control = mine;
      launched = launch(mine.signal).catch((error: unknown) => {
        if (!mine.signal.aborted) throw error;
      });
      await launched;
    },
  };
}
