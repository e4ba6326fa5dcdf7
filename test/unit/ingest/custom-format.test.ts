/** What the readers of formats that the configuration describes make of a record. */
import { beforeAll, describe, expect, test } from 'vitest';
import { credentialHash, deriveKey } from '../../../core/keys.ts';
import { type DescribedFormat, gatewayOf } from '../../../ingest/described-format.ts';
import type { Gateway } from '../../../ingest/gateway.ts';
import { createDecoder, loadGateways } from '../../../ingest/pipeline.ts';
import type { Source } from '../../../ingest/source.ts';
import type { CanonicalEvent } from '../../../schemas/event.ts';
import { cpuMs } from '../../support/cpu.ts';

let shipped: ReadonlyMap<string, Gateway>;
beforeAll(async () => {
  shipped = await loadGateways();
});

const credentials = deriveKey('a secret of the tests', 'credentials');
const receivedAt = Date.parse('2026-11-24T12:00:00Z');
const iso = '2026-11-24T11:00:05Z';

function read(
  described: Omit<DescribedFormat, 'name'>,
  record: unknown,
  source: Partial<Source> = {},
): Partial<CanonicalEvent> & { code?: string; path?: string } {
  const decoder = createDecoder({
    gateways: new Map([...shipped, ['own', gatewayOf({ name: 'own', ...described }, shipped)]]),
    sources: [{ topic: 'edge', format: 'own', ...source }],
    defaultTenant: 'default',
    intakeTopic: 'in',
    allowedQueryKeys: new Set(),
    pseudonyms: deriveKey('a secret of the tests', 'pseudonyms'),
    credentials,
    version: 'test',
  });
  const seen: object[] = [];
  const value = Buffer.from(typeof record === 'string' ? record : JSON.stringify(record));
  decoder.decode({ offset: 0, timestamp: -1, value, headers: {} }, 'edge', receivedAt, {
    event: (event) => void seen.push(event),
    rejected: ({ code, path }) => void seen.push({ code, path }),
    skipped: () => void seen.push({ code: 'skipped' }),
  });
  expect(seen).toHaveLength(1);
  return seen[0] ?? {};
}

const json = (fields: NonNullable<DescribedFormat['fields']>, record: object, source?: Partial<Source>) =>
  read({ gateway: 'edge', fields: { timestamp: 't', ...fields } }, { t: iso, ...record }, source);

describe('a duration', () => {
  test.each([
    ['ns', 132_000_000, 132],
    ['us', '132500', 132.5],
    ['ms', 132, 132],
    ['s', '0.132', 132],
    ['s', '-', null],
    ['s', -1, null],
    ['s', 'long', null],
  ] as const)('in %s of %j is %j ms', (unit, value, expected) => {
    expect(json({ duration_ms: { path: 'd', unit } }, { d: value }).duration_ms).toBe(expected);
  });

  test('without a unit is milliseconds', () => expect(json({ duration_ms: 'd' }, { d: 7 }).duration_ms).toBe(7));
});

