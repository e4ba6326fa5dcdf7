import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { firstPartyRules } from '../../../alerts/pack.ts';
import { AuditError } from '../../../core/errors.ts';
import { readRules } from '../../../sigma/document.ts';
import { readIntakeRules } from '../../../sigma/intake-rule.ts';

const rule = `title: A tool that scans
id: 3f0c6c1e-1111-4a2b-8c3d-000000000001
name: scanner
level: low
logsource: { category: webserver }
detection:
  tool: { c-useragent|contains: sqlmap }
  condition: tool
gw: { at: intake, signal: scanner, owner: security, tests: [] }
`;

function refusalOf(read: (text: string, source: string) => unknown, text: string): string {
  try {
    read(text, 'x.yml');
  } catch (error) {
    if (!(error instanceof AuditError)) throw error;
    expect(error.message).toContain(`x.yml at ${String(error.facts['place'])}: `);
    return `${error.code} ${String(error.facts['place'])}`;
  }
  return 'read';
}

test('a rule at intake has a class, the words of its document, and judges requests', () => {
  const [read, ...others] = readIntakeRules(rule, 'x.yml');
  expect(others).toEqual([]);
  expect(read).toMatchObject({
    signal: 'scanner',
    title: 'A tool that scans',
    kind: 'DETECTION',
    level: 'low',
    owner: 'security',
    source: 'x.yml',
  });
  expect(read?.matches((field) => (field === 'user_agent_original' ? 'SQLmap/1.8' : ''))).toBe(true);
  expect(read?.matches(() => '')).toBe(false);
});

test('a changed document is another version', () => {
  const versionOf = (text: string) => readIntakeRules(text, 'x.yml')[0]?.version;
  expect(versionOf(rule)).toBe(versionOf(rule));
  expect(versionOf(rule.replace('sqlmap', 'nikto'))).not.toBe(versionOf(rule));
});

test('one folder holds both kinds, and each reader takes its own', () => {
  const stored = readFileSync(join(firstPartyRules, 'rate-breach.yml'), 'utf8');
  const both = `${rule}---\n${stored}`;
  expect(readRules(both, 'x.yml').map(({ title }) => title)).toEqual(['Rate breach']);
  expect(readIntakeRules(both, 'x.yml').map(({ title }) => title)).toEqual(['A tool that scans']);
  expect(readIntakeRules(stored, 'x.yml')).toEqual([]);
});

describe('is refused with a code and its place, by whoever reads the file', () => {
  test.each([
    ['without a class', 'signal: scanner, ', '', 'UNKNOWN_KEY /gw/signal'],
    ['with a class that is a text', 'signal: scanner', 'signal: A scanner', 'UNKNOWN_KEY /gw/signal'],
    ['with a class that is long', 'signal: scanner', `signal: ${'a'.repeat(65)}`, 'UNKNOWN_KEY /gw/signal'],
    ['with a key of other rules', 'owner: security', 'for: 5m', 'UNKNOWN_KEY /gw/for'],
    ['with an unknown key', 'level: low', 'levle: low', 'UNKNOWN_KEY /levle'],
    ['for other logs', 'webserver', 'proxy', 'LOGSOURCE_UNSUPPORTED /logsource'],
    ['with a fault in its detection', 'c-useragent', 'cs-cookie', 'FIELD_NOT_LOGGED /detection/tool/cs-cookie|contains'],
    ['when every request would be judged', 'c-useragent|contains: sqlmap', 'c-useragent|re: sqlmap', 'UNKNOWN_KEY /gw/at'],
    ['without an id', 'id: 3f0c6c1e-1111-4a2b-8c3d-000000000001\n', '', 'UNKNOWN_KEY /id'],
    ['without a detection', /detection:[^]*condition: tool\n/, 'correlation: { type: event_count }\n', 'UNKNOWN_KEY /gw/at'],
  ])('%s', (_, from, to, expected) => {
    const text = rule.replace(from, to);
    expect(text).not.toBe(rule);
    expect(refusalOf(readIntakeRules, text)).toBe(expected);
    expect(refusalOf(readRules, text)).toBe(expected);
  });
});

test('a rule over stored events that counts one of these says why it cannot', () => {
  const counting = `${rule}---
title: Many scans
id: 3f0c6c1e-1111-4a2b-8c3d-000000000002
correlation:
  type: event_count
  rules: [scanner]
  group-by: [client_address]
  timespan: 1m
  condition: { gt: 5 }
`;
  expect(refusalOf(readRules, counting)).toBe('REFERENCE_UNKNOWN /correlation/rules');
  expect(() => readRules(counting, 'x.yml')).toThrow('judged at intake and never over stored events');
});
