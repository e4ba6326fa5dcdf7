import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { deriveKey } from '../../../core/keys.ts';
import { openGeo } from '../../../ingest/geo.ts';
import { createDecoder, type DecoderOptions, loadGateways } from '../../../ingest/pipeline.ts';
import type { Rejection } from '../../../ingest/decoder.ts';
import type { Gateway } from '../../../ingest/gateway.ts';
import type { CanonicalEvent } from '../../../schemas/event.ts';
import { cpuMs } from '../../support/cpu.ts';

let gateways: ReadonlyMap<string, Gateway>;
beforeAll(async () => {
  gateways = await loadGateways();
});

const receivedAt = Date.parse('2026-11-22T10:00:00Z');
type Seen = { index: number; event: CanonicalEvent } | { index: number; rejected: Rejection } | { index: number; skipped: string };

function decode(
  value: string | Buffer | null,
  options: Partial<DecoderOptions> = {},
  headers: Record<string, string> = {},
  topic = 'gw',
): Seen[] {
  const decoder = createDecoder({
    gateways,
    sources: [],
    defaultTenant: 'default',
    intakeTopic: 'in',
    allowedQueryKeys: new Set(),
    pseudonyms: deriveKey('a secret of the tests', 'pseudonyms'),
    credentials: deriveKey('a secret of the tests', 'credentials'),
    version: 'test',
    ...options,
  });
  const seen: Seen[] = [];
  decoder.decode({ offset: 5, timestamp: -1, value: value === null ? null : Buffer.from(value), headers }, topic, receivedAt, {
    event: (event, offset, index) => seen.push({ index, event: structuredClone(event) }) && expect(offset).toBe(5),
    rejected: (rejected) => seen.push({ index: rejected.index, rejected }),
    skipped: (_, index, skipped) => seen.push({ index, skipped }),
  });
  return seen;
}

const canonical = (rest: object = {}) => ({
  timestamp: '2026-11-22T09:59:58.123456Z',
  gateway_kind: 'mesh',
  http_request_method: 'GET',
  url_path: '/a',
  ...rest,
});
const one = (record: object, options?: Partial<DecoderOptions>) =>
  (decode(JSON.stringify(record), options)[0] as { event: CanonicalEvent }).event;
const codes = (seen: readonly Seen[]) =>
  seen.map((each) => ('rejected' in each ? each.rejected.code : 'event' in each ? 'event' : 'skipped'));

describe('a message is opened', () => {
  const record = JSON.stringify(canonical());
  test.each([
    ['an object', record, ['event']],
    ['an array', `[${record},${record}]`, ['event', 'event']],
    ['NDJSON', `${record}\n${record}\n`, ['event', 'event']],
    ['records[]', `{"records":[${record},7]}`, ['event', 'UNKNOWN_FORMAT']],
    ['gzip', gzipSync(record), ['event']],
    ['a byte order mark', `\uFEFF${record}`, ['event']],
    ['a document over many lines', JSON.stringify([canonical()], null, 2), ['event']],
    ['a bad line between good ones', `${record}\n{"a":\n${record}`, ['event', 'BAD_JSON', 'event']],
    ['a tombstone', null, ['skipped']],
    ['blanks', ' \n ', ['UNKNOWN_FORMAT']],
    ['an empty value', '', ['UNKNOWN_FORMAT']],
    ['wrapped five times', `[[[[[${record}]]]]]`, ['TOO_DEEP']],
    ['gzip four times', [1, 2, 3, 4].reduce((inner) => gzipSync(inner), Buffer.from(record)), ['TOO_DEEP']],
    ['damaged gzip', gzipSync(record).subarray(0, 20), ['BAD_ENCODING']],
    ['a bomb', gzipSync(Buffer.alloc(70 * 1024 * 1024)), ['TOO_LARGE']],
    ['10,001 elements', `[${'7,'.repeat(10_000)}7]`, ['TOO_MANY_ELEMENTS']],
    ['schema-registry framing', Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), Buffer.from(record)]), ['SCHEMA_REGISTRY_UNSUPPORTED']],
    ['invalid UTF-8', Buffer.from([0x7b, 0xff, 0xfe]), ['BAD_ENCODING']],
    ['an element over 1 MiB', `[${record},{"x":"${'y'.repeat(1024 * 1024 + 1)}"}]`, ['event', 'TOO_LARGE']],
    ['nesting beyond the parser', '['.repeat(200_000), ['BAD_JSON']],
    ['an array that ends early', '[1, 2', ['BAD_JSON']],
    ['an array of objects that ends early', '[ {"a":1}, {"a"', ['BAD_JSON']],
    ['arrays of values, line by line', '[]\n[7]\n[-1.5e3 , "x", true]\n[null]', Array.from({ length: 5 }, () => 'UNKNOWN_FORMAT')],
    ['text in brackets', '[24/Nov/2026:10:00:00 +0000] - 200 200 - GET https a.example.com "/a"', ['UNKNOWN_FORMAT']],
    [
      'a level in brackets',
      '[error] 12#0: *3 open() failed\n[notice] x\n[true] y\n[12] z\n[10.0.0.1] z',
      Array.from({ length: 5 }, () => 'UNKNOWN_FORMAT'),
    ],
    ['a number too large', '{"timestamp":1e999,"gateway_kind":"x"}', ['UNKNOWN_FORMAT']],
  ])('%s', (_, value, expected) => expect(codes(decode(value))).toEqual(expected));

  test('10,000 elements are all read, and each keeps its index', () => {
    const seen = decode(`[${Array.from({ length: 10_000 }, (_, at) => (at === 7 ? '7' : record)).join(',')}]`);
    expect(seen).toHaveLength(10_000);
    expect(seen[7]).toMatchObject({ index: 7, rejected: { code: 'UNKNOWN_FORMAT' } });
    expect(seen.map(({ index }) => index)).toEqual(seen.map((_, at) => at));
  });
});

