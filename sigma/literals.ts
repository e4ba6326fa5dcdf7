/** Texts compared without case, and many of them looked for in one pass. */

/** Two texts are the same but for case when their folded forms are equal, wherever in a longer text they stand: so the sigma at the end of a word is an ordinary one. */
export function folded(text: string): string {
  const lower = text.toLowerCase();
  return lower.includes('ς') ? lower.replaceAll('ς', 'σ') : lower;
}

/** Whether a text contains one of the folded literals, in any case. Linear: at each place each literal is compared once. */
export function containsOneOf(literals: readonly string[]): (text: string) => boolean {
  const any = new RegExp(literals.map(escaped).join('|'));
  return (text) => any.test(folded(text));
}

export const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/**
 * A sign of each literal that is rare in texts without any of them; null where one has none. Letters, digits and what every
 * path and query holds tell nothing; the signs between keys and values are the last resort.
 */
export function rareSigns(literals: readonly string[]): readonly string[] | null {
  const signs = literals.map((literal) => /[^\w./?&=,:~%+\-\u0080-\uffff]/.exec(literal)?.[0] ?? /[=&]/.exec(literal)?.[0] ?? null);
  return signs.every((sign) => sign !== null) ? [...new Set(signs)] : null;
}
