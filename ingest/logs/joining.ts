/** Whether a consumer that has left its group, or has not joined it, comes to it again: kafkajs can stop on that way without a word. */

export interface Joining {
  /** Out of the group, on the way to another generation or another try. */
  begin(): void;
  /** In the group, or wanted there no longer. */
  end(): void;
}

/** `onStuck` is called once when it was out for `afterMs` although Kafka answers; while Kafka is away nobody can join. */
export function watchJoining(afterMs: number, answers: () => Promise<boolean>, onStuck: () => void): Joining {
  let timer: NodeJS.Timeout | undefined;
  let absences = 0;
  const end = () => {
    clearTimeout(timer);
    absences += 1;
  };
  const begin = () => {
    end();
    const absence = absences;
    const look = async () => {
      const isThere = await answers();
      if (absence !== absences) return;
      if (isThere) onStuck();
      else begin();
    };
    timer = setTimeout(() => void look(), afterMs);
  };
  return { begin, end };
}