describe('a byte that is no UTF-8', () => {
  const bytes = (text: string) => Buffer.from(text.replaceAll('!', '\xff'), 'latin1');
  const [before, odd, after] = ['/a', '/!', '/b'].map((url_path) => JSON.stringify(canonical({ url_path })));
  const line = (path: string) => `203.0.113.7 - - [22/Nov/2026:09:59:00 +0000] "GET ${path} HTTP/1.1" 200 5 "-" "x"`;

  test.each([
    ['an array', `[${before},${odd},${after}]`],
    ['NDJSON', `${before}\n${odd}\n${after}`],
    ['lines', [line('/a'), line('/!'), line('/b')].join('\n')],
  ])('takes neither its own record nor its neighbours out of %s', (_, message) => {
    const seen = decode(bytes(message));
    expect(seen).toMatchObject(['/a', '/\ufffd', '/b'].map((url_path) => ({ event: { url_path } })));
    expect(decode(gzipSync(bytes(message)))).toEqual(seen);
  });

  test('takes no line out of a pinned source whose format is not recognised: the generic layout of Traefik', () => {
    const sources = [{ topic: 'gw', format: 'traefik' }];
    expect(decode(bytes(line('/!')), { sources })).toMatchObject([{ event: { source_format: 'traefik', url_path: '/\ufffd' } }]);
    expect(codes(decode(bytes('caf! is up'), { sources }))).toEqual(['skipped']);
  });

  test('takes no line out of a source whose columns are known', () => {
    const sources = [{ topic: 'gw', columns: ['date', 'time', 'cs-uri-stem'] }];
    expect(decode(bytes('2026-11-22 09:59:00 /!'), { sources })).toMatchObject([{ event: { url_path: '/\ufffd' } }]);
  });

  test('names what cannot be read with it, and nothing else', () => {
    const message = [before, '{"hello":"!"}', '{"hello":"', 'h!llo', '{"hello":"!', 'hello'].join('\n');
    expect(codes(decode(bytes(message)))).toEqual(['event', 'BAD_ENCODING', 'BAD_JSON', 'BAD_ENCODING', 'BAD_ENCODING', 'UNKNOWN_FORMAT']);
  });

  test.each([undefined, 'traefik', 'combined', 'kong'])('a log in UTF-16 is named once, and passed over by no source of %s', (format) => {
    const log = Buffer.from(`\ufeff${line('/a')}\n${line('/b')}\n{"a":1}\n`, 'utf16le');
    expect(codes(decode(log, { sources: [{ topic: 'gw', format }] }))).toEqual(['BAD_ENCODING']);
  });
});

