import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Condition, readCondition } from '../../../sigma/condition.ts';

type Facts = Readonly<Record<string, boolean>>;

const named = (names: readonly string[]) => new Map(names.map((name) => [name, { kind: 'test', test: name } as const]));
function judge(condition: Condition<string>, facts: Facts): boolean {
  if (condition.kind === 'test') return facts[condition.test] === true;
  if (condition.kind === 'not') return !judge(condition.part, facts);
  return condition.kind === 'all'
    ? condition.parts.every((part) => judge(part, facts))
    : condition.parts.some((part) => judge(part, facts));
}
/** `true` are those of the names that hold. */
const holds = (text: string, names: string, holding: string): boolean =>
  judge(readCondition(text, named(names.split(' '))), Object.fromEntries(holding.split(' ').map((name) => [name, true])));

describe('a condition', () => {
  test.each([
    ['a', 'a b', 'a', true],
    ['a and b', 'a b', 'a', false],
    ['a or b', 'a b', 'b', true],
    ['not a', 'a b', 'b', true],
    ['not not a', 'a b', 'a', true],
    ['a or b and c', 'a b c', 'a', true],
    ['(a or b) and c', 'a b c', 'a', false],
    ['not a and b', 'a b', 'b', true],
    ['not (a and b)', 'a b', 'b', true],
    ['not a or b', 'a b', 'a b', true],
    ['(a)and(b)', 'a b', 'a b', true],
    ['1 of them', 'a b _c', 'b', true],
    ['1 of them', 'a b _c', '_c', false],
    ['any of them', 'a b', 'b', true],
    ['all of them', 'a b _c', 'a b', true],
    ['all of them', 'a b _c', 'a', false],
    ['1 of sel*', 'sel_1 sel_2 filter', 'filter', false],
    ['all of sel*', 'sel_1 sel_2 filter', 'sel_1 sel_2', true],
    ['1 of *_1', 'sel_1 sel_2', 'sel_1', true],
    ['1 of sel', 'sel sel_2', 'sel_2', false],
    ['1 of _f*', '_f1 a', '_f1', true],
    ['1 of * and not a', 'a b', 'b', true],
    ['not 1 of f* and 1 of s*', 's1 f1', 's1', true],
    ['all', 'all b', 'all', true],
    ['s.1 and s-2', 's.1 s-2', 's.1 s-2', true],
  ])('%s over %s, of which %s hold, is %s', (text, names, holding, expected) => {
    expect(holds(text, names, holding)).toBe(expected);
  });

  test('joined at random is judged as the same words in JavaScript are', () => {
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        fc.constantFrom('a', 'b', 'c'),
        fc.tuple(tie('tree'), fc.constantFrom('and', 'or'), tie('tree')).map((parts) => parts.join(' ')),
        tie('tree').map((inner) => `not ${inner}`),
        tie('tree').map((inner) => `(${inner})`),
      ),
    }));
    fc.assert(
      fc.property(tree, fc.boolean(), fc.boolean(), fc.boolean(), (text, a, b, c) => {
        const code = text
          .replaceAll('and', '&&')
          .replaceAll('or', '||')
          .replaceAll('not', '!')
          .replaceAll('a', String(a))
          .replaceAll('b', String(b));
        const words = code.replaceAll(/\bc\b/g, String(c));
        expect(judge(readCondition(text, named(['a', 'b', 'c'])), { a, b, c })).toBe(plain(words));
      }),
    );
  });

  test.each([
    ['', 'expected one of a, b, found the end in ""'],
    ['a and', 'found the end in "a and"'],
    ['a b', 'expected and, or or the end, found "b"'],
    ['(a', 'expected a closing bracket, found the end'],
    ['a)', 'expected and, or or the end, found ")"'],
    ['x', 'expected one of a, b, found "x"'],
    ['2 of them', 'expected 1 of or all of, found "2 of"'],
    ['1 of x*', 'expected a group of a, b, found "x*"'],
    ['1 of', 'found ""'],
    ['a | count() > 5', 'found "|"'],
    ['a AND b', 'found "AND"'],
  ])('that is none is refused: %s', (text, message) => {
    expect(() => readCondition(text, named(['a', 'b']))).toThrow(message);
  });
});

/** Booleans, `&&`, `||`, `!` and brackets, by the language's own rules: inner brackets first, then what binds most. */
function plain(words: string): boolean {
  const simple = (text: string): boolean =>
    text.split('||').some((either) =>
      either.split('&&').every((both) => {
        const negations = both.split('!').length - 1;
        return both.includes('true') === (negations % 2 === 0);
      }),
    );
  let text = words;
  while (text.includes('(')) text = text.replace(/\(([^()]*)\)/, (_, inner: string) => String(simple(inner)));
  return simple(text);
}
