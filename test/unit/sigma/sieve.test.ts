import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CanonicalEvent, emptyEvent } from '../../../schemas/event.ts';
import { readDetection } from '../../../sigma/detection.ts';
import { containsOneOf, folded, rareSigns } from '../../../sigma/literals.ts';
import { createMatcher } from '../../../sigma/match.ts';
import { lookupOf } from '../../../sigma/request.ts';
import { createSieve } from '../../../sigma/sieve.ts';
import { witnessesOf } from '../../../sigma/witness.ts';

const witnesses = (detection: object) => {
  const found = witnessesOf(readDetection(detection, 'x.yml'));
  return found === null ? null : Object.fromEntries(found);
};

describe('a rule cannot hold without its witnesses', () => {
  test.each([
    ['the texts of a list', { a: { 'uri_d|contains': ['Foo=', 'bar='] }, condition: 'a' }, { uri_d: ['foo=', 'bar='] }],
    ['the longest piece between wildcards', { a: { uri_d: '*ab*cdef?g' }, condition: 'a' }, { uri_d: ['cdef'] }],
    ['without a question mark', { a: { 'uri_d|contains': 'ab?cdef' }, condition: 'a' }, { uri_d: ['cdef'] }],
    ['nor an escaped one', { a: { 'uri_d|contains': String.raw`ab\?cdef` }, condition: 'a' }, { uri_d: ['cdef'] }],
    [
      'of all fields the rarest',
      { a: { 'uri_d|contains': 'ab', 'cs-uri|contains': ['cdef', 'ghi'] }, condition: 'a' },
      { uri: ['cdef', 'ghi'] },
    ],
    [
      'of one of them those of each',
      { a: { 'uri_d|contains': 'ab' }, b: { 'uri_d|contains': 'cd', 'sc-status': 404 }, condition: '1 of them' },
      { uri_d: ['ab'], http_response_status_code: ['404'] },
    ],
    [
      'of a word in all of its fields',
      { a: ['sqlmap'], condition: 'a' },
      { http_request_method: ['sqlmap'], uri: ['sqlmap'], uri_d: ['sqlmap'], user_agent_original: ['sqlmap'], referer_host: ['sqlmap'] },
    ],
    ['a text in a case folds too', { a: { 'cs-uri|contains|cased': 'AbC' }, condition: 'a' }, { uri: ['abc'] }],
    ['beside what has none', { a: { 'uri_d|contains': 'ab', 'uri_d|re': 'x' }, condition: 'a and not a' }, { uri_d: ['ab'] }],
    ['but a pattern has none', { a: { 'uri_d|re': 'abc' }, condition: 'a' }, null],
    ['nor a negation', { a: { 'uri_d|contains': 'abc' }, condition: 'not a' }, null],
    ['nor one of several without', { a: { 'uri_d|contains': 'abc' }, b: { 'uri_d|re': 'x' }, condition: 'a or b' }, null],
    ['nor a single sign', { a: { 'uri_d|contains': "'" }, condition: 'a' }, null],
  ])('%s', (_, detection, expected) => {
    expect(witnesses(detection)).toEqual(expected);
  });
});

test('a rare sign is one that few paths and queries hold', () => {
  expect(rareSigns(["' or", 'union select', 'x(1'])).toEqual(["'", ' ', '(']);
  expect(rareSigns(['token=', 'a&b'])).toEqual(['=', '&']);
  expect(rareSigns(['token=', 'union'])).toBeNull();
});

test('literals are found in any case, whatever signs they hold', () => {
  expect(containsOneOf(['a.b', '(c|d)'].map(folded))('xA.By')).toBe(true);
  expect(containsOneOf(['a.b', '(c|d)'])('axb c')).toBe(false);
  expect(containsOneOf(['a.b', '(c|d)'])('x(C|D)')).toBe(true);
});

