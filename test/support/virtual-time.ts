/** Time that passes when a test says so: the timers and `performance.now` of the code under test. */

export interface VirtualTime {
  /** Milliseconds since it began. */
  now(): number;
  /** How many were ever set. */
  readonly timers: number;
  /** Goes to the next timer and fires it; false when there is none. */
  next(): boolean;
  /** Fires what is due on the way. */
  pass(ms: number): void;
  /** Gives the real time back. */
  end(): void;
}

interface Timer {
  readonly at: number;
  readonly fire: () => void;
}

/** Until `end` is called, for the whole process. */
export function virtualTime(): VirtualTime {
  const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout, now: performance.now };
  const timers = new Map<number, Timer>();
  let [time, made] = [0, 0];

  const setTimer = (fire: () => void, ms = 0): number => {
    made += 1;
    timers.set(made, { at: time + ms, fire });
    return made;
  };
  Object.assign(globalThis, { setTimeout: setTimer, clearTimeout: (id: number) => void timers.delete(id) });
  performance.now = () => time;

  function next(): boolean {
    let first: [number, Timer] | undefined;
    for (const entry of timers) if (first === undefined || entry[1].at < first[1].at) first = entry;
    if (first === undefined) return false;
    timers.delete(first[0]);
    time = Math.max(time, first[1].at);
    first[1].fire();
    return true;
  }

  return {
    now: () => time,
    get timers() {
      return made;
    },
    next,
    pass(ms) {
      const until = time + ms;
      while ([...timers.values()].some(({ at }) => at <= until)) next();
      time = until;
    },
    end() {
      Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout });
      performance.now = real.now;
    },
  };
}
