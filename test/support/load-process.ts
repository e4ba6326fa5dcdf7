/** Run by `load.ts` in a process of its own: sends the records, keeps the digest of what the log holds, and judges. */
import { createDigest } from './digest.ts';
import { startLastingProducer } from './lasting-producer.ts';
import type { Place } from './oracle.ts';
import type { ProducerOptions } from './producer.ts';

/** What the process is asked, and the answer to each. */
export interface Asks {
  open(options: ProducerOptions): Promise<void>;
  start(recordsPerSecond: number): void;
  stop(): Promise<void>;
  sent(): Sent;
  isCovered(place: Place): Promise<boolean>;
  judge(place: Place): Promise<Verdict>;
}
type Verdict = Awaited<ReturnType<ReturnType<typeof createDigest>['judge']>>;

export interface Sent {
  readonly records: number;
  readonly events: number;
  /** Records per second from the start to the last answer. */
  readonly rate: number;
  readonly unanswered: number;
  readonly found: number;
}

let digest = createDigest(0);
let producer: Awaited<ReturnType<typeof startLastingProducer>> | null = null;
let [startedAt, lastAt] = [0, 0];

const asks: Asks = {
  async open(options) {
    digest = createDigest(options.partitions);
    producer = await startLastingProducer({
      ...options,
      onMessage(message) {
        digest.add(message);
        lastAt = performance.now();
      },
    });
  },
  start(recordsPerSecond) {
    startedAt ||= performance.now();
    producer?.start(recordsPerSecond);
  },
  stop: async () => producer?.stop(),
  sent() {
    if (producer?.failure) throw producer.failure;
    return {
      records: digest.records,
      events: digest.events,
      rate: Math.round(digest.records / ((lastAt - startedAt) / 1000)),
      unanswered: producer?.unanswered ?? 0,
      found: producer?.found ?? 0,
    };
  },
  isCovered: (place) => digest.isCovered(place),
  judge: (place) => digest.judge(place),
};

process.on('message', ({ id, ask, input }: { id: number; ask: keyof Asks; input: never }) => {
  const answer = async () => asks[ask](input);
  answer().then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.once('disconnect', () => process.exit());