describe('a line of text', () => {
  const line = (who: string, time = '22/Nov/2026:09:59:00 +0000') => decode(`${who} [${time}] "GET /a HTTP/1.1" 401 5 "-" "x"`)[0];

  test.each([
    ['203.0.113.7 - frank', '', '203.0.113.7', 'frank'],
    ['203.0.113.7 - John Doe', '', '203.0.113.7', 'John Doe'],
    ['203.0.113.7 - 6.6.6.6 - -', '', '203.0.113.7', '6.6.6.6 - -'],
    ['203.0.113.7 - x [22/Nov/2026:09:59:00 +0000]', '', '203.0.113.7', 'x [22/Nov/2026:09:59:00 +0000]'],
    ['api.example.com:8443 203.0.113.7 - John Doe', 'api.example.com', '203.0.113.7', 'John Doe'],
    ['203.0.113.7 - x [y', '', '203.0.113.7', 'x [y'],
    ['203.0.113.7 ident frank', '', '203.0.113.7', 'frank'],
  ])('%s: what a client types as its user is never taken for its address', (who, host, address, user) => {
    expect(line(who)).toMatchObject({ event: { server_address: host, client_address: address, consumer_name: user } });
  });

  test.each(['x [y', 'x [y]', 'x [y] "GET /b HTTP/1.1" 200 1 "-" "-"', 'x [-] "GET /b HTTP/1.1" 200 1 "-" "-"'])(
    'of Traefik has its own time and request behind the user %s',
    (user) => {
      const [seen] = decode(
        `203.0.113.7 - ${user} [22/Nov/2026:09:59:00 +0000] "GET /a HTTP/1.1" 401 5 "-" "-" 1 "orders@docker" "http://192.0.2.31:8080" 2ms`,
      );
      expect(seen).toMatchObject({
        event: {
          source_format: 'traefik',
          client_address: '203.0.113.7',
          consumer_name: user,
          url_path: '/a',
          http_response_status_code: 401,
        },
      });
    },
  );

  test('of a virtual host with the time it took at its end is combined, though Traefik ends its lines so', () =>
    expect(decode('example.com:443 203.0.113.7 - - [22/Nov/2026:09:59:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl/8" 12ms')).toMatchObject([
      { event: { source_format: 'combined', url_path: '/a', http_response_status_code: 200, client_address: '203.0.113.7' } },
    ]));

  test('of Traefik whose forwarded list has a blank is refused as such, and gives no client by another layout', () =>
    expect(
      decode(
        'foo 192.0.2.1, 203.0.113.7 - - [22/Nov/2026:09:59:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "-" 1 "orders@docker" "http://192.0.2.31:8080" 2ms',
      ),
    ).toMatchObject([{ rejected: { code: 'BAD_FIELD', detectedFormat: 'traefik' } }]));

  test.each(['31/Feb/2026:10:00:00 +0000', '22/Nov/2026:25:00:00 +0000', '00/Nov/2026:10:00:00 +0000', '22/Foo/2026:10:00:00 +0000'])(
    'with the time %s, which no calendar has, is a dead letter',
    (time) => expect(line('203.0.113.7 - -', time)).toMatchObject({ rejected: { code: 'BAD_TIME', detectedFormat: 'combined' } }),
  );

  test.each([
    '<134>Oct 10 13:55:36 web1 nginx: 203.0.113.7 - -',
    '2026-10-10T13:55:36Z stdout F 203.0.113.7 - -',
    '2026-10-10T13:55:36.123456+00:00 web1 nginx: 203.0.113.7 - -',
    '<134>2026-10-10T13:55:36.123456+00:00 web1 nginx[12]: 203.0.113.7 - -',
    '2026-10-10T13:55:36Z stdout F 2026-10-10T13:55:36.123456+00:00 web1 nginx: 203.0.113.7 - -',
    '<6>203.0.113.7 - -',
  ])('is read behind what a shipper puts in front: %s', (who) =>
    expect(line(who)).toMatchObject({ event: { client_address: '203.0.113.7', server_address: '' } }),
  );

  test('of HAProxy has its client behind a priority, and behind the header of rsyslog', () => {
    const httplog = '203.0.113.7:33317 [22/Nov/2026:09:59:00.655] web api/srv1 1/0/3/6/10 200 275 - - ---- 1/1/1/1/0 0/0 "GET /a HTTP/1.1"';
    for (const head of ['<6>', '2026-11-22T09:59:00.655123+00:00 lb1 haproxy[123]: '])
      expect(decode(head + httplog)).toMatchObject([{ event: { source_format: 'haproxy', client_address: '203.0.113.7' } }]);
  });

  test('with other words in front is no line of ours', () =>
    expect(line('web1 nginx - 203.0.113.7 - -')).toMatchObject({ rejected: { code: 'UNKNOWN_FORMAT' } }));

  test('that is hostile takes no time to speak of', () => {
    expect(cpuMs(() => decode(`203.0.113.7 - ${' ['.repeat(400_000)}`))).toBeLessThan(2_000);
  });
});

