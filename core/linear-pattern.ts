/** Regular expressions that somebody else wrote, over texts that a client chose: RE2, so that no pair of them takes more than linear time. */
import { RE2JS } from 're2js';

export interface LinearPattern {
  /** Whether the pattern stands anywhere in the text. */
  test(text: string): boolean;
  /** Named groups of the first match, '' for one that took no part; null where nothing matches. */
  groups(text: string): Readonly<Record<string, string>> | null;
}

/** `flags` as in JavaScript, of `i`, `m` and `s`. @throws Error that says what in the pattern is not read: look-around and back-references among it */
export function linearPattern(source: string, flags = ''): LinearPattern {
  const pattern = compile(source, flags);
  const names = Object.keys(pattern.namedGroups());
  return {
    test: (text) => pattern.test(text),
    groups(text) {
      const match = pattern.matcher(text);
      return match.find() ? Object.fromEntries(names.map((name) => [name, match.group(name) ?? ''])) : null;
    },
  };
}

const bits: Readonly<Record<string, number>> = { i: RE2JS.CASE_INSENSITIVE, m: RE2JS.MULTILINE, s: RE2JS.DOTALL };

function compile(source: string, flags: string): RE2JS {
  try {
    return RE2JS.compile(
      source,
      flags.split('').reduce((all, flag) => all | (bits[flag] ?? 0), 0),
    );
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : String(error);
    throw new Error(`expected a pattern as RE2 reads it, without look-around and back-references: ${why}`, { cause: error });
  }
}
