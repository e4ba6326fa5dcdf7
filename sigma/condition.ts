/** The condition of a detection: names joined by `and`, `or`, `not`, brackets, and `1 of` or `all of` a group of names. */

import { escaped } from './literals.ts';

/** What a detection asks of one request. */
export type Condition<Test> =
  | { readonly kind: 'all' | 'any'; readonly parts: readonly Condition<Test>[] }
  | { readonly kind: 'not'; readonly part: Condition<Test> }
  | { readonly kind: 'test'; readonly test: Test };

/** `named` holds what each name stands for. From weak to strong: or, and, not, x of. @throws Error that says what was expected and what came */
export function readCondition<Test>(text: string, named: ReadonlyMap<string, Condition<Test>>): Condition<Test> {
  const words = text.match(/[()|]|[^\s()|]+/g) ?? [];
  let at = 0;
  const takes = (word: string): boolean => {
    if (words[at] !== word) return false;
    at += 1;
    return true;
  };
  const joined = (kind: 'all' | 'any', word: string, part: () => Condition<Test>): Condition<Test> => {
    const parts = [part()];
    while (takes(word)) parts.push(part());
    return parts.length === 1 && parts[0] ? parts[0] : { kind, parts };
  };
  const either = (): Condition<Test> => joined('any', 'or', both);
  const both = (): Condition<Test> => joined('all', 'and', negated);
  const negated = (): Condition<Test> => (takes('not') ? { kind: 'not', part: negated() } : single());

  function single(): Condition<Test> {
    if (takes('(')) {
      const inner = either();
      if (!takes(')')) throw unexpected('a closing bracket');
      return inner;
    }
    const word = words[at] ?? '';
    at += 1;
    if (takes('of')) return group(word, words[at++] ?? '');
    const found = named.get(word);
    if (found) return found;
    at -= 1;
    throw unexpected(`one of ${[...named.keys()].join(', ')}`);
  }

  /** A name that begins with an underscore serves others: only a pattern that begins so means it. */
  function group(count: string, pattern: string): Condition<Test> {
    const fits = new RegExp(`^${pattern === 'them' ? '.*' : pattern.split('*').map(escaped).join('.*')}$`);
    const parts = [...named].filter(([name]) => fits.test(name) && (!name.startsWith('_') || pattern.startsWith('_')));
    if (parts.length === 0) throw new Error(`expected a group of ${[...named.keys()].join(', ')}, found ${JSON.stringify(pattern)}`);
    if (!['1', 'any', 'all'].includes(count)) throw new Error(`expected 1 of or all of, found ${JSON.stringify(`${count} of`)}`);
    return { kind: count === 'all' ? 'all' : 'any', parts: parts.map(([, part]) => part) };
  }

  function unexpected(expected: string): Error {
    return new Error(`expected ${expected}, found ${at < words.length ? JSON.stringify(words[at]) : 'the end'} in ${JSON.stringify(text)}`);
  }

  const condition = either();
  if (at < words.length) throw unexpected('and, or or the end');
  return condition;
}