describe('a time', () => {
  const timeOf = (t: unknown, more: object = {}, source?: Partial<Source>) => json({ timestamp: { path: 't', ...more } }, { t }, source);
  const micros = Date.parse(iso) * 1000;

  test.each([
    ['ISO 8601', '2026-11-24T12:00:05+01:00', micros],
    ['ISO 8601 with microseconds', '2026-11-24T11:00:05.000250Z', micros + 250],
    ['ISO 8601 with a blank and no zone, which is UTC', '2026-11-24 11:00:05', micros],
    ['of a common log line', '24/Nov/2026:11:00:05 +0000', micros],
    ['in seconds', 1_795_518_005, micros],
    ['in seconds as a text', '1795518005.25', micros + 250_000],
    ['in milliseconds', 1_795_518_005_000, micros],
    ['in microseconds', 1_795_518_005_000_000, micros],
    ['in nanoseconds as a text, of which no microsecond is lost', '1795518005000250999', micros + 250],
  ])('%s', (_, value, expected) => expect(timeOf(value).timestamp).toBe(expected));

  test('without a zone is one of the source', () => {
    expect(timeOf('2026-11-24 12:00:05', {}, { timeZone: 'Europe/Vienna' }).timestamp).toBe(micros);
  });

  test('that is the end becomes the start where a duration is mapped, whatever the order of the map', () => {
    expect(timeOf(iso, { is: 'end' })).toMatchObject({ timestamp: micros, time_source: 'end' });
    const fields = { timestamp: { path: 't', is: 'end' }, duration_ms: 'd' } as const;
    expect(json(fields, { d: 500 })).toMatchObject({ timestamp: micros - 500_000, time_source: 'end_minus_duration' });
  });

  test.each([
    [undefined, 'MISSING_TIME'],
    ['-', 'MISSING_TIME'],
    ['soon', 'BAD_TIME'],
    [true, 'BAD_TIME'],
    ['2026-02-31 10:00:00', 'BAD_TIME'],
  ])('%j is a dead letter with its path', (value, code) => expect(timeOf(value)).toEqual({ code, path: '$.t' }));
});

describe('a value', () => {
  test.each([
    ['a size as a text', 'http_request_size', '212', 212],
    ['a size that is none', 'http_request_size', '1.5', null],
    ['a status as a text', 'http_response_status_code', '201', 201],
    ['no status', 'http_response_status_code', '0', null],
    ['attempts beyond their column', 'upstream_attempts', 256, null],
    ['a version of HTTP by its full name', 'network_protocol_version', 'HTTP/1.1', '1.1'],
    ['a host with its port', 'server_address', 'api.example.com:8443', 'api.example.com'],
    ['an address with its port', 'client_address', '203.0.113.7:5000', '203.0.113.7'],
    ['a trace id in capitals', 'trace_id', '0AF7651916CD43DD8448EB211C80319C', '0af7651916cd43dd8448eb211c80319c'],
    ['a dash', 'user_agent_original', '-', ''],
    ['a number as a text', 'gateway_route_id', 17, '17'],
    ['a raw key, hashed', 'credential_hash', 'raw-key', credentialHash(credentials, 'raw-key')],
    ['no key', 'credential_hash', '', ''],
    ['an object where a text is expected', 'request_id', { a: 1 }, ''],
  ])('%s', (_, field, value, expected) => expect(json({ [field]: 'x' }, { x: value })).toMatchObject({ [field]: expected }));

  test('stands in objects along the dots, or under a key with that very name', () => {
    expect(json({ request_id: 'a.b.c' }, { a: { b: { c: 'deep' } } }).request_id).toBe('deep');
    expect(json({ request_id: 'a.b' }, { 'a.b': 'flat', a: { b: 'deep' } }).request_id).toBe('flat');
    expect(json({ request_id: 'a.b' }, { a: 'no object' }).request_id).toBe('');
    expect(json({ request_id: '__proto__.x', api_id: 'constructor' }, {})).toMatchObject({ request_id: '', api_id: '' });
  });

  test('is under the name of the field where no path is given', () => {
    expect(json({ duration_ms: { unit: 's' } }, { duration_ms: 2 }).duration_ms).toBe(2000);
  });
});

describe('what was asked for', () => {
  test('is split into path and query, of an absolute URL into scheme and host too', () => {
    expect(json({ url_path: 'u' }, { u: 'https://api.example.com:8443/a?page=2' })).toMatchObject({
      url_scheme: 'https',
      server_address: 'api.example.com',
      url_path: '/a',
      url_query: 'page=REDACTED',
    });
  });

  test('takes a query of its own, however the map is ordered', () => {
    expect(json({ url_query: 'q', url_path: 'u' }, { u: '/a', q: '?page=2' })).toMatchObject({
      url_path: '/a',
      url_query: 'page=REDACTED',
    });
    expect(json({ url_query: 'q', url_path: 'u' }, { u: '/a?b=1', q: '' }).url_query).toBe('b=REDACTED');
  });
});

