import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { redactPath, redactQuery, redactRoute } from '../../../ingest/redact-url.ts';

const none: ReadonlySet<string> = new Set();
const token = 'Zx81kQ0pLmN7vTq2WsYb3Rf6';
const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U';

describe('queries', () => {
  test.each([
    ['page=2&sort=asc', 'page=REDACTED&sort=REDACTED'],
    ['page=2&token=x', 'page=2&token=REDACTED', 'page'],
    ['a=1&a=2&flag', 'a=REDACTED&a=REDACTED&flag'],
    ['page=1;token=hunter2', 'page=1;token=REDACTED', 'page'],
    ['page=1&amp;token=hunter2', 'page=1&amp;token=REDACTED', 'page'],
    ['filter[name]=x&ids[]=1', 'filter[name]=REDACTED&ids[]=REDACTED'],
    ['=hunter2&&x', '=REDACTED&&x'],
    ['a==hunter2', 'a=REDACTED'],
    ['PAGE=2', 'PAGE=REDACTED', 'page'],
    ['p%61ge=2', 'p%61ge=REDACTED', 'page'],
    ['', ''],
  ])('%s', (query, expected, ...allowed) => expect(redactQuery(query, new Set(allowed))).toBe(expected));

  test.each([
    ['sk_live_4eC39HqLyjWDarjtT1zdp7dc', 'REDACTED'],
    ['me@example.com', 'REDACTED'],
    ['a%40example.com=1', 'REDACTED=REDACTED'],
    [jwt, 'REDACTED'],
    [`${token}=1`, 'REDACTED=REDACTED'],
    ['{"password":"hunter2"}', 'REDACTED'],
    ['%7B%22password%22:%22hunter2%22%7D', 'REDACTED'],
    ['%257B%2522password%2522:%2522hunter2%2522%257D', 'REDACTED'],
    ['token%3Dhunter2', 'REDACTED'],
    ['user:hunter2@host=1', 'REDACTED=REDACTED'],
  ])('with a value in the place of a key: %s', (query, expected) => expect(redactQuery(query, none)).toBe(expected));

  test.each([
    'token=hunter2',
    'x%26token%3Dhunter2',
    'x%2526token%253Dhunter2',
    '//anna:hunter2@example.com',
    'https%3A%2F%2Fanna%3Ahunter2%40example.com',
    '%7B%22password%22%3A%22hunter2%22%7D',
    '1#access_token=hunter2',
    '/next?code=hunter2',
  ])('keep no secret in a value that is allowed: %s', (value) =>
    expect(redactQuery(`page=${value}`, new Set(['page']))).not.toContain('hunter2'),
  );

  test('read again stay as they are', () => {
    fc.assert(
      fc.property(fc.oneof(fc.webQueryParameters(), fc.string()), (query) => {
        expect(redactQuery(redactQuery(query, none), none)).toBe(redactQuery(query, none));
      }),
    );
  });
});

