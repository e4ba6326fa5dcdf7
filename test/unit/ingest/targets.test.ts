/** What was asked for is taken apart so that nothing a client writes ends in a column that is not redacted. */
import { describe, expect, test } from 'vitest';
import { ReadFailure } from '../../../ingest/gateway.ts';
import { readOrigin, readTarget } from '../../../ingest/targets.ts';
import { epochMicros } from '../../../ingest/times.ts';
import { emptyEvent } from '../../../schemas/event.ts';

function read(url: string) {
  const event = emptyEvent();
  readOrigin(url, event);
  readTarget(url, event);
  const { url_scheme: scheme, server_address: host, url_path: path, url_query: query } = event;
  return [scheme, host, path, query];
}

describe('a URL', () => {
  test.each([
    ['https://api.example.com:8443/v1/orders?page=2', 'https', 'api.example.com', '/v1/orders', 'page=2'],
    ['http://user:never@api.example.com/a', 'http', 'api.example.com', '/a', ''],
    ['http://[2001:db8::1]:8000/a', 'http', '2001:db8::1', '/a', ''],
    ['https://api.example.com', 'https', 'api.example.com', '/', ''],
    ['https://api.example.com?token=a/b', 'https', 'api.example.com', '/', 'token=a/b'],
    ['/login?next=https://evil.example.com/x', '', '', '/login', 'next=https://evil.example.com/x'],
    ['*', '', '', '*', ''],
  ])('%s', (url, ...expected) => expect(read(url)).toEqual(expected));
});

test.each([' ', '', 'x', -1, {}])('%j is no epoch time', (value) => expect(() => epochMicros(value, '$.t')).toThrow(ReadFailure));
