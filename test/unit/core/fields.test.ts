/** Reading of unknown JSON: what has another type than expected reads as absent, and nothing is read from a prototype. */
import { describe, expect, it } from 'vitest';
import { countAt, durationAt, isObject, listAt, numberAt, objectAt, own, statusAt, textAt } from '../../../core/fields.ts';

const at = <Value>(read: (from: Readonly<Record<string, unknown>>, key: string) => Value, value: unknown): Value =>
  read({ key: value }, 'key');

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
  ])('of %j is %j', (value, text) => expect(at(textAt, value)).toBe(text));
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
  ])('of %j is %j', (value, number) => expect(at(numberAt, value)).toBe(number));

  it('of a duration is not negative: writers say -1 where there is none', () => {
    expect([at(durationAt, -1), at(durationAt, 0), at(durationAt, '2.5')]).toEqual([null, 0, 2.5]);
  });

  it('of a count is whole and within its bounds', () => {
    expect([at(countAt, 3), at(countAt, '3'), at(countAt, 1.5), at(countAt, -1), at(countAt, 2 ** 60)]).toEqual([3, 3, null, null, null]);
    expect([countAt({ key: 255 }, 'key', 255), countAt({ key: 256 }, 'key', 255)]).toEqual([255, null]);
  });

  it('of a status is one that HTTP knows', () => {
    expect([99, 100, '404', 999, 1000, 0, -1, '-', 200.5].map((value) => at(statusAt, value))).toEqual([
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
    for (const value of [undefined, null, 1, 'a', [1]]) expect(at(objectAt, value)).toEqual({});
    for (const value of [undefined, null, 1, 'a', { 0: 1 }]) expect(at(listAt, value)).toEqual([]);
    expect(textAt(objectAt(objectAt({}, 'a'), 'b'), 'c')).toBe('');
  });

  it('are told from null and from each other', () => {
    expect([{}, [], null, 'a', undefined].map(isObject)).toEqual([true, false, false, false, false]);
  });
});

it('nothing is read from a prototype', () => {
  expect(own({}, 'toString')).toBeUndefined();
  expect(own({}, '__proto__')).toBeUndefined();
  expect(textAt(JSON.parse('{"constructor":"own"}') as Record<string, unknown>, 'constructor')).toBe('own');
});
