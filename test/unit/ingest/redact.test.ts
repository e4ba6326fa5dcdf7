import { describe, expect, test } from 'vitest';
import { attributeNames, createRedaction, maskedExcerpt } from '../../../ingest/redact.ts';
import { type CanonicalEvent, emptyEvent, enrichedFields } from '../../../schemas/event.ts';

const redact = createRedaction({ allowedQueryKeys: new Set() });
const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U';

function cleaned(given: Partial<CanonicalEvent>, redaction = redact): CanonicalEvent {
  const event = { ...emptyEvent(), ...given };
  redaction(event);
  return event;
}

/** Neither from the record nor with words in it: configured, counted, checked by the reader, or a hash. */
const notTexts: readonly string[] = [
  'tenant',
  'source_format',
  'client_address',
  'network_peer_address',
  'credential_hash',
  ...enrichedFields,
];

describe('a secret', () => {
  const names = Object.entries(emptyEvent())
    .filter(([name, value]) => value === '' && !notTexts.includes(name))
    .map(([name]) => name);

  test.each(names)('is not in %s', (name) => {
    for (const text of [`x ${jwt}`, `x%20${jwt}`, `//anna:${jwt}@host`])
      expect(JSON.stringify(cleaned({ [name]: text })), text).not.toContain('dozjgNry');
  });

  test('is in no attribute, whatever its name', () => {
    for (const attributes of [{ note: jwt }, { [jwt]: 'x' }, { note: `a=1; password=${jwt}` }, { note: `["${jwt}"]` }])
      expect(JSON.stringify(cleaned({ attributes }).attributes)).not.toContain('dozjgNry');
  });

  test.each(['authorization', 'Cookie', 'x-api-key', 'apiKey', 'db_password', 'session_id', 'refresh-token', 'clientSecret', 'auth'])(
    'needs no shape in an attribute by the name of %s',
    (name) => expect(cleaned({ attributes: { [name]: 'hunter2', team: 'payments' } }).attributes).toEqual({ team: 'payments' }),
  );

  test('needs no shape inside of JSON in an attribute', () =>
    expect(cleaned({ attributes: { note: ' {"a":{"b":["hunter2"]}}', plan: 'gold' } }).attributes).toEqual({
      note: 'REDACTED',
      plan: 'gold',
    }));

  test('is in no route, where a gateway writes the path itself', () =>
    expect(cleaned({ http_route: '/users/me@example.com/{id}', url_path: '/users/me@example.com/7' })).toMatchObject({
      http_route: '/users/REDACTED/{id}',
      url_path: '/users/REDACTED/7',
    }));

  test('is not in front of a host', () =>
    expect(cleaned({ server_address: 'anna:hunter2@api.example.com' }).server_address).toBe('api.example.com'));

  test('is in no excerpt: every word and number is masked', () => {
    expect(maskedExcerpt('{"apikey": "s3cr3t-Ünïcode"}')).toBe('{"xxxxxx": "x0xx0x-xxxxxxx"}');
    expect(maskedExcerpt('x'.repeat(10_000))).toHaveLength(4096);
  });
});

test('what readers give themselves is no name of a secret', () => {
  const attributes = Object.fromEntries([...attributeNames].map((name) => [name, 'x']));
  expect(cleaned({ attributes }).attributes).toEqual(attributes);
});

describe('clients of a tenant that may not keep them', () => {
  const options = { allowedQueryKeys: new Set<string>(), truncateAddresses: ['acme'], dropUserAgents: ['globex'] };
  const given = { client_address: '203.0.113.7', network_peer_address: '2001:db8:1:2::8a2e', user_agent_original: 'curl/8.5.0' };
  const list = '198.51.100.9, 10.1.2.3:4567, [2001:db8:1:2:3:4:5:6]:443, unknown, for=192.0.2.60';

  test('are stored as their networks, all three addresses', () => {
    expect(cleaned({ ...given, forwarded_for: list, tenant: 'acme' }, createRedaction(options))).toMatchObject({
      client_address: '203.0.113.0',
      network_peer_address: '2001:db8:1::',
      forwarded_for: '198.51.100.0, 10.1.2.0, 2001:db8:1::, REDACTED, REDACTED',
      user_agent_original: 'curl/8.5.0',
    });
  });

  test.each([
    ['2001:db8:85a3:1:2:8a2e:370:7334', '2001:db8:85a3::'],
    ['2001:db8::1', '2001:db8::'],
    ['1:0:2:3:4:5:6:7', '1:0:2::'],
    ['::1', '::'],
    ['fe80::1:2:3:4:5:6', 'fe80:0:1::'],
    ['', ''],
  ])('%s is of %s', (address, network) =>
    expect(cleaned({ client_address: address, tenant: 'acme' }, createRedaction(options)).client_address).toBe(network),
  );

  test('have no user agent where it is dropped', () =>
    expect(cleaned({ ...given, tenant: 'globex' }, createRedaction(options))).toMatchObject({ ...given, user_agent_original: '' }));

  test('are whole for any other tenant, and for none where all are named', () => {
    expect(cleaned({ ...given, forwarded_for: list, tenant: 'initech' }, createRedaction(options))).toMatchObject({
      ...given,
      forwarded_for: list,
    });
    const everyone = createRedaction({ ...options, truncateAddresses: ['*'], dropUserAgents: ['*'] });
    expect(cleaned({ ...given, tenant: 'initech' }, everyone)).toMatchObject({ client_address: '203.0.113.0', user_agent_original: '' });
  });
});
