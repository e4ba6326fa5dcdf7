/** Reads in which step of the write protocol each partition of a running ingest is, and kills at a wanted one. */
import { closeSync, openSync, readSync } from 'node:fs';

export const steps = ['fetch', 'decode', 'claim', 'dead letters', 'events', 'read back', 'commit'] as const;
export type Step = (typeof steps)[number];

const slotBytes = 16;

export interface StepReader {
  /** By partition; none where the process has not come to that partition yet. */
  now(): Step[];
  /** Calls `act` in the same moment in which a partition is seen in the step; false when none was within the time. */
  at(step: Step, withinMs: number, act: () => void): Promise<boolean>;
  /** Resolves when a partition comes to the step from another one; false when none did within the time. */
  reached(step: Step, withinMs: number): Promise<boolean>;
}

/** Of the file that stands in INGEST_TRACE_FILE of the ingest process. */
export function readSteps(file: string): StepReader {
  const buffer = Buffer.alloc(slotBytes * 64);

  function now(): Step[] {
    let opened: number;
    try {
      opened = openSync(file, 'r');
    } catch {
      return []; // the process has not begun yet
    }
    const length = readSync(opened, buffer, 0, buffer.length, 0);
    closeSync(opened);
    const slots = Array.from({ length: Math.floor(length / slotBytes) }, (_, at) =>
      buffer.toString('latin1', at * slotBytes, (at + 1) * slotBytes).trimEnd(),
    );
    return slots.flatMap((slot) => steps.filter((step) => step === slot));
  }

  const seen = (step: Step) => now().filter((each) => each === step).length;

  return {
    now,
    async reached(step, withinMs) {
      const deadline = performance.now() + withinMs;
      for (let before = seen(step); performance.now() < deadline;) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        const after = seen(step);
        if (after > before) return true;
        before = after;
      }
      return false;
    },
    async at(step, withinMs, act) {
      const deadline = performance.now() + withinMs;
      while (performance.now() < deadline) {
        if (now().includes(step)) {
          act();
          return true;
        }
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return false;
    },
  };
}
