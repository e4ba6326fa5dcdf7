/** The semantics of Sigma 2.1, value by value: what a detection holds for, in both cases, and what it is refused for. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AuditError } from '../../../core/errors.ts';
import { readDetection } from '../../../sigma/detection.ts';
import type { FieldName } from '../../../sigma/fields.ts';
import { createMatcher } from '../../../sigma/match.ts';

type Request = Partial<Record<FieldName, string | number | null>>;

const matches = (detection: object, request: Request): boolean =>
  createMatcher(readDetection(detection, 'x.yml'))((field) => request[field] ?? (field === 'http_response_status_code' ? null : ''));
/** Of one key with its modifiers, over the path unless it says otherwise. */
const holds = (key: string, value: unknown, path: string): boolean =>
  matches({ s: { [key.replace('path', 'cs-uri-stem')]: value }, condition: 's' }, { url_path: path });

function refusalOf(detection: object): string {
  try {
    readDetection(detection, 'x.yml');
  } catch (error) {
    if (!(error instanceof AuditError)) throw error;
    expect(error.message).toContain(`x.yml at ${String(error.facts['place'])}: `);
    return `${error.code} ${String(error.facts['place'])}`;
  }
  return 'read';
}

describe('a text', () => {
  test.each([
    ['path', '/admin', '/Admin', true],
    ['path', '/ADMIN', '/admin', true],
    ['path', '/admin', '/admin/', false],
    ['path', '', '', true],
    ['path', '', '/', false],
    ['path', 12, '12', true],
    ['path|contains', 'dmi', '/aDMIn', true],
    ['path|contains', 'dmx', '/admin', false],
    ['path|startswith', '/AD', '/admin', true],
    ['path|startswith', 'admin', '/admin', false],
    ['path|endswith', 'MIN', '/admin', true],
    ['path|endswith', 'adm', '/admin', false],
    ['path|cased', '/Admin', '/admin', false],
    ['path|contains|cased', 'Adm', '/Admin', true],
    ['path|contains|cased', 'Adm', '/admin', false],
    ['path|contains', 'ÄÖ', '/äö', true],
    ['path|contains', 'ΑΣ', '/ασα', true],
    ['path|contains', 'a.c', '/abc', false],
    ['path|contains', '[x](y)|z', '/[X](y)|Z', true],
    ['path|neq', '/a', '/b', true],
    ['path|neq', '/a', '/A', false],
    ['path|neq', '/a', '', true],
    ['path|contains|neq', 'a', '/bab', false],
  ])('%s: %j on %j is %s', (key, value, path, expected) => {
    expect(holds(key, value, path)).toBe(expected);
  });
});

describe('wildcards and their escapes', () => {
  test.each([
    ['/a*c', '/abbbc', true],
    ['/a*c', '/ac', true],
    ['/a*c', '/acd', false],
    ['*', '', true],
    ['*a*b*', 'xxaxxbxx', true],
    ['*a*b*', 'xxbxxaxx', false],
    ['/a?c', '/abc', true],
    ['/a?c', '/ac', false],
    ['?', '😀', true],
    ['/a*c', '/a\nc', true],
    ['/a.c', '/abc', false],
    [String.raw`/a\*c`, '/a*c', true],
    [String.raw`/a\*c`, '/abc', false],
    [String.raw`/a\?c`, '/a?c', true],
    [String.raw`/a\?c`, '/abc', false],
    [String.raw`/a\c`, String.raw`/a\c`, true],
    [String.raw`/a\\c`, String.raw`/a\c`, true],
    [String.raw`/a\\*`, String.raw`/a\bcd`, true],
    [String.raw`/a\\*`, '/abcd', false],
    [String.raw`/a\\\*`, String.raw`/a\*`, true],
    [String.raw`/a\\\*`, String.raw`/a\b`, false],
    [String.raw`/a\\\\`, String.raw`/a\\`, true],
    [String.raw`/a\\\c`, String.raw`/a\\c`, true],
    ['/a\\', '/a\\', true],
    ['/A*C', '/abc', true],
  ])('%s on %s is %s', (value, path, expected) => {
    expect(holds('path', value, path)).toBe(expected);
  });

  test('one in the middle of contains, too', () => {
    expect(holds('path|contains', 'b*d', '/abcde')).toBe(true);
    expect(holds('path|contains', 'b?d', '/abccd')).toBe(false);
  });

  test('any text of letters and wildcards fits what a plain search by hand says', () => {
    const glob = (pattern: string, text: string): boolean => {
      const [first = '', ...rest] = pattern;
      if (pattern === '') return text === '';
      if (first === '*') return glob(rest.join(''), text) || (text !== '' && glob(pattern, text.slice(1)));
      return text !== '' && (first === '?' || first === text[0]) && glob(rest.join(''), text.slice(1));
    };
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 7 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 9 });
    fc.assert(
      fc.property(word, text, (pattern, path) => {
        expect(holds('path', pattern, path)).toBe(glob(pattern, path));
      }),
    );
  });
});

