import { expect, test } from 'vitest';
import { compileFilter } from '../../../query/filter.ts';
import { parseSearch } from '../../../query/search.ts';

test.each([
  ['consumer:mobile-app', { consumer: { eq: 'mobile-app' } }],
  ['status:>=400', { status: { gte: 400 } }],
  ['status:>400', { status: { gt: 400 } }],
  ['durationMs:<=2.5', { durationMs: { lte: 2.5 } }],
  ['durationMs:<2', { durationMs: { lt: 2 } }],
  ['status:404', { status: { eq: 404 } }],
  ['path:/orders/*', { path: { matches: '^/orders/.*$' } }],
  ['path:/a.b/*', { path: { matches: String.raw`^/a\.b/.*$` } }],
  ['path:"/a * b"', { path: { eq: '/a * b' } }],
  ['-method:GET', { not: { method: { eq: 'GET' } } }],
  ['--method:GET', { method: { eq: 'GET' } }],
  ['---method:GET', { not: { method: { eq: 'GET' } } }],
  ['outcome:auth_failure', { outcome: ['AUTH_FAILURE'] }],
  ['country:AT', { country: { eq: 'AT' } }],
  ['-asn:AS64500', { not: { asn: { eq: 'AS64500' } } }],
  ['lifecycle:deprecated', { lifecycle: ['DEPRECATED'] }],
  ['dataClass:pii', { dataClass: ['pii'] }],
  ['userAgentFamily:"Samsung Internet"', { userAgentFamily: { eq: 'Samsung Internet' } }],
  ['collection:pay*', { collection: { matches: '^pay.*$' } }],
  ['signal:sql-injection', { signal: ['sql-injection'] }],
  ['clientAddress:10.0.0.0/8', { clientAddress: { in: ['10.0.0.0/8'] } }],
])('%s', (phrase, filter) => {
  expect(parseSearch(phrase)).toEqual({ and: [filter] });
});

test('words without a name are looked for in path, route, consumer and request id', () => {
  expect(parseSearch('"two words"')).toEqual({
    and: [{ or: ['path', 'route', 'consumer', 'requestId'].map((field) => ({ [field]: { contains: 'two words' } })) }],
  });
});

test('several terms must all hold; an empty phrase holds for everything', () => {
  expect(parseSearch('status:500 method:GET')).toEqual({ and: [{ status: { eq: 500 } }, { method: { eq: 'GET' } }] });
  expect(compileFilter({ search: '   ' }).sql.replaceAll(/[()]/g, '')).toBe('1');
});

test('what a phrase nests by itself does not count, however many signs it has', () => {
  const deep = { not: { not: { not: { not: { not: { search: 'a -b' } } } } } };
  expect(() => compileFilter(deep)).not.toThrow();
  expect(compileFilter({ search: `${'-'.repeat(1_999)}x` }).sql.match(/NOT/g)).toHaveLength(1);
});

test('what is no phrase is refused', () => {
  for (const phrase of [
    'status:many',
    'nothing:there',
    'constructor:x',
    'toString:x',
    'search:x',
    'not:x',
    'clientAddress:x',
    'x'.repeat(2_001),
  ]) {
    expect(() => compileFilter({ search: phrase }), phrase).toThrowError(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
  }
});