describe('an event falls through only where no rule holds', () => {
  const detections = [
    { a: { 'uri_sql|contains': ["' or", 'union select', '@@v'] }, condition: 'a' },
    { a: { 'uri_d|contains': ['token=', 'b c'] }, condition: 'a' },
    { a: { 'cs-uri|contains': '%27' }, condition: 'a' },
    { a: { 'uri_d|contains': 'union' }, condition: 'a' },
    { a: { 'c-useragent|contains': 'sqlmap' }, condition: 'a' },
    { a: { 'sc-status': '404' }, condition: 'a' },
    { a: { 'uri_d|contains': '<script' }, condition: 'a' },
    { a: { 'uri_sql|contains': 'v&b' }, condition: 'a' },
  ];
  const rules = detections.map((detection) => {
    const read = readDetection(detection, 'x.yml');
    return { witnesses: witnessesOf(read) ?? expect.unreachable(), matches: createMatcher(read) };
  });
  const sieve = createSieve(rules);
  const event = (rest: Partial<CanonicalEvent>): CanonicalEvent => ({ ...emptyEvent(), url_path: '/a', ...rest });
  const passing = (rest: Partial<CanonicalEvent>): number[] => sieve(event(rest)).map((rule) => rules.indexOf(rule));

  test.each([
    [{}, []],
    [{ url_query: 'page=2&sort=asc' }, []],
    [{ url_query: "a='+or" }, [0]],
    [{ url_query: 'a=%27%20OR' }, [0, 2]],
    [{ url_query: 'a=%2527/**/or' }, [0]],
    [{ url_query: 'a=%25%32%37%09or' }, [0]],
    [{ url_query: 'a=%u0027%A0or' }, []],
    [{ url_query: 'a=%u0027%C2%A0or' }, [0]],
    [{ url_path: "/x'%20or" }, [0]],
    [{ url_query: 'UNION/*!1select' }, [0, 3]],
    [{ url_query: '%55nion' }, [3]],
    [{ url_query: 'xtoken=1' }, [1]],
    [{ url_query: 'x%74oken%3d1' }, [1]],
    [{ user_agent_original: 'SqlMap/1' }, [4]],
    [{ http_response_status_code: 404 }, [5]],
    [{ url_query: 'q=%3Cscript' }, [6]],
    [{ url_query: 'q=%253cscript' }, [6]],
    [{ url_query: 'q=%%33cscript' }, [6]],
    [{ url_query: 'q=%u003cscript' }, [6]],
    [{ url_query: 'union%23%0aselect' }, [0, 3]],
    [{ url_query: 'union--%0Dselect' }, [0, 3]],
    [{ url_query: "a=/*&b='+or*/" }, [0]],
    [{ url_path: "b/*'*/v" }, [7]],
  ])('%j is judged by %j', (rest, expected) => {
    expect(passing(rest)).toEqual(expected);
  });

  test('at random, put together of pieces of attacks', () => {
    const pieces = [
      "'",
      '%27',
      '%2527',
      '%u0027',
      ' ',
      '+',
      '%20',
      '%09',
      '/**/',
      '/*!1',
      '/*',
      '*/',
      '--',
      '#',
      '\n',
      '%0d',
      'or',
      'OR',
      'union',
      'select',
      '@@',
      'v',
      'token',
      '=',
      '<',
      '%3c',
      '3c',
      'script',
      '%33',
      '%3d',
      '%253D',
      'b',
      'c',
      '%',
      '%2',
      '7',
      '\u00a0',
      '%C2%A0',
      '?',
      '&',
    ];
    const part = fc.array(fc.constantFrom(...pieces), { maxLength: 9 }).map((all) => all.join(''));
    fc.assert(
      fc.property(part, part, (url_path, url_query) => {
        const one = event({ url_path, url_query });
        const holding = rules.filter(({ matches }) => matches(lookupOf(one)));
        expect(sieve(one)).toEqual(expect.arrayContaining(holding));
      }),
      { numRuns: 10_000 },
    );
  });
});