describe('a text that a shipper wrapped', () => {
  const line = '203.0.113.7 - - [22/Nov/2026:09:59:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "x"';

  test.each([
    { event: { original: 'GET /b' }, message: line },
    { event: { original: 'GET /b' }, message: 'GET /b 200', log: line },
    { message: 'GET /b 200', log: `${line}\n` },
    { message: line, log: 'GET /b 200' },
  ])('is the first that can be read, whatever stands beside it: %j', (record) => {
    for (const format of [undefined, 'combined'])
      expect(decode(JSON.stringify(record), { sources: [{ topic: 'gw', format }] })).toMatchObject([
        { event: { source_format: 'combined', url_path: '/a' } },
      ]);
  });

  test('and that nothing can read is named by the format of its source, or by none', () => {
    const record = JSON.stringify({ message: 'GET /b 200', log: 'GET /c 200' });
    expect(decode(record)).toMatchObject([{ rejected: { code: 'UNKNOWN_FORMAT', detectedFormat: '' } }]);
    expect(decode(record, { sources: [{ topic: 'gw', format: 'combined' }] })).toMatchObject([
      { rejected: { code: 'BAD_FIELD', detectedFormat: 'combined' } },
    ]);
  });
});

describe('a log record of OTLP without attributes of HTTP', () => {
  const line = '203.0.113.7 - - [22/Nov/2026:09:59:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "x"';
  const otlp = (...bodies: readonly string[]) =>
    JSON.stringify({
      resourceLogs: [
        { scopeLogs: [{ logRecords: bodies.map((stringValue) => ({ timeUnixNano: '1795341540000000000', body: { stringValue } })) }] },
      ],
    });
  const own = {
    timeUnixNano: '1795341540000000000',
    body: { stringValue: line },
    attributes: [{ key: 'url.path', value: { stringValue: '/own' } }],
  };

  test.each([
    ['a line', line, 'combined'],
    ['a line behind a prefix', `2026-11-22T09:59:00.1Z stdout F ${line}\n`, 'combined'],
    ['a document', JSON.stringify(canonical()), 'gatetrail'],
    ['a wrapped line', JSON.stringify({ log: line }), 'combined'],
  ])('that carries %s is read as what that is', (_, body, format) =>
    expect(decode(otlp(body, 'GC pause'))).toMatchObject([
      { event: { source_format: format, url_path: '/a' } },
      { skipped: expect.any(String) },
    ]),
  );

  test.each([
    ['words', 'user logged in'],
    ['a document of its own', '{"level":"info","message":"user logged in"}'],
    ['a document that ends early', '{"level":'],
    [
      'what is wrapped too often',
      `{"message":${JSON.stringify(`{"message":${JSON.stringify(`{"message":${JSON.stringify('{"message":"[1]"}')}}`)}}`)}}`,
    ],
    ['a list beyond the limit', `[${'7,'.repeat(10_000)}7]`],
    ['nothing', ''],
  ])('that carries %s is passed over', (_, body) =>
    expect(decode(otlp(body, line))).toMatchObject([
      { index: 0, skipped: 'not a request: no attribute of HTTP' },
      { index: 1, event: { url_path: '/a' } },
    ]),
  );

  test('is a limit to nobody: requests beyond it are refused as a whole', () =>
    expect(codes(decode(otlp(`[${`${JSON.stringify(canonical())},`.repeat(10_000)}7]`)))).toEqual(['TOO_MANY_ELEMENTS']));

  test('is not asked for its body where it has some', () =>
    expect(decode(JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [own] }] }] }))).toMatchObject([
      { event: { source_format: 'otlp', url_path: '/own' } },
    ]));

  test('stays one of OTLP in a source that is pinned to it', () =>
    expect(codes(decode(otlp(line), { sources: [{ topic: 'gw', format: 'otlp' }] }))).toEqual(['skipped']));
});

