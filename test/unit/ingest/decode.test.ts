import { expect, test } from 'vitest';
import { createDecoder } from '../../../ingest/decode.ts';
import kong from '../../../ingest/gateways/kong.ts';

const record = {
  request: { uri: '/a?k=s3cret&sort=x', method: 'GET', url: 'https://h.example:8/a', headers: { apikey: 's3cret' }, size: '3' },
  response: { status: 401, size: 2 },
  started_at: 1760000000123,
  latencies: { proxy: -1 },
  upstream_status: '502, 200',
  client_ip: '192.0.2.4',
};

function decode(value: string | Buffer) {
  const found: unknown[] = [];
  const decoder = createDecoder({
    defaultTenant: 'default',
    intakeTopic: 'intake',
    pseudonyms: { id: 'ab12', key: Buffer.alloc(32) },
    gateways: new Map([['kong', kong]]),
    allowedQueryKeys: new Set(['sort']),
    version: '1',
  });
  decoder.decode({ offset: 1, timestamp: -1, value: Buffer.from(value), headers: {} }, 'edge', 1760000001000, {
    event: (event, offset, index) => found.push({ ...event, offset, index }),
    rejected: ({ code, index, excerpt }) => found.push({ code, index, excerpt }),
    skipped: (_offset, index, reason) => found.push({ index, reason }),
  });
  return found;
}

test('a Kong record becomes an event, and what stands beside it in the array keeps its index', () => {
  const found = decode(JSON.stringify([record, {}, 3]));
  expect(found).toMatchObject([
    {
      index: 0,
      timestamp: 1760000000123000,
      url_path: '/a',
      url_query: 'k=REDACTED&sort=x',
      server_address: 'h.example',
      http_request_size: 3,
      http_response_status_code: 401,
      upstream_status_code: 200,
      upstream_duration_ms: null,
      outcome: 'auth_failure',
      client_address: '192.0.2.4',
    },
    { index: 1, code: 'UNKNOWN_FORMAT' },
    { index: 2, code: 'UNKNOWN_FORMAT' },
  ]);
  expect(JSON.stringify(found)).not.toContain('s3cret');
});

test('what cannot be read is named and keeps nothing of its content', () => {
  expect(decode('{bad')).toEqual([{ code: 'BAD_JSON', index: 0, excerpt: '' }]);
  expect(decode(Buffer.from([0x7b, 0xff]))).toEqual([{ code: 'BAD_ENCODING', index: 0, excerpt: '' }]);
  expect(decode(JSON.stringify({ ...record, started_at: 'x' }))).toMatchObject([{ code: 'BAD_TIME' }]);
});
