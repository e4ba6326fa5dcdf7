import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyEvent } from '../../../schemas/event.ts';
import { lookupOf } from '../../../sigma/request.ts';
import { decoded, spaced } from '../../../sigma/uri.ts';
import { leastCpuMs } from '../../support/cpu.ts';

describe('a part of a URI is opened', () => {
  test.each([
    ['a+b', 'a b'],
    ['a%20b%27', "a b'"],
    ['%2527', "'"],
    ['%252527', '%27'],
    ['%25%32%37', "'"],
    ['%2B', '+'],
    ['%C3%A9t%c3%a9', 'été'],
    ['%F0%9F%98%80', '😀'],
    ['%u0027x%U0041', "'xA"],
    ['100%', '100%'],
    ['%zz%4', '%zz%4'],
    ['%ff', '\ufffd'],
    ['%41é%42', 'AéB'],
    ['', ''],
  ])('%s is %s', (part, expected) => {
    expect(decoded(part)).toBe(expected);
  });

  test('as decodeURIComponent opens whatever encodeURIComponent wrote, once and twice', () => {
    const text = fc.string({ unit: 'grapheme' }).filter((one) => !/%|\+/.test(one) && !one.includes('\ufffd'));
    fc.assert(
      fc.property(text, (one) => {
        expect(decoded(encodeURIComponent(one))).toBe(one);
        expect(decoded(encodeURIComponent(encodeURIComponent(one)))).toBe(one);
      }),
    );
  });

  test('one part after another, and the same again', () => {
    expect(['%41', '%42', '%41', '%41'].map(decoded)).toEqual(['A', 'B', 'A', 'A']);
  });
});

describe('what SQL takes for a blank becomes one', () => {
  test.each([
    ['a%09%0a%0db', 'a b'],
    ['a+++b', 'a b'],
    ['a/**/b', 'a b'],
    ['a/*x*y/z*/b', 'a b'],
    ['a+/*x*/+b', 'a b'],
    ['a%00b%c2%a0c', 'a b c'],
    ['/*!50000union*/+/*!select*/', ' union select '],
    ['/*M!100200union*/', ' union '],
    ['a/*b', 'a/*b'],
    ['a/*', 'a/*'],
    ['a*/b', 'a b'],
    ['/*/b', '/ b'],
    ['/*/b*/c', ' c'],
    ['a b', 'a b'],
    ['ab', 'ab'],
  ])('%s is %j', (part, expected) => {
    expect(spaced(part)).toBe(expected);
  });
});

test('a URI is path, question mark and query, and without a query the path alone', () => {
  const event = { ...emptyEvent(), server_address: 'a.example', url_path: '/x%20y', url_query: '' };
  expect(['uri', 'uri_d', 'url'].map((field) => lookupOf(event)(field as 'uri'))).toEqual(['/x%20y', '/x y', 'a.example/x%20y']);
  const asked = { ...event, url_query: 'a=/*1*/%27' };
  expect(['uri', 'uri_d', 'uri_sql'].map((field) => lookupOf(asked)(field as 'uri'))).toEqual([
    '/x%20y?a=/*1*/%27',
    "/x y?a=/*1*/'",
    "/x y?a= '",
  ]);
});

test('every form takes time linear in the part', () => {
  const time = (unit: string, length: number): number => {
    const part = unit.repeat(length / unit.length);
    return leastCpuMs(() => spaced(`${part}%41`), 15);
  };
  for (const unit of ['/*', '/*!1', '%2527', '++%', '*/', '/**/', '%u00']) {
    time(unit, 20_000);
    expect(time(unit, 160_000), unit).toBeLessThan(40 * Math.max(time(unit, 20_000), 0.05));
  }
});
