import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inferRoute } from '../../../ingest/route.ts';
import { leastCpuMs } from '../../support/cpu.ts';

describe('what callers choose becomes a parameter', () => {
  test.each([
    ['a number', '/orders/8812', '/orders/{id}'],
    ['one digit', '/orders/7', '/orders/{id}'],
    ['many of them', '/shops/3/orders/8812/items/1', '/shops/{id}/orders/{id}/items/{id}'],
    ['a UUID', '/users/3f2504e0-4f89-11d3-9a0c-0305e82c3301', '/users/{id}'],
    ['a UUID in upper case', '/users/3F2504E0-4F89-11D3-9A0C-0305E82C3301', '/users/{id}'],
    ['a UUID of letters at its ends', '/u/abcdefab-cdef-abcd-efab-cdefabcdefab', '/u/{id}'],
    ['an object id of MongoDB', '/docs/507f1f77bcf86cd799439011', '/docs/{id}'],
    ['a short hash', '/commits/deadbeef', '/commits/{id}'],
    ['a SHA-1', '/commits/da39a3ee5e6b4b0d3255bfef95601890afd80709', '/commits/{id}'],
    ['a ULID', '/events/01ARZ3NDEKTSV4RRFFQ69G5FAV', '/events/{id}'],
    ['a random word', '/videos/dQw4w9WgXcQ', '/videos/{id}'],
    ['a code', '/parts/SKU4711', '/parts/{id}'],
    ['a slug with a number', '/products/red-shoes-8812', '/products/{id}'],
    ['a slug with a small number', '/pages/page-2', '/pages/{id}'],
    ['a prefixed id', '/customers/cus_NffrFeUfNV2Hib', '/customers/{id}'],
    ['a date', '/reports/2026-11-22', '/reports/{date}'],
    ['a date in three', '/blog/2026/11/22', '/blog/{id}/{id}/{id}'],
    ['no date of a calendar', '/reports/2026-13-22', '/reports/{id}'],
    ['a time', '/at/2026-11-22T10:00:00Z', '/at/{id}'],
    ['an address', '/hosts/203.0.113.7', '/hosts/{id}'],
    ['what redaction left', '/users/REDACTED/orders', '/users/{id}/orders'],
    ['an escaped text', '/search/red%20shoes', '/search/{id}'],
    ['letters beyond ASCII', '/städte/graz', '/{id}/graz'],
    ['a handle', '/@frank', '/{id}'],
    ['a pair', '/near/48.2,16.4', '/near/{id}'],
    ['a key of OData', "/Products('x')", '/{id}'],
    ['a file with a number', '/files/report-2026.pdf', '/files/{id}'],
    ['a hashed asset', '/assets/index-4f3a2b1c.js', '/assets/{id}'],
    ['a very long word', `/x/${'a'.repeat(41)}`, '/x/{id}'],
    ['braces that are not ours', '/x/{evil}', '/x/{id}'],
    ['a number before a verb', '/v1/orders/8812:cancel', '/v1/orders/{id}:cancel'],
  ])('%s: %s', (_, path, template) => expect(inferRoute(path)).toBe(template));
});

describe('what the API is called by stays', () => {
  test.each([
    '/',
    '/orders',
    '/v1/orders',
    '/v2.1/orders',
    '/V1/Orders',
    '/apis/apps/v1beta1/deployments',
    '/oauth2/token',
    '/.well-known/openid-configuration',
    '/api/k8s/e2e/a11y/i18n',
    '/auth/2fa/verify',
    '/files/logo.mp3',
    '/grpc.health.v1.Health/Check',
    '/users/me/preferred_languages',
    '/odata/$metadata',
    '/openapi.json',
    '/v1/orders:batchGet',
    '/orders/{id}/items/{id}',
    '/reports/{date}',
    '/getUserProfileInformation',
    '/oauth2callback',
    '/getOAuth2Token',
    '/XMLHttpRequest',
    '/beef/cafe/faced',
  ])('%s', (path) => expect(inferRoute(path)).toBe(path));
});

describe('of one route there is one template', () => {
  test.each([
    ['/orders/', '/orders'],
    ['//orders//8812/', '/orders/{id}'],
    ['/orders;jsessionid=A1B2/8812', '/orders/{id}'],
    ['/orders/8812;v=2', '/orders/{id}'],
    ['//', '/'],
  ])('%s', (path, template) => expect(inferRoute(path)).toBe(template));
});

test.each(['', '*', 'example.com:443', 'orders/1'])('%j is no path and has no template', (path) => expect(inferRoute(path)).toBe(''));

test('is bounded in segments and in length, however long the path', () => {
  expect(inferRoute('/a'.repeat(11))).toBe(`${'/a'.repeat(10)}/*`);
  expect(inferRoute('/a'.repeat(10))).toBe('/a'.repeat(10));
  expect(inferRoute(`/${'word-'.repeat(8)}`.repeat(5_000)).length).toBeLessThanOrEqual(10 * 82 + 2);
});

const segment = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'abcdefvxyzABF0123456789-_.~:;{}%*$@'.split('')), maxLength: 45 }),
  fc.constantFrom('{id}', '{date}', '*', 'REDACTED', 'v1', '2026-11-22', '{id}:go'),
  fc.uuid(),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
);
const anyPath = fc.array(segment, { maxLength: 14 }).map((segments) => `/${segments.join('/')}`);

test('a template is its own template', () => {
  fc.assert(
    fc.property(anyPath, (path) => {
      const template = inferRoute(path);
      expect(inferRoute(template)).toBe(template);
    }),
    { numRuns: 3_000 },
  );
});

test('takes time in proportion to the length, for paths that look like everything at once', () => {
  const timeOf = (path: string) => 20 * leastCpuMs(() => inferRoute(path));
  for (const piece of ['a:', ':a', ';a', 'v1', '{id}', '-', 'abcdef01', '/a;', '/:', '/a:b'])
    expect(timeOf(`/${piece.repeat(200_000)}`), piece).toBeLessThan(2_000);
});
