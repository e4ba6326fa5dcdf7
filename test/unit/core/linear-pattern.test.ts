import { describe, expect, test } from 'vitest';
import { linearPattern } from '../../../core/linear-pattern.ts';
import { leastCpuMs } from '../../support/cpu.ts';

test('finds the pattern anywhere, in the case that it has', () => {
  expect(linearPattern('b+c').test('xxabbcx')).toBe(true);
  expect(linearPattern('b+c').test('ABBC')).toBe(false);
  expect(linearPattern('^b').test('ab')).toBe(false);
});

test.each([
  ['i', 'B+c', 'abBC', true],
  ['', '^b$', 'a\nb', false],
  ['m', '^b$', 'a\nb', true],
  ['', 'a.b', 'a\nb', false],
  ['s', 'a.b', 'a\nb', true],
  ['ims', '^B.c$', 'a\nb\nC', true],
])('flags %j: %s in %j is %s', (flags, source, text, found) => {
  expect(linearPattern(source, flags).test(text)).toBe(found);
});

test('named groups are those of the first match, an unused one is empty', () => {
  const pattern = linearPattern('(?<method>[A-Z]+) (?<path>\\S+)(?: (?<rest>x))?');
  expect(pattern.groups('1 GET /a 2 PUT /b')).toEqual({ method: 'GET', path: '/a', rest: '' });
  expect(pattern.groups('get')).toBeNull();
});

describe('what RE2 does not read is refused and named', () => {
  test.each([
    ['(?=a)b', '(?='],
    ['(?<!a)b', '(?<!a)b'],
    ['(a)\\1', '\\1'],
    ['(a', 'missing closing )'],
    ['a{1001}', '{1001}'],
  ])('%s', (source, named) => {
    expect(() => linearPattern(source)).toThrow(/^expected a pattern as RE2 reads it/);
    expect(() => linearPattern(source)).toThrow(named);
  });
});

test('a pattern that others take exponential time for takes time linear in the text', () => {
  const pattern = linearPattern('^(a+)+$');
  const time = (length: number): number => {
    const text = `${'a'.repeat(length)}!`;
    return leastCpuMs(() => expect(pattern.test(text)).toBe(false), 20);
  };
  time(10_000);
  // Eight times the text, and some room.
  expect(time(80_000)).toBeLessThan(30 * time(10_000));
});
