import { describe, expect, test } from 'vitest';
import { AuditError } from '../../../core/errors.ts';
import { encodeEventId } from '../../../core/event-id.ts';
import { credentialHash, deriveKey } from '../../../core/keys.ts';
import { compileFilter, type Match } from '../../../query/filter.ts';
import { userAgentFamily } from '../../../query/user-agent-family.ts';

const codeOf = (filter: Match) => {
  try {
    compileFilter(filter);
    return 'none';
  } catch (error) {
    return error instanceof AuditError ? error.code : 'another';
  }
};

test('no filter holds for everything, an empty list for nothing', () => {
  expect(compileFilter(null)).toEqual({ sql: '1', parameters: {} });
  expect(compileFilter({ method: null })).toEqual({ sql: '1', parameters: {} });
  for (const empty of [{ or: [] }, { and: [] }, { id: [] }, { outcome: [] }, { signal: [] }, { lifecycle: [] }, { dataClass: [] }])
    expect(compileFilter(empty).sql).toContain('0');
});

test('values are bound and never text of the statement', () => {
  const hostile = "x' OR 1=1 --\\{f0:String}";
  const everything: Match[] = [
    ...['eq', 'ne', 'startsWith', 'endsWith', 'contains', 'matches'].map((operator) => ({ path: { [operator]: hostile } })),
    { path: { in: [hostile], notIn: [hostile] } },
    { search: `consumer:"${hostile.replaceAll('"', '')}"` },
    { signal: [hostile], outcome: [hostile] },
    { id: [hostile] },
  ];
  for (const filter of everything) expect(compileFilter(filter).sql).not.toContain('OR 1=1');
  expect(Object.values(compileFilter({ path: { eq: hostile } }).parameters)).toEqual([hostile]);
});

test('an id that is none of ours finds nothing, and one of ours its position', () => {
  expect(compileFilter({ id: ['nonsense'] }).sql).toContain('0');
  const id = encodeEventId({ sourceEpoch: 2, topic: 'gw', partition: 3, offset: 4, index: 5 });
  expect(Object.values(compileFilter({ id: [id] }).parameters)).toEqual([2, 'gw', 3, 4, 5]);
});

test.each<[Match, string, unknown[]]>([
  [{ country: { eq: 'AT' } }, "((((client_country != '' AND client_country = {f0:String}))))", ['AT']],
  [{ asn: { in: ['AS64500'] } }, "((((client_asn != '' AND has({f0:Array(String)}, client_asn)))))", [['AS64500']]],
  [{ collection: { ne: 'payments' } }, "((NOT ((collection != '' AND collection = {f0:String}))))", ['payments']],
  [{ lifecycle: ['DEPRECATED', 'SUNSET'] }, '(toString(lifecycle) IN {f0:Array(String)})', [['deprecated', 'sunset']]],
  [{ dataClass: ['pii', 'chd'] }, '(hasAny(data_classes, {f0:Array(String)}))', [['pii', 'chd']]],
  [{ userAgentFamily: { exists: true } }, `(((${userAgentFamily} != '')))`, []],
])('what enrichment added is asked for by its column: %j', (filter, sql, values) => {
  const compiled = compileFilter(filter);
  expect(compiled.sql).toBe(sql);
  expect(Object.values(compiled.parameters)).toEqual(values);
});

test('filters nest five deep and no deeper', () => {
  const nest = (depth: number): Match => (depth === 0 ? { method: { eq: 'GET' } } : { not: nest(depth - 1) });
  expect(codeOf(nest(5))).toBe('none');
  expect(codeOf(nest(6))).toBe('BAD_USER_INPUT');
  const wide = (depth: number): Match => (depth === 0 ? {} : { [depth % 2 ? 'and' : 'or']: [wide(depth - 1)] });
  expect(codeOf(wide(5))).toBe('none');
  expect(codeOf(wide(6))).toBe('BAD_USER_INPUT');
});

test('addresses and patterns that cannot be judged are refused by name', () => {
  for (const address of ['10.0.0.0/33', '::1/129', '10.0.0.1/', '10.0.0.1/8/8', 'x', '']) {
    expect(codeOf({ clientAddress: { in: [address] } }), address).toBe('BAD_USER_INPUT');
  }
  for (const address of ['10.0.0.1', '10.0.0.0/8', '2001:db8::/32', '::1', '0.0.0.0/0']) {
    expect(codeOf({ clientAddress: { notIn: [address] } }), address).toBe('none');
  }
  const blockOf = (address: string) => Object.values(compileFilter({ clientAddress: { in: [address] } }).parameters);
  expect(blockOf('::ffff:10.1.2.3')).toEqual([['10.1.2.3/32']]);
  expect(blockOf('::FFFF:10.1.2.0/120')).toEqual([['10.1.2.0/24']]);
  expect(codeOf({ clientAddress: { in: ['::ffff:10.1.2.0/90'] } })).toBe('BAD_USER_INPUT');
  for (const pattern of ['(?=a)', '(?!a)', '(?<=a)', '(?<!a)', '(?>a)', String.raw`(a)\1`, 'x'.repeat(1_001)]) {
    expect(codeOf({ path: { matches: pattern } }), pattern).toBe('BAD_USER_INPUT');
  }
  expect(codeOf({ path: { matches: '(?i)^/orders/[0-9]+$' } })).toBe('none');
});

describe('a credential', () => {
  const [current, before] = [deriveKey('now', 'credentials'), deriveKey('before', 'credentials')];
  const values = (operand: Match) => Object.values(compileFilter({ credential: operand }, [current, before]).parameters).flat();

  test('is found by the raw key, under the key of today and those of before', () => {
    const forms = ['raw', credentialHash(current, 'raw'), credentialHash(before, 'raw')];
    for (const operand of [{ eq: 'raw' }, { ne: 'raw' }, { in: ['raw'] }, { notIn: ['raw'] }])
      expect(values(operand), JSON.stringify(operand)).toEqual(expect.arrayContaining(forms));
  });

  test('is found by a hash that was noted before a rotation, in what came after it too', () => {
    const [now, noted] = [credentialHash(current, 'raw'), credentialHash(before, 'raw')];
    expect(compileFilter({ credential: { eq: noted } }, [current, before]).sql).toContain("attributes['credential_hash_before']");
    expect(compileFilter({ search: `credential:${noted}` }, [current, before]).sql).toContain("attributes['credential_hash_before']");
    for (const hash of [now, 'raw']) expect(compileFilter({ credential: { eq: hash } }, [current, before]).sql).not.toContain('attributes');
    expect(compileFilter({ credential: { eq: noted } }, [before]).sql).not.toContain('attributes');
  });

  test('is compared as it stands by every other operator', () => {
    expect(values({ startsWith: 'raw' })).toEqual(['raw', 'raw']);
    expect(compileFilter({ credential: { exists: true } }, [current]).parameters).toEqual({});
  });
});