describe('addresses', () => {
  const trusted = { trustedProxies: ['10.0.0.0/8'] };
  const list = { x: '6.6.6.6, 203.0.113.7' };

  test('the client is the last of the list that is no proxy of the source, where the peer is one', () => {
    const expected = { client_address: '203.0.113.7', network_peer_address: '10.0.0.1', forwarded_for: '6.6.6.6, 203.0.113.7' };
    expect(json({ client_address: 'p', forwarded_for: 'x' }, { p: '10.0.0.1', ...list }, trusted)).toMatchObject(expected);
    expect(json({ network_peer_address: 'p', forwarded_for: 'x' }, { p: '10.0.0.1', ...list }, trusted)).toMatchObject(expected);
  });

  test('a list that anybody can write is not believed', () => {
    expect(json({ client_address: 'p', forwarded_for: 'x' }, { p: '10.0.0.1', ...list }).client_address).toBe('10.0.0.1');
    expect(json({ client_address: 'p', forwarded_for: 'x' }, { p: '198.51.100.1', ...list }, trusted).client_address).toBe('198.51.100.1');
  });

  test('where both are mapped the gateway has decided', () => {
    const both = { client_address: 'c', network_peer_address: 'p', forwarded_for: 'x' };
    expect(json(both, { c: '10.9.9.9', p: '10.0.0.1', ...list }, trusted)).toMatchObject({ client_address: '10.9.9.9' });
  });
});

describe('a line', () => {
  const lines = { gateway: 'edge', pattern: String.raw`(?<timestamp>\S+) (?P<http_request_method>[A-Z]+)(?: (?P<request_id>\w+))?` };

  test('gives the groups of the pattern; one that took no part is absent', () => {
    expect(read(lines, `${iso} GET 4f1d`)).toMatchObject({ http_request_method: 'GET', request_id: '4f1d', gateway_kind: 'edge' });
    expect(read(lines, `${iso} GET`)).toMatchObject({ http_request_method: 'GET', request_id: '' });
  });

  test.each([`${iso} get`, `x ${iso} GET`, `${iso} GET 4f1d x`, '{}', '[1]'])(
    '%j that the pattern does not take as a whole is a dead letter',
    (line) => {
      expect(read(lines, line).code).toMatch(/BAD_FIELD|UNKNOWN_FORMAT/);
    },
  );

  test('keeps a header of rsyslog or a priority that the pattern asks for', () => {
    const pattern = String.raw`(?:<\d+>)?(?<timestamp>\S+) lb1 shop\[\d+\]: (?<http_request_method>[A-Z]+)`;
    for (const head of ['', '<14>'])
      expect(read({ gateway: 'edge', pattern }, `${head}${iso} lb1 shop[12]: GET`)).toMatchObject({ http_request_method: 'GET' });
  });

  test('that is hostile takes no time to speak of, whatever the pattern', () => {
    const hostile = () => read({ gateway: 'edge', pattern: '(?P<timestamp>(?:(?:a+)+)+)b' }, 'a'.repeat(100_000));
    expect(cpuMs(hostile)).toBeLessThan(2_000);
  });
});

describe('the normaliser', () => {
  test('changes with the description: another one reads the same record otherwise', () => {
    const normaliserOf = (unit: 's' | 'ms') => {
      const own = gatewayOf({ name: 'own', gateway: 'edge', fields: { timestamp: 't', duration_ms: { unit } } }, shipped);
      const options = { sources: [], defaultTenant: 'd', intakeTopic: 'in', allowedQueryKeys: new Set<string>(), version: '1' };
      return createDecoder({ ...options, gateways: new Map([['own', own]]), pseudonyms: deriveKey('s', 'pseudonyms'), credentials })
        .normaliser;
    };
    expect(normaliserOf('s')).not.toBe(normaliserOf('ms'));
    expect(normaliserOf('s')).toBe(normaliserOf('s'));
  });
});
