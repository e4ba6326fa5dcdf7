import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { AuditError } from '../../../core/errors.ts';
import { readRules } from '../../../sigma/document.ts';
import { refusalCodes } from '../../../sigma/yaml.ts';

const folder = join(import.meta.dirname, '../../../alerts/rules');
const ratio = readFileSync(join(folder, 'auth-failures.yml'), 'utf8');
const rate = readFileSync(join(folder, 'rate-breach.yml'), 'utf8');

/** The facts of the refusal of `text` with `from` written as `to`. */
function refusalOf(text: string, from: string, to: string): unknown {
  expect(text).toContain(from);
  try {
    readRules(text.replace(from, to), 'x.yml');
  } catch (error) {
    if (!(error instanceof AuditError)) throw error;
    expect(refusalCodes).toContain(error.code);
    const { place } = error.facts as { place: string };
    expect(error.message).toContain(`x.yml at ${place}: `);
    return `${error.code} ${place}`;
  }
  return 'read';
}

describe('a ratio is refused with a code and its place', () => {
  test.each([
    ['an unknown key', 'level: high', 'level: high\nlevle: low', 'UNKNOWN_KEY /levle'],
    ['an unknown key of gw', 'owner: security', 'owners: security', 'UNKNOWN_KEY /gw/owners'],
    ['an unknown key of the anomaly', 'over: all', 'over: all\n  under: x', 'UNKNOWN_KEY /anomaly/under'],
    ['an unknown key of the condition', 'share: {', 'shares: {', 'UNKNOWN_KEY /anomaly/condition/shares'],
    ['a field without a meaning here', 'sc-status: [', 'x-status: [', 'FIELD_UNKNOWN /detection/selection/x-status'],
    ['a field that no log has', 'sc-status: [401, 403]', 'cs-cookie: [a]', 'FIELD_NOT_LOGGED /detection/selection/cs-cookie'],
    ['null in a list', '[401, 403]', '[401, null]', 'NULL_IN_LIST /detection/selection/sc-status'],
    ['a status that is none', '[401, 403]', '[4xx]', 'REGEX_UNSUPPORTED /detection/selection/sc-status'],
    ['no value', '[401, 403]', '[]', 'UNKNOWN_KEY /detection/selection/sc-status'],
    ['another log', 'category: webserver', 'category: proxy', 'LOGSOURCE_UNSUPPORTED /logsource'],
    ['another condition', 'condition: selection', 'condition: not selection', 'CORRELATION_UNSUPPORTED /detection/condition'],
    ['a span that is none', 'timespan: 10m', 'timespan: soon', 'UNKNOWN_KEY /anomaly/timespan'],
    ['a span of nothing', 'timespan: 10m', 'timespan: 0s', 'UNKNOWN_KEY /anomaly/timespan'],
    ['a negative span', 'timespan: 10m', 'timespan: -PT5M', 'UNKNOWN_KEY /anomaly/timespan'],
    ['a wait that is no span', 'keep-firing-for: 10m', 'keep-firing-for: 10', 'UNKNOWN_KEY /gw/keep-firing-for'],
    ['a reference to nothing', 'of: auth_failed', 'of: nothing', 'REFERENCE_UNKNOWN /anomaly/of'],
    ['a type that is not computed', 'type: ratio', 'type: travel', 'CORRELATION_UNSUPPORTED /anomaly/type'],
    ['a group that is not computed', 'group-by: [client_address]', 'group-by: [path]', 'FIELD_UNKNOWN /anomaly/group-by'],
    ['a bound from above', 'current: { gte: 20 }', 'current: { lt: 20 }', 'CORRELATION_UNSUPPORTED /anomaly/condition'],
    ['a bound that is no number', 'share: { gte: 0.5 }', 'share: { gte: half }', 'CORRELATION_UNSUPPORTED /anomaly/condition/share'],
    ['a minimum that is no number', 'min-denominator: 20', 'min-denominator: many', 'UNKNOWN_KEY /anomaly/min-denominator'],
    ['a level that is none', 'level: high', 'level: loud', 'FIELD_UNKNOWN /level'],
    ['a limit that is none', 'owner: security', 'limit: plans', 'UNKNOWN_KEY /gw/limit'],
    ['no id', 'id: 6b0e0d5e-5d0f-4a62-9d0f-1f7c0e2f9a12\n', '', 'UNKNOWN_KEY /id'],
    ['text that is no YAML', 'title: Auth failures', 'title: [', 'YAML_INVALID /'],
  ])('with %s', (_, from, to, expected) => {
    expect(refusalOf(ratio, from, to)).toBe(expected);
  });
});

describe('a correlation is refused with a code and its place', () => {
  test.each([
    ['two rules', 'rules: [any_request]', 'rules: [any_request, any_request]', 'REFERENCE_UNKNOWN /correlation/rules'],
    ['another type', 'type: event_count', 'type: temporal', 'CORRELATION_UNSUPPORTED /correlation/type'],
    ['two bounds', 'condition: { gt: 6000 }', 'condition: { gt: 1, lt: 9 }', 'CORRELATION_UNSUPPORTED /correlation/condition'],
    ['a list for a mapping', 'condition: { gt: 6000 }', 'condition: [6000]', 'UNKNOWN_KEY /correlation/condition'],
    ['a method that could be SQL', "cs-method: '*'", `cs-method: "GET') OR 1=1"`, 'REGEX_UNSUPPORTED /detection/selection/cs-method'],
  ])('with %s', (_, from, to, expected) => {
    expect(refusalOf(rate, from, to)).toBe(expected);
  });
});

test('what is read has the words of the document', () => {
  expect(readRules(rate, 'rate.yml')).toMatchObject([
    { title: 'Rate breach', type: 'event_count', timespanMs: 60_000, count: { operator: 'gt', value: 6000 }, limitFromPlan: true },
  ]);
  expect(readRules(ratio, 'auth.yml')).toMatchObject([
    {
      title: 'Auth failures',
      type: 'ratio',
      level: 'high',
      groupBy: 'client_address',
      share: { operator: 'gte', value: 0.5 },
      selections: [{ column: 'http_response_status_code', values: ['401', '403'] }],
      keepFiringForMs: 600_000,
    },
  ]);
});

test('a changed document is another version, an unchanged one the same', () => {
  const versionOf = (text: string) => readRules(text, 'x.yml')[0]?.version;
  expect(versionOf(rate)).toBe(versionOf(rate));
  expect(versionOf(rate.replace('gt: 6000', 'gt: 6001'))).not.toBe(versionOf(rate));
});
