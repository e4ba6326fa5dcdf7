/** How many records of each partition wait, asked when Prometheus asks. Every process that ingests tells it of all partitions. */
import type { Log } from '../ingest/log.ts';
import type { ClosedReader } from '../storage/closed.ts';
import type { Metrics } from './telemetry.ts';
import { endsOf } from './watermark.ts';

interface Sources {
  readonly log: Log;
  readonly topics: readonly string[];
  readonly closed: ClosedReader;
}

export function tellLag(metrics: Metrics, { log, topics, closed }: Sources): void {
  metrics.onScrape(async () => {
    metrics.lagRecords.reset(); // where it cannot be asked there is no lag to show, and no old one either
    const ends = await endsOf(log, topics);
    for (const { topic, partition, position } of (await closed.read(ends)).partitions) {
      const end = ends.get(`${topic}/${partition}`);
      if (end !== undefined) metrics.lagRecords.set({ topic, partition }, Math.max(0, end - position));
    }
  });
}
