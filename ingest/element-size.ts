/** The limits of one element. Most are far below them, which their own keys and texts show without writing them out. */
import { ReadFailure } from './gateway.ts';
import type { Element } from './recognise.ts';

export const maxElementBytes = 1024 * 1024;

/** JSON.parse knows no depth that is too much, JSON.stringify does: some thousands, fewer where the stack is used already. */
const maxNesting = 1_000;

/** The element as it would be written; null where it is nested too deep for that. */
export function textOf({ value }: Element): string | null {
  if (typeof value === 'string') return value;
  return isTooDeep(value, maxNesting) ? null : JSON.stringify(value);
}

/** @throws ReadFailure TOO_LARGE, TOO_DEEP */
export function assertElementSize(element: Element): void {
  // A unit of a text is at most six bytes, where JSON escapes it: below an eighth of the limit nothing has to be counted.
  if (unitsLeft(element.value, maxElementBytes / 8, maxNesting) > 0) return;
  const text = textOf(element);
  if (text === null) throw new ReadFailure('TOO_DEEP', '', `expected an element nested at most ${maxNesting} deep, more came`);
  const bytes = Buffer.byteLength(text);
  if (bytes > maxElementBytes)
    throw new ReadFailure('TOO_LARGE', '', `expected an element of at most ${maxElementBytes} bytes, ${bytes} came`);
}

/** What is left of a budget after the keys and texts of a value; 0 or less when it may be large, or is nested deeper than `depth`. */
function unitsLeft(value: unknown, budget: number, depth: number): number {
  if (typeof value === 'string') return budget - value.length;
  if (typeof value !== 'object' || value === null) return budget - 8;
  if (depth === 0) return 0;
  let left = budget;
  for (const key of Object.keys(value)) {
    left = unitsLeft((value as Record<string, unknown>)[key], left - key.length, depth - 1);
    if (left <= 0) return 0;
  }
  return left;
}

function isTooDeep(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((each) => isTooDeep(each, depth - 1));
}
