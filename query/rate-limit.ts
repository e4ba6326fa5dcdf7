/** How often a key may ask: a bucket that fills evenly, and holds what one minute gives. Each process counts for itself. */
import type { Clock } from '../core/clock.ts';
import { AuditError } from '../core/errors.ts';

/** Keys that are remembered at most; beyond, all begin anew. */
const maxKeys = 10_000;

/** @throws RATE_LIMITED with `retryAfterMs`, from what it gives back, for a key that asks too often */
export function createRateLimit(perMinute: number, clock: Clock): (key: string) => void {
  const buckets = new Map<string, { readonly left: number; readonly at: number }>();
  return (key) => {
    const now = clock.now();
    const before = buckets.get(key) ?? { left: perMinute, at: now };
    const left = Math.min(perMinute, before.left + (Math.max(0, now - before.at) / 60_000) * perMinute);
    if (left < 1) {
      const retryAfterMs = Math.ceil(((1 - left) * 60_000) / perMinute);
      throw new AuditError('RATE_LIMITED', `This key has asked more than ${perMinute} times a minute`, { facts: { retryAfterMs } });
    }
    if (buckets.size >= maxKeys) buckets.clear();
    buckets.set(key, { left: left - 1, at: now });
  };
}
