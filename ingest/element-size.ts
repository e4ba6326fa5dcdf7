/** The limit of one element. Most are far below it, which their own keys and texts show without writing them out. */
import { ReadFailure } from './gateway.ts';
import type { Element } from './recognise.ts';

export const maxElementBytes = 1024 * 1024;

/** The element as it would be written. */
export const textOf = ({ value }: Element): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** @throws ReadFailure TOO_LARGE */
export function assertElementSize(element: Element): void {
  // A unit of a text is at most six bytes, where JSON escapes it: below an eighth of the limit nothing has to be counted.
  if (unitsLeft(element.value, maxElementBytes / 8) > 0) return;
  const bytes = Buffer.byteLength(textOf(element));
  if (bytes > maxElementBytes)
    throw new ReadFailure('TOO_LARGE', '', `expected an element of at most ${maxElementBytes} bytes, ${bytes} came`);
}

/** What is left of a budget after the keys and texts of a value; 0 or less when it may be large. */
function unitsLeft(value: unknown, budget: number): number {
  if (typeof value === 'string') return budget - value.length;
  if (typeof value !== 'object' || value === null) return budget - 8;
  let left = budget;
  for (const key of Object.keys(value)) {
    left = unitsLeft((value as Record<string, unknown>)[key], left - key.length);
    if (left <= 0) return 0;
  }
  return left;
}
