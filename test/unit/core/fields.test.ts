/** Reading of unknown JSON: what has another type than expected reads as absent, and nothing is read from a prototype. */
import { describe, expect, it } from 'vitest';
import { countOf, durationOf, isObject, listOf, numberOf, objectOf, own, statusOf, textOf } from '../../../core/fields.ts';

describe('a text', () => {
  it.each<[unknown, string]>([
    ['a', 'a'],
    ['', ''],
    [42, '42'],
    [['first', 'second'], 'first'],
    [[1], ''],
    [[], ''],
    [null, ''],
    [true, ''],
    [{}, ''],
    [Number.NaN, ''],
    [undefined, ''],
  ])('of %j is %j', (value, text) => expect(textOf(value)).toBe(text));
});

describe('a number', () => {
  it.each<[unknown, number | null]>([
    [1.5, 1.5],
    ['1.5', 1.5],
    [-1, -1],
    [0, 0],
    ['', null],
    [' ', null],
    ['-', null],
    ['1,5', null],
    [true, null],
    [[1], null],
    [null, null],
    [Number.POSITIVE_INFINITY, null],
  ])('of %j is %j', (value, number) => expect(numberOf(value)).toBe(number));

  it('of a duration is not negative: writers say -1 where there is none', () => {
    expect([durationOf(-1), durationOf(0), durationOf('2.5')]).toEqual([null, 0, 2.5]);
  });

  it('of a count is whole and within its bounds', () => {
    expect([countOf(3), countOf('3'), countOf(1.5), countOf(-1), countOf(2 ** 60)]).toEqual([3, 3, null, null, null]);
    expect([countOf(255, 255), countOf(256, 255)]).toEqual([255, null]);
  });

  it('of a status is one that HTTP knows', () => {
    expect([99, 100, '404', 999, 1000, 0, -1, '-', 200.5].map((value) => statusOf(value))).toEqual([
      null,
      100,
      404,
      999,
      null,
      null,
      null,
      null,
      null,
    ]);
  });
});

describe('an object and a list', () => {
  it('that are not there are empty, so that paths can be read without looking', () => {
    for (const value of [undefined, null, 1, 'a', [1]]) expect(objectOf(value)).toEqual({});
    for (const value of [undefined, null, 1, 'a', { 0: 1 }]) expect(listOf(value)).toEqual([]);
    expect(textOf(objectOf(objectOf({}['a' as never])['b'])['c'])).toBe('');
  });

  it('are told from null and from each other', () => {
    expect([{}, [], null, 'a', undefined].map(isObject)).toEqual([true, false, false, false, false]);
  });
});

it('nothing is read from a prototype', () => {
  expect(own({}, 'toString')).toBeUndefined();
  expect(own({}, '__proto__')).toBeUndefined();
  expect(own(JSON.parse('{"constructor":"own"}') as Record<string, unknown>, 'constructor')).toBe('own');
  for (const inherited of [{}.toString, Object.prototype.constructor]) expect([textOf(inherited), objectOf(inherited)]).toEqual(['', {}]);
});
