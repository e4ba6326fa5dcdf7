/** Whether a consumer that has left its group, or has not joined it, comes to it again: kafkajs can stop on that way without a word. */

export interface Joining {
  /** In the group: nothing is waited for. */
  joined(): void;
  /** Out of it, on the way to another generation or another try. */
  left(): void;
  /** Ends the watch. */
  stop(): void;
}

/** `onStuck` is called once when it was out for `afterMs` although Kafka answers; while Kafka is away nobody can join. */
export function watchJoining(afterMs: number, answers: () => Promise<boolean>, onStuck: () => void): Joining {
  let timer: NodeJS.Timeout | undefined;
  let stay = 0;
  const joined = () => {
    clearTimeout(timer);
    stay += 1;
  };
  const left = () => {
    joined();
    const absence = stay;
    const look = async () => {
      const isThere = await answers();
      if (absence !== stay) return;
      if (isThere) onStuck();
      else left();
    };
    timer = setTimeout(() => void look(), afterMs);
  };
  return { joined, left, stop: joined };
}
