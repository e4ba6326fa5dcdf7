import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maskedExcerpt, redact, redactPath, redactQuery } from '../../../ingest/redact.ts';
import { redactText } from '../../../ingest/secrets.ts';
import { emptyEvent } from '../../../schemas/event.ts';

const secrets = [
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
  'AKIAIOSFODNN7EXAMPLE',
  'ghp_16C7e42F292c6912E7710c838347Ae178B4a',
  'github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz',
  'sk_live_4eC39HqLyjWDarjtT1zdp7dc',
  'xoxb-123456789012-abcdefghijkl',
  'Bearer abcdef0123456789',
  'Basic dXNlcjpwYXNzd29yZA==',
  '-----BEGIN RSA PRIVATE KEY-----',
  '4111 1111 1111 1111',
  '4111-1111-1111-1111',
  '3782 822463 10005',
  '5500005555555559',
];

describe('queries', () => {
  test.each([
    ['page=2&sort=asc', 'page=REDACTED&sort=REDACTED'],
    ['page=2&token=x', 'page=2&token=REDACTED', 'page'],
    ['a=1&a=2&flag', 'a=REDACTED&a=REDACTED&flag'],
    ['sk_live_4eC39HqLyjWDarjtT1zdp7dc', 'REDACTED'],
    ['me@example.com', 'REDACTED'],
    ['a%40example.com=1', 'REDACTED=REDACTED'],
    ['', ''],
  ])('%s', (query, expected, ...allowed) => expect(redactQuery(query, new Set(allowed))).toBe(expected));

  test('read again stay as they are', () => {
    fc.assert(
      fc.property(fc.webQueryParameters(), (query) => {
        expect(redactQuery(redactQuery(query, new Set()), new Set())).toBe(redactQuery(query, new Set()));
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
    '/',
    '',
  ])('%s is kept', (path) => expect(redactPath(path)).toBe(path));

  test.each([
    ['/users/me@example.com/orders', '/users/REDACTED/orders'],
    ['/users/me%40example.com', '/users/REDACTED'],
    ['/users/me%2540example.com', '/users/REDACTED'],
    ['/cards/4111111111111111', '/cards/REDACTED'],
    ['/reset/Zx81kQ0pLmN7vTq2WsYb3Rf6', '/reset/REDACTED'],
  ])('%s is not', (path, expected) => expect(redactPath(path)).toBe(expected));
});

describe('a secret', () => {
  test.each(secrets)('%s is found in any text', (secret) => {
    expect(redactText(`agent/1.0 (${secret})`)).not.toContain(secret);
    expect(redactText(encodeURIComponent(encodeURIComponent(`x ${secret}`)))).toBe('REDACTED');
  });

  test('is no id of a request, whose digits are parted where no card parts them', () => {
    // Each passes the check of card numbers.
    for (const id of ['411111111111-1111', '41111-111111-11111', '4-111-1111-1111-1111']) expect(redactText(id)).toBe(id);
  });

  test('leaves the rest of a text standing', () => expect(redactText('curl/8.5 Bearer abcdef0123456789 x')).toBe('curl/8.5 REDACTED x'));

  test('is in no text of an event', () => {
    for (const secret of secrets) {
      const event = emptyEvent();
      for (const name of [
        'url_path',
        'url_query',
        'user_agent_original',
        'forwarded_for',
        'consumer_name',
        'credential_id',
        'request_id',
        'server_address',
        'error_type',
      ] as const) {
        event[name] = name === 'url_path' ? `/x/${secret}` : `x ${secret}`;
      }
      event.attributes = { note: secret };
      redact(event, new Set());
      expect(JSON.stringify(event)).not.toContain(secret);
    }
  });

  test('is in no excerpt: every word and number is masked', () => {
    expect(maskedExcerpt('{"apikey": "s3cr3t-Ünïcode"}')).toBe('{"xxxxxx": "x0xx0x-xxxxxxx"}');
    expect(maskedExcerpt('x'.repeat(10_000))).toHaveLength(4096);
  });
});

test.each([
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
  '203.0.113.7, 10.0.0.1',
  'order-service',
  '2026-11-22',
  'c0ffee00c0ffee00c0ffee00c0ffee00',
])('%s is no secret', (text) => {
  expect(redactText(text)).toBe(text);
});

test('hostile texts take no time to speak of', () => {
  const startedAt = performance.now();
  for (const text of ['eyJ'.repeat(2700), '1 '.repeat(4000), 'Bearer '.repeat(1100), '//'.repeat(4000), '%25'.repeat(2700)])
    redactText(text);
  expect(performance.now() - startedAt).toBeLessThan(1000);
});
