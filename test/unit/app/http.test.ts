/** What every listener of a process answers, over a real socket. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listen, type Listener } from '../../../app/http.ts';
import { credentialOf } from '../../../app/intake.ts';
import { createMetrics } from '../../../app/telemetry.ts';
import { AuditError } from '../../../core/errors.ts';
import { silentLogger } from '../../../core/logger.ts';

let listener: Listener;
beforeAll(async () => {
  listener = await listen({
    http: { host: '127.0.0.1', port: 0, tls: {}, insecure: false },
    notReady: async () => [],
    metrics: createMetrics('test'),
    logger: silentLogger,
    routes: [
      { method: 'POST', path: '/small', maxBodyBytes: 10, handle: async ({ query }) => ({ status: 200, body: JSON.stringify(query) }) },
      {
        method: 'GET',
        path: '/busy',
        handle: async () => {
          throw new AuditError('RATE_LIMITED', 'too many', { facts: { retryAfterMs: 1_200 } });
        },
      },
    ],
  });
});
afterAll(() => listener.close());

test('a body beyond the limit of its path is refused with that limit', async () => {
  const response = await fetch(`${listener.url}/small`, { method: 'POST', body: 'x'.repeat(11) });
  expect({ status: response.status, answer: await response.json() }).toMatchObject({
    status: 413,
    answer: { error: { code: 'PAYLOAD_TOO_LARGE', message: expect.stringContaining('10 bytes') } },
  });
});

test('whoever asks too often is told when to try again', async () => {
  const response = await fetch(`${listener.url}/busy`);
  expect({ status: response.status, after: response.headers.get('retry-after') }).toEqual({ status: 429, after: '2' });
});

test('of a parameter that is given twice the last one counts', async () => {
  const response = await fetch(`${listener.url}/small?a=1&a=2&b=3`, { method: 'POST', body: 'x' });
  expect(await response.json()).toEqual({ a: '2', b: '3' });
});

describe('the cookie of the admin link', () => {
  const cookie = 'other=1; gatetrail_key=gtk_x';
  const host = '127.0.0.1:4000';

  test.each([
    ['our own pages', { origin: 'http://127.0.0.1:4000' }, 'Bearer gtk_x'],
    ['no page at all', {}, 'Bearer gtk_x'],
    ['a page of another port, which is the same site to a browser', { origin: 'http://127.0.0.1:8080' }, undefined],
    ['a page of another site', { origin: 'https://evil.example' }, undefined],
    ['a sandboxed page', { origin: 'null' }, undefined],
  ])('is believed of %s as it should be', (_, headers, credential) => expect(credentialOf({ cookie, host, ...headers })).toBe(credential));

  test('gives way to a key that is sent', () =>
    expect(credentialOf({ cookie, host, 'x-api-key': 'gtk_y', origin: 'https://app.example' })).toBe('Bearer gtk_y'));
});
