import { describe, expect, test } from 'vitest';
import { loadIntakeRules } from '../../../app/decoder.ts';
import { deriveKey } from '../../../core/keys.ts';
import { createDecoder, type DecoderOptions, loadGateways } from '../../../ingest/pipeline.ts';
import { createSignals } from '../../../ingest/signals.ts';
import { compileFilter } from '../../../query/filter.ts';
import { type CanonicalEvent, emptyEvent } from '../../../schemas/event.ts';
import { readIntakeRules } from '../../../sigma/intake-rule.ts';
import { leastCpuMs } from '../../support/cpu.ts';

const rule = (signal: string, id: number, selection: string) =>
  readIntakeRules(
    `title: A rule
id: rule-${id}
logsource: { category: webserver }
detection: { s: { ${selection} }, condition: s }
gw: { at: intake, signal: ${signal} }
`,
    'x.yml',
  );
const signalsOf = (rules: DecoderOptions['intakeRules'] & object, event: Partial<CanonicalEvent>): string[] => {
  const whole = { ...emptyEvent(), url_path: '/a', ...event };
  createSignals(rules)(whole);
  return whole.signals;
};

describe('an event gets the classes of the rules that hold', () => {
  const rules = [
    ...rule('first', 1, 'uri_d|contains: one'),
    ...rule('second', 2, 'c-useragent|contains: two'),
    ...rule('first', 3, 'c-useragent|contains: three'),
  ];
  test.each([
    [{}, []],
    [{ url_query: 'ONE' }, ['first']],
    [{ url_path: '/%6fne' }, ['first']],
    [{ user_agent_original: 'two/1' }, ['second']],
    [{ url_query: 'one', user_agent_original: 'two three' }, ['first', 'second']],
    [{ user_agent_original: 'three', signals: ['old'] }, ['old', 'first']],
  ])('%j has %j', (event, expected) => {
    expect(signalsOf(rules, event)).toEqual(expected);
  });

  test('and none where there are no rules', () => {
    expect(signalsOf([], { url_query: 'one' })).toEqual([]);
  });
});

test('they see what redaction takes out, and their rules are a part of the normaliser', async () => {
  const options = {
    gateways: await loadGateways(),
    sources: [],
    defaultTenant: 'default',
    intakeTopic: null,
    allowedQueryKeys: new Set<string>(),
    pseudonyms: deriveKey('a secret of the tests', 'pseudonyms'),
    credentials: deriveKey('a secret of the tests', 'credentials'),
    version: 'test',
  };
  const rules = rule('found', 1, "cs-uri|contains: 'hidden value'");
  const decoder = createDecoder({ ...options, intakeRules: rules });
  const value = Buffer.from(
    JSON.stringify({
      timestamp: '2026-11-24T12:00:00Z',
      gateway_kind: 'mesh',
      http_request_method: 'GET',
      url_path: '/a',
      url_query: 'q=hidden value',
    }),
  );
  const seen: Partial<CanonicalEvent>[] = [];
  decoder.decode({ offset: 0, timestamp: -1, value, headers: {} }, 'in', Date.parse('2026-11-24T12:00:01Z'), {
    event: ({ url_query, signals }) => seen.push({ url_query, signals }),
    rejected: ({ message }) => expect.unreachable(message),
    skipped: (_offset, _index, why) => expect.unreachable(why),
  });
  expect(seen).toEqual([{ url_query: 'q=REDACTED', signals: ['found'] }]);
  const other = createDecoder({ ...options, intakeRules: rule('found', 1, 'cs-uri|contains: other') });
  const without = createDecoder(options);
  expect(new Set([decoder.normaliser, other.normaliser, without.normaliser]).size).toBe(3);
});

test('what intake stores can be asked for by the name that it has', async () => {
  const rules = await loadIntakeRules([]);
  const stored = signalsOf(rules, { url_query: "id=1'+or+'1'='1&token=abcdef" });
  expect(stored.toSorted()).toEqual(['credential-in-query', 'sql-injection']);
  for (const signal of stored)
    expect(compileFilter({ signal: [signal] })).toEqual({ sql: '(hasAny(signals, {f0:Array(String)}))', parameters: { f0: [signal] } });
});

test('a hostile query takes time linear in its length', async () => {
  const find = createSignals(await loadIntakeRules([]));
  const time = (unit: string, length: number): number => {
    const event = { ...emptyEvent(), url_path: '/a' };
    const attack = unit.repeat(length / unit.length);
    let turn = 0; // the last forms are kept
    return leastCpuMs(() => find({ ...event, url_query: `id=${(turn += 1)}${attack}`, signals: [] }), 9);
  };
  for (const unit of [
    ' or 1',
    "'",
    'union select ',
    '%2527',
    '(select ',
    '/*!1',
    '&token=abc',
    "';%20drop/**/or%091=x'--",
    "/*&'*/",
    '%20or%201-1',
    'union--%0a',
  ]) {
    time(unit, 4_096);
    expect(time(unit, 65_536), unit).toBeLessThan(80 * Math.max(time(unit, 4_096), 0.05));
  }
});