describe('a line whose columns are known', () => {
  const columns = (names: string) => ({ sources: [{ topic: 'gw', columns: names.split(' ') }] });
  const fields = 'date time s-ip cs-method cs-uri-stem s-port c-ip sc-status time-taken';
  const line = '2026-11-22 09:59:00 192.0.2.80 GET /a 443 203.0.113.7 200 15';

  test.each([
    ['IIS', fields, line, 15],
    ['Tomcat', fields.replace(' s-port', ''), line.replace(' 443', ''), 15_000],
  ])('of %s has its duration in the unit of its writer, with few columns too', (_, names, text, ms) =>
    expect(decode(text, columns(names))).toMatchObject([{ event: { client_address: '203.0.113.7', duration_ms: ms } }]),
  );

  const shipped = [
    `2026-11-22T10:00:00.123456789Z stdout F ${line}`,
    `<13>Nov 22 10:00:00 iis1 iis: ${line}`,
    JSON.stringify({ message: line }),
    JSON.stringify({ log: `2026-11-22T10:00:00Z stdout F ${line}\n` }),
    JSON.stringify([{ message: line }]),
  ];

  test.each([
    ...shipped,
    shipped.slice(2, 4).join('\n'),
    shipped.join('\n'),
    [`2026-11-22T10:00:00Z stdout F #Fields: ${fields}`, ...shipped].join('\n'),
  ])('is read out of what a shipper puts around it, line by line too: %s', (message) => {
    const options = message.includes('#Fields') ? {} : columns(fields);
    const events = decode(message, options).filter((each) => !('skipped' in each));
    expect(events).toHaveLength(message.split('GET /a').length - 1);
    for (const each of events) expect(each).toMatchObject({ event: { source_format: 'w3c', url_path: '/a', duration_ms: 15 } });
  });
});

describe('times', () => {
  test('are kept to the microsecond', () => expect(one(canonical()).timestamp).toBe(Date.parse('2026-11-22T09:59:58.123Z') * 1000 + 456));
  test('up to five minutes ahead are kept', () => expect(one(canonical({ timestamp: '2026-11-22T10:05:00Z' })).time_source).toBe('start'));

  test.each(['2026-11-22T10:05:00.000001Z', '1999-12-31T23:59:59Z', '2099-01-01T00:00:00Z'])(
    '%s is clamped to arrival, and the original is kept',
    (timestamp) => {
      const event = one(canonical({ timestamp }));
      expect(event).toMatchObject({ timestamp: receivedAt * 1000, time_source: 'ingest' });
      expect(Date.parse(event.attributes['original_timestamp'] ?? '')).toBe(Date.parse(timestamp.slice(0, 23).replace(/Z?$/, 'Z')));
    },
  );

  test('that are old but plausible are kept', () =>
    expect(one(canonical({ timestamp: '2003-02-01T00:00:00Z' })).timestamp).toBe(Date.UTC(2003, 1, 1) * 1000));
  test.each([
    ['', 'MISSING_TIME'],
    ['soon', 'BAD_TIME'],
    ['2026-13-01T00:00:00Z', 'BAD_TIME'],
    ['2026-11-22T10:00:00', 'BAD_TIME'],
    ['2026-02-31T10:00:00Z', 'BAD_TIME'],
    ['2026-11-22T24:00:01Z', 'BAD_TIME'],
  ])('%j is a dead letter', (timestamp, code) => {
    expect(decode(JSON.stringify(canonical({ timestamp })))[0]).toMatchObject({
      rejected: { code, path: '$.timestamp', detectedFormat: 'gatetrail' },
    });
  });
});

