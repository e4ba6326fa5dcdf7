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
    ['a/*x*y/z*/b', 'a b&a/*x*y/z b'],
    ['a+/*x*/+b', 'a b'],
    ['a%00b%c2%a0c', 'a b c'],
    ['/*!50000union*/+/*!select*/', ' union select '],
    ['/*M!100200union*/', ' union '],
    ['a/*b', 'a/*b'],
    ['a/*', 'a/*'],
    ['a*/b', 'a b'],
    ['/*/b', '/ b'],
    ['/*/b*/c', ' c&/ b c'],
    ['a--x%0ab', 'a--x b&a b'],
    ['a--%0db', 'a-- b&a b'],
    ['a%23x%0ab%23y', 'a#x b#y&a b#y'],
    ['a/*--*/%0ab', 'a b'],
    ['a--/*%0ab*/c', 'a-- c&a b c'],
    ['a%0a-b', 'a -b'],
    ['a--b', 'a--b'],
    ['a b', 'a b'],
    ['ab', 'ab'],
  ])('%s is %j', (part, expected) => {
    expect(spaced(part)).toBe(expected);
  });
});

describe('where a comment may be none, its text is read too', () => {
  test.each([
    ['over the end of a parameter', 'a=/*&b=1/*y*/2&c=*/', 'a= 2&c= &a=/*&b=1 2&c= '],
    ['over a quote', "a=/*'b'*/", "a= &a=/*'b' "],
    ['over the steps of a path', '/*a/../1/b*/..', ' ..&/*a/../1/b ..'],
    ['over a step that is a star', '/*/b/*/', ' &/ b/ '],
    ['but not one within a value', 'a=b/*c*/d', 'a=b d'],
    ['nor one that holds nothing', "a='/**/b", "a=' b"],
    ['nor a star for any type', 'accept=*/*&b=1', 'accept= *&b=1'],
  ])('%s', (_, part, expected) => {
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
    let turn = 0; // the last answer is kept
    return leastCpuMs(() => spaced(`${part}%41${(turn += 1)}`), 15);
  };
  for (const unit of ['/*', '/*!1', '%2527', '++%', '*/', '/**/', '%u00', '/*x', '--x', '#', "/*&'*/", '-- %0a']) {
    time(unit, 20_000);
    expect(time(unit, 160_000), unit).toBeLessThan(40 * Math.max(time(unit, 20_000), 0.05));
  }
});