describe('other kinds of values', () => {
  test.each([
    ['path|re', '^/a+$', '/aaa', true],
    ['path|re', 'A', '/a', false],
    ['path|re|i', 'A', '/a', true],
    ['path|re', 'b', '/abc', true],
    ['path|re', '^b$', 'a\nb', false],
    ['path|re|m', '^b$', 'a\nb', true],
    ['path|re|s', 'a.b', 'a\nb', true],
    ['path|re', 'a.b', 'a\nb', false],
    ['path|exists', true, '/', true],
    ['path|exists', true, '', false],
    ['path|exists', false, '', true],
    ['path', null, '', true],
    ['path', null, '/', false],
  ])('%s: %j on %j is %s', (key, value, path, expected) => {
    expect(holds(key, value, path)).toBe(expected);
  });

  test.each([
    ['sc-status', 404, 404, true],
    ['sc-status', '404', 404, true],
    ['sc-status', '4*', 404, true],
    ['sc-status', '4*', 500, false],
    ['sc-status|gte', 400, 400, true],
    ['sc-status|gt', 400, 400, false],
    ['sc-status|lt', '500', 404, true],
    ['sc-status|lte', 404, 405, false],
    ['sc-status|lte', 404, 404, true],
    ['sc-status|lt', 404, 404, false],
    ['sc-status|gte', 405, 404, false],
    ['sc-status|lt', 500, null, false],
    ['sc-status|exists', false, null, true],
    ['sc-status', null, null, true],
    ['sc-status', null, 200, false],
  ])('%s: %j on %j is %s', (key, value, status, expected) => {
    expect(matches({ s: { [key]: value }, condition: 's' }, { http_response_status_code: status })).toBe(expected);
  });

  test.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.0.0.0/8', '', false],
    ['10.0.0.0/8', '2001:db8::1', false],
    ['2001:db8::/32', '2001:db8::1', true],
    ['2001:db8::/32', '10.0.0.1', false],
    ['0.0.0.0/0', '203.0.113.7', true],
  ])('cidr %s on %j is %s', (value, address, expected) => {
    expect(matches({ s: { 'c-ip|cidr': value }, condition: 's' }, { client_address: address })).toBe(expected);
  });
});

describe('maps, lists and words', () => {
  const request: Request = {
    http_request_method: 'GET',
    url_path: '/a/b',
    uri: '/a/b?q=%3Cx%3E',
    uri_d: '/a/b?q=<x>',
    user_agent_original: 'curl',
    http_response_status_code: 200,
  };
  test.each([
    ['a map wants all of its fields', { 'cs-method': 'GET', 'sc-status': 200 }, true],
    ['and not one of them', { 'cs-method': 'GET', 'sc-status': 404 }, false],
    ['a list of values is satisfied by one', { 'sc-status': [404, 200] }, true],
    ['and by none', { 'sc-status': [404, 500] }, false],
    ['many contains are searched in one pass', { 'cs-uri-stem|contains': ['x', '/B'] }, true],
    ['and none of them found', { 'cs-uri-stem|contains': ['x', 'y.'] }, false],
    ['all wants each of a list', { 'cs-uri-stem|contains|all': ['/a', '/b'] }, true],
    ['and each of it', { 'cs-uri-stem|contains|all': ['/a', '/c'] }, false],
    ['a list of maps is satisfied by one', [{ 'sc-status': 404 }, { 'cs-method': 'get' }], true],
    ['words stand anywhere', ['nothing', 'CURL'], true],
    ['in the URI as it came', ['%3Cx'], true],
    ['and in the opened one', ['<X>'], true],
    ['but not in a field that is none of theirs', ['200'], false],
    ['words with blanks and brackets', ['q=<x>', '(a b)'], true],
    ['words that must all stand', { '|all': ['curl', 'get'] }, true],
    ['of which one does not', { '|all': ['curl', 'wget'] }, false],
    ['a pattern without a field', { '|re': '^cu.l$' }, true],
    ['one word alone', 'curl', true],
    ['a map and a word in one list', [{ 'sc-status': 404 }, 'curl'], true],
  ])('%s', (_, selection, expected) => {
    expect(matches({ s: selection, condition: 's' }, request)).toBe(expected);
  });

  test('fields read what public rules mean by them', () => {
    const uris: Request = { uri: '/owa/x?y=1', url: 'a.example/owa/x?y=1', url_path: '/owa/x', referer_host: 'b.example' };
    for (const key of ['cs-uri-query', 'cs-uri', 'c-uri-query'])
      expect(matches({ s: { [`${key}|startswith`]: '/owa/' }, condition: 's' }, uris)).toBe(true);
    expect(matches({ s: { 'c-uri|startswith': 'a.example/' }, condition: 's' }, uris)).toBe(true);
    expect(matches({ s: { 'cs-uri-stem|endswith': '/x' }, condition: 's' }, uris)).toBe(true);
    expect(matches({ s: { 'cs-referer': 'B.example' }, condition: 's' }, uris)).toBe(true);
  });
});