describe('whose a record is', () => {
  const tenantOf = (seen: Seen[]) =>
    seen.map((each) => ('event' in each ? each.event.tenant : 'rejected' in each ? each.rejected.code : ''))[0];
  const source = (tenant: NonNullable<DecoderOptions['sources'][number]['tenant']>) => ({ sources: [{ topic: 'gw', tenant }] });
  const record = JSON.stringify(canonical({ tenant: 'globex', org: { id: 'acme' } }));

  test('is the default where nothing says more, whatever the record says', () => expect(tenantOf(decode(record))).toBe('default'));
  test('is the tenant of the source', () => expect(tenantOf(decode(record, source('acme')))).toBe('acme'));
  test('is what an allowed header says', () =>
    expect(tenantOf(decode(record, source({ from: 'header:org', allow: ['acme'] }), { org: 'acme' }))).toBe('acme'));
  test('is what an allowed field says', () =>
    expect(tenantOf(decode(record, source({ from: 'field:org.id', allow: ['acme'] })))).toBe('acme'));
  test('is unknown where it is not allowed', () =>
    expect(tenantOf(decode(record, source({ from: 'field:tenant', allow: ['acme'] })))).toBe('TENANT_UNKNOWN'));
  test('is known of a message that could not be opened, too, so that somebody sees it', () => {
    const [whole] = decode(gzipSync(record).subarray(0, 20), source('acme'));
    expect(whole).toMatchObject({ rejected: { code: 'BAD_ENCODING', tenant: 'acme' } });
  });
  test('is what the intake wrote, on its own topic alone', () => {
    const headers = { 'gatetrail-tenant': 'acme' };
    expect([tenantOf(decode(record, {}, headers, 'in')), tenantOf(decode(record, {}, headers, 'gw'))]).toEqual(['acme', 'default']);
    // Where nobody but the intake can write to the log, it is believed on every topic.
    expect(tenantOf(decode(record, { intakeTopic: null }, headers, 'gw'))).toBe('acme');
  });
});

describe('recognition', () => {
  test('is left out by a pinned format, and never falls back to a looser one', () => {
    const sources = [{ topic: 'gw', format: 'kong' }];
    expect(decode(JSON.stringify(canonical()), { sources })[0]).toMatchObject({
      rejected: { code: 'MISSING_TIME', detectedFormat: 'kong' },
    });
  });

  test('says what was expected when nothing matches', () => {
    expect(decode('{"hello":1}')[0]).toMatchObject({ rejected: { code: 'UNKNOWN_FORMAT', message: expect.stringContaining('kong') } });
  });

  test('is not misled by a prototype', () => {
    expect(codes(decode('{"__proto__":{"timestamp":"2026-11-22T10:00:00Z","gateway_kind":"x"}}'))).toEqual(['UNKNOWN_FORMAT']);
    expect(({} as Record<string, unknown>)['gateway_kind']).toBeUndefined();
  });
});