describe('paths', () => {
  test.each([
    '/v1/orders/8812',
    '/orders/0f8fad5b-d9cb-469f-a165-70867728950e/items',
    '/blob/9e107d9d372bb6826bd81d3542a419d6',
    '/search/very-long-words-with-hyphens-but-no-secret',
    '/docs/Getting-Started-With-API-V2-2026',
    '/com.example.orders.v1.OrderService/GetOrderHistoryByCustomerIdV2',
    '/@types%2fnode/-/node-20.1.0.tgz',
    '/static/vendor-react-BX7dK2mQ.js',
    '/users/01JDC7Q3VZ8R9WXA4M5N6P7S8T',
    '/search/what%3F',
    '/files/my%20report%202026.pdf',
    '/orders;flag/items',
    '/R&D/x',
    '/',
    '',
  ])('%s is kept', (path) => expect(redactPath(path, none)).toBe(path));

  test.each([
    ['/users/me@example.com/orders', '/users/REDACTED/orders'],
    ['/users/me%40example.com', '/users/REDACTED'],
    ['/users/me%2540example.com', '/users/REDACTED'],
    ['/users/me%25252540example.com', '/users/REDACTED'],
    ['/users/me%u0040example.com', '/users/REDACTED'],
    ['/cards/4111111111111111', '/cards/REDACTED'],
    ['/cards/4111%201111%201111%201111', '/cards/REDACTED'],
    [`/reset/${token}`, '/reset/REDACTED'],
    [`/reset%2F${token}`, '/REDACTED'],
    [`/reset%252f${token}/x`, '/REDACTED/x'],
    [`/a/b:${token}`, '/a/REDACTED'],
    [`/a/(${token})`, '/a/REDACTED'],
    [`/t/${jwt}/x`, '/t/REDACTED/x'],
    ['/bot1234567890:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/sendMessage', '/REDACTED/sendMessage'],
    ['/app;jsessionid=hunter2/x', '/app;jsessionid=REDACTED/x'],
    ['/app;v=1;t=hunter2', '/app;v=1;t=REDACTED', 'v'],
    ['/app%3Bjsessionid%3Dhunter2', '/REDACTED'],
    ['/token=hunter2/x', '/token=REDACTED/x'],
    ['/cb&token=hunter2', '/cb&token=REDACTED'],
    ['/cb%3Ftoken%3Dhunter2', '/REDACTED'],
    ['/cb%253Ftoken%253Dhunter2', '/REDACTED'],
    ['/cb#access_token=hunter2&x=/y', '/cb#REDACTED'],
    ['/cb?token=hunter2', '/cb#REDACTED'],
    ['HTTPS://anna:hunter2@example.com/x', 'HTTPS://REDACTED/x'],
    ['anna:hunter2@example.com:443', 'REDACTED'],
  ])('%s is not', (path, expected, ...allowed) => expect(redactPath(path, new Set(allowed))).toBe(expected));

  test('read again stay as they are', () => {
    fc.assert(
      fc.property(fc.oneof(fc.webPath(), fc.string()), (path) => {
        expect(redactPath(redactPath(path, none), none)).toBe(redactPath(path, none));
      }),
    );
  });
});

describe('routes', () => {
  test.each([
    '/v1/orders/{orderId}',
    '/v1/orders/{id}/items/{item?}',
    '/users/:id',
    '/users/:id?',
    '/users/<int:id>',
    '/{controller=Home}/{action=Index}/{id?}',
    '/orders/{id:[0-9a-f]{32}}',
    '/files/{path:path}',
    '/pets/{proxy+}',
    '/posts/[[...slug]]',
    '/v1/*',
    String.raw`~/users/(?<mail>[^@/]+@[^/]+)/orders/?$`,
    String.raw`~/v1/items/\d+(?:;v=\d+)?$`,
    '/com.example.orders.v1.OrderService/GetOrderHistoryByCustomerIdV2',
    '$default',
    '/Products({id})',
    '/status/(200|404)',
    '/v1(/beta)?/users',
    '/(?<lang>[a-z]{2})/home',
    '/exact$',
    '',
  ])('%s is kept', (route) => expect(redactRoute(route, none)).toBe(route));

  test.each([
    ['/u/me@example.com/{id}', '/u/REDACTED/{id}'],
    ['/u/me%40example.com/:id', '/u/REDACTED/:id'],
    [`/reset/${token}/{id}`, '/reset/REDACTED/{id}'],
    [`/files/*/${token}`, '/files/*/REDACTED'],
    ['/reset;t=hunter2/{id}', '/reset;t=REDACTED/{id}'],
    ['/u/{id}?code=hunter2', '/u/{id}#REDACTED'],
    ['/u/{id}#access_token=hunter2', '/u/{id}#REDACTED'],
    ['/u/{me@example.com}', '/u/REDACTED'],
    ['/Products(1)?access_token=hunter2&x=1', '/Products(1)#REDACTED'],
    ["/Users('7')/Orders(8);jsessionid=hunter2", "/Users('7')/Orders(8);jsessionid=REDACTED"],
    ['/a/(b)/user=jane', '/a/(b)/user=REDACTED'],
  ])('%s is not', (route, expected) => expect(redactRoute(route, none)).toBe(expected));
});