describe('what is not judged exactly is refused with a code and its place', () => {
  const of = (selection: unknown, condition: unknown = 's') => ({ s: selection, condition });
  test.each([
    ['a field that no log has', of({ 'cs-cookie': 'a' }), 'FIELD_NOT_LOGGED /detection/s/cs-cookie'],
    ['a field without a meaning here', of({ 'x-y': 'a' }), 'FIELD_UNKNOWN /detection/s/x-y'],
    ['a field that every object has', of({ constructor: 'a' }), 'FIELD_UNKNOWN /detection/s/constructor'],
    ['the path of a referer', of({ 'cs-referer|contains': 'a/b' }), 'FIELD_NOT_LOGGED /detection/s/cs-referer|contains'],
    ['null in a list', of({ 'sc-status': [1, null] }), 'NULL_IN_LIST /detection/s/sc-status'],
    ['null as a word', of([null]), 'NULL_IN_LIST /detection/s'],
    ['null with a modifier', of({ 'cs-host|contains': null }), 'UNKNOWN_KEY /detection/s/cs-host|contains'],
    ['no value', of({ 'sc-status': [] }), 'UNKNOWN_KEY /detection/s/sc-status'],
    ['a map for a value', of({ 'cs-host': { a: 1 } }), 'UNKNOWN_KEY /detection/s/cs-host'],
    ['a list in a list', of([['a']]), 'UNKNOWN_KEY /detection/s'],
    ['no field', of({}), 'UNKNOWN_KEY /detection/s'],
    ['a modifier that is not read', of({ 'cs-host|base64': 'a' }), 'UNKNOWN_KEY /detection/s/cs-host|base64'],
    ['a placeholder', of({ 'cs-host|expand': '%a%' }), 'UNKNOWN_KEY /detection/s/cs-host|expand'],
    ['two positions', of({ 'cs-host|contains|endswith': 'a' }), 'UNKNOWN_KEY /detection/s/cs-host|contains|endswith'],
    ['a position of a pattern', of({ 'cs-host|contains|re': 'a' }), 'UNKNOWN_KEY /detection/s/cs-host|contains|re'],
    ['a position without a field', of({ '|startswith': 'a' }), 'UNKNOWN_KEY /detection/s/|startswith'],
    ['look-around', of({ 'cs-host|re': '(?=a)' }), 'REGEX_UNSUPPORTED /detection/s/cs-host|re'],
    ['a pattern that is none', of({ 'cs-host|re': 5 }), 'REGEX_UNSUPPORTED /detection/s/cs-host|re'],
    ['a network that is none', of({ 'c-ip|cidr': '10.0.0.0' }), 'UNKNOWN_KEY /detection/s/c-ip|cidr'],
    ['a network too long', of({ 'c-ip|cidr': '10.0.0.0/33' }), 'UNKNOWN_KEY /detection/s/c-ip|cidr'],
    ['a bound that is no number', of({ 'sc-status|gt': 'x' }), 'UNKNOWN_KEY /detection/s/sc-status|gt'],
    ['a presence that is none', of({ 'cs-host|exists': 'yes' }), 'UNKNOWN_KEY /detection/s/cs-host|exists'],
    ['several values that it must not be', of({ 'cs-host|neq': ['a', 'b'] }), 'UNKNOWN_KEY /detection/s/cs-host|neq'],
    ['a time span', { ...of('a'), timeframe: '5m' }, 'CORRELATION_UNSUPPORTED /detection/timeframe'],
    ['no condition', { s: 'a' }, 'CORRELATION_UNSUPPORTED /detection/condition'],
    ['an aggregation', of('a', 's | count() by c-ip > 5'), 'CORRELATION_UNSUPPORTED /detection/condition'],
    ['no mapping', ['a'], 'UNKNOWN_KEY /detection'],
  ])('%s', (_, detection, expected) => {
    expect(refusalOf(detection)).toBe(expected);
  });
});