describe('what is stored', () => {
  test('has one word for how it ended', () => {
    const outcome = (status: number) => one(canonical({ http_response_status_code: status })).outcome;
    expect([200, 304, 401, 403, 404, 407, 429, 500, 599, 999].map(outcome)).toEqual([
      'success',
      'success',
      'auth_failure',
      'auth_failure',
      'client_error',
      'auth_failure',
      'rate_limited',
      'server_error',
      'server_error',
      'unknown',
    ]);
  });

  test.each([0, -1, '-', null, '000', 99, 70_000, 200.5])('knows no status for %j', (status) =>
    expect(one(canonical({ http_response_status_code: status })).http_response_status_code).toBeNull(),
  );
  test('keeps an unknown method beside _OTHER', () =>
    expect(one(canonical({ http_request_method: 'BREW' }))).toMatchObject({
      http_request_method: '_OTHER',
      http_request_method_original: 'BREW',
    }));

  test('gives each person one pseudonym, the same on every read, another under another secret', () => {
    const [a, b, other] = ['a', 'a', 'b'].map((consumer_name) => one(canonical({ consumer_name })).subject);
    expect(a).toMatch(/^[0-9a-f]{16}$/);
    expect([b === a, other === a]).toEqual([true, false]);
    expect(one(canonical({ consumer_name: 'a' }), { pseudonyms: deriveKey('another secret of the tests', 'pseudonyms') }).subject).not.toBe(
      a,
    );
  });

  test('keeps no value of a query that stands in the path', () => {
    const { url_path, url_query } = one(canonical({ url_path: '/a?token=geheim', url_query: 'page=2' }));
    expect({ url_path, url_query }).toEqual({ url_path: '/a', url_query: 'token=REDACTED&page=REDACTED' });
  });

  test('has ids of traces in lower case, as other systems write them', () =>
    expect(one(canonical({ trace_id: '4BF92F3577B34DA6A3CE929D0E0E4736', span_id: '00F067AA0BA902B7' }))).toMatchObject({
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      span_id: '00f067aa0ba902b7',
    }));

  test('the format gatetrail takes nothing from input that enrichment works out', () => {
    const forged = {
      lifecycle: 'active',
      sunset_at: '2026-01-01',
      collection: 'x',
      data_classes: ['pii'],
      client_country: 'AT',
      client_asn: 'AS1',
    };
    expect(one(canonical({ ...forged, subject: 'f'.repeat(16) }))).toMatchObject({
      lifecycle: '',
      sunset_at: null,
      collection: '',
      data_classes: [],
      client_country: '',
      client_asn: '',
      subject: '',
    });
  });

  test('has the place of its client’s whole address, which the address may lose later', async () => {
    const geo = await openGeo(undefined);
    expect(one(canonical({ client_address: '193.171.255.1' }), { geo })).toMatchObject({ client_country: 'AT', client_asn: '' });
    expect(one(canonical({ client_address: '10.0.0.1', client_country: 'AT' }), { geo }).client_country).toBe('');
    const seen: string[] = [];
    one(canonical({ client_address: '2001:4860:4860::8888' }), {
      geo: { digest: '', locate: (event) => void seen.push(event.client_address) },
    });
    expect(seen).toEqual(['2001:4860:4860::8888']);
  });

  test('has the whole forwarded list, also where a gateway wrote it as a list', () => {
    const headers = { 'x-forwarded-for': ['198.51.100.1', '198.51.100.2, 10.0.0.1'] };
    const record = { started_at: receivedAt, client_ip: '10.0.0.1', request: { method: 'GET', headers }, response: { status: 200 } };
    expect(one(record).forwarded_for).toBe('198.51.100.1, 198.51.100.2, 10.0.0.1');
  });

  test.each([
    ['upstream', [{ state: 'failed' }, {}], ''],
    ['upstream', [{ state: 'next' }, { state: 'failed' }], 'failed'],
    ['upstream', {}, ''],
    ['kong', [{ state: 'failed' }], 'kong'],
  ])('says what went wrong at Kong: answered by %s after the tries %j', (source, tries, errorType) => {
    const record = { started_at: receivedAt, client_ip: '10.0.0.1', request: { method: 'GET' }, response: { status: 502 }, source, tries };
    expect(one(record).error_type).toBe(errorType);
  });

  test('cuts a text beyond 8 KiB and says so', () => {
    const event = one(canonical({ url_path: `/${'a/'.repeat(8000)}` }));
    expect(event.url_path).toHaveLength(8192);
    expect(event.attributes['cut']).toBe('url_path');
  });

  test('is decided by version, settings and key: each changes the normaliser', () => {
    const base = {
      gateways,
      sources: [],
      defaultTenant: 'd',
      intakeTopic: 'in',
      allowedQueryKeys: new Set<string>(),
      pseudonyms: deriveKey('s', 'pseudonyms'),
      credentials: deriveKey('s', 'credentials'),
      version: '1',
    };
    const changed = [
      { version: '2' },
      { defaultTenant: 'e' },
      { allowedQueryKeys: new Set(['page']) },
      { pseudonyms: deriveKey('t', 'pseudonyms') },
      { previousCredentials: [deriveKey('t', 'credentials')] },
      { truncateAddresses: ['acme'] },
      { dropUserAgents: ['acme'] },
      { sources: [{ topic: 'x', format: 'kong' }] },
      { geo: { digest: 'a', locate: () => undefined } },
      { geo: { digest: 'b', locate: () => undefined } },
    ];
    const normalisers = [base, ...changed.map((each) => ({ ...base, ...each }))].map((options) => createDecoder(options).normaliser);
    expect(new Set(normalisers).size).toBe(normalisers.length);
    expect(createDecoder(base).normaliser).toBe(normalisers[0]);
  });
});
