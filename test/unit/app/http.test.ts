/** What every listener of a process answers, over a real socket. */
import { connect } from 'node:net';
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
      {
        method: 'GET',
        path: '/away',
        handle: async () => {
          throw new AuditError('BACKEND_UNAVAILABLE', 'ClickHouse does not answer at http://10.1.2.3:8123 as owner', {
            facts: { host: '10.1.2.3' },
          });
        },
      },
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

test('what cannot be read as a request is answered like any other error, with our headers', async () => {
  const { hostname, port } = new URL(listener.url);
  const answerTo = (text: string) =>
    new Promise<string>((resolve) => {
      let answer = '';
      const socket = connect(Number(port), hostname, () => socket.end(text));
      socket.on('data', (part: Buffer) => (answer += part.toString()));
      socket.on('close', () => resolve(answer));
    });
  const big = `GET / HTTP/1.1\r\nhost: x\r\nx-big: ${'x'.repeat(20_000)}\r\n\r\n`;
  for (const text of ['GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n', 'FOO / HTTP/1.1\r\nhost: x\r\n\r\n', big]) {
    const [head = '', body = ''] = (await answerTo(text)).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 400 /);
    expect(head.toLowerCase()).toContain('x-content-type-options: nosniff');
    expect((JSON.parse(body) as { error: { code: string } }).error.code).toBe('BAD_USER_INPUT');
  }
});

test('what ClickHouse says of itself is nobody’s who asks: the code and its meaning are told', async () => {
  const response = await fetch(`${listener.url}/away`);
  expect([response.status, await response.json()]).toEqual([
    503,
    { error: { code: 'BACKEND_UNAVAILABLE', message: expect.not.stringMatching(/10\.1\.2\.3|owner/) as string } },
  ]);
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
