/**
 * What detection needs of a request and redaction removes: rules with `gw: {at: intake}` are judged on the event as it came, and
 * of what they find only the class stays.
 */
import type { CanonicalEvent } from '../schemas/event.ts';
import type { IntakeRule } from '../sigma/intake-rule.ts';
import { lookupOf } from '../sigma/request.ts';
import { createSieve } from '../sigma/sieve.ts';

/** Adds to the signals of an event, which brings some where it was stored before. */
export function createSignals(rules: readonly IntakeRule[]): (event: CanonicalEvent) => void {
  const sieve = createSieve(rules);
  return (event) => {
    const suspects = sieve(event);
    if (suspects.length === 0) return;
    const lookup = lookupOf(event);
    for (const { signal, matches } of suspects) {
      if (!event.signals.includes(signal) && matches(lookup)) event.signals.push(signal);
    }
  };
}
