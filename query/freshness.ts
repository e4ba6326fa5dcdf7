/** How current the data is: closed claims alone count, and the ends of the log where they can be asked. */
import type { Freshness } from '../schemas/api.ts';
import type { Closed } from '../storage/closed.ts';
import type { ReadOptions } from './guard.ts';

type Sources = Pick<ReadOptions, 'closed' | 'ends' | 'clock'>;

/** Nothing is said where the log does not answer: without its ends a stopped ingest would look like a quiet gateway. */
export async function freshnessOf({ closed, ends, clock }: Sources): Promise<Freshness> {
  const known = await ends?.().catch(() => null);
  return known === null ? unknown : freshnessAt(await closed.read(known), clock.now());
}

export function freshnessAt({ watermark }: Pick<Closed, 'watermark'>, now: number): Freshness {
  if (watermark === 0) return unknown;
  const at = Math.floor(watermark / 1000);
  return { watermark: at, lagSeconds: Math.max(0, now - at) / 1000 };
}

const unknown: Freshness = { watermark: null, lagSeconds: null };
