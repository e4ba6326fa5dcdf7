/** Every rule that is judged at intake keeps what the tests in its document say, on records that take the whole way to an event. */
import { describe, expect, test } from 'vitest';
import { loadIntakeRules } from '../../app/decoder.ts';
import { deriveKey } from '../../core/keys.ts';
import { createDecoder, loadGateways } from '../../ingest/pipeline.ts';
import { rareSigns } from '../../sigma/literals.ts';

interface Case {
  readonly name: string;
  readonly given: readonly Readonly<Record<string, unknown>>[];
  readonly expect: { readonly signal: boolean };
}

const rules = await loadIntakeRules([]);
const decoder = createDecoder({
  gateways: await loadGateways(),
  sources: [],
  defaultTenant: 'default',
  intakeTopic: null,
  allowedQueryKeys: new Set(),
  intakeRules: rules,
  pseudonyms: deriveKey('a secret of the tests', 'pseudonyms'),
  credentials: deriveKey('a secret of the tests', 'credentials'),
  version: 'test',
});

/** The signals of a record, and all that is kept of it as text. */
function read(record: Readonly<Record<string, unknown>>): { readonly signals: readonly string[]; readonly text: string } {
  const value = Buffer.from(
    JSON.stringify({ timestamp: '2026-11-24T12:00:00Z', gateway_kind: 'mesh', http_request_method: 'GET', url_path: '/items', ...record }),
  );
  let read: { signals: readonly string[]; text: string } | null = null;
  decoder.decode({ offset: 0, timestamp: -1, value, headers: {} }, 'in', Date.parse('2026-11-24T12:00:01Z'), {
    event: (event) => (read = { signals: [...event.signals], text: JSON.stringify(event) }),
    rejected: ({ code, message }) => expect.unreachable(`${code} ${message}`),
    skipped: (_offset, _index, why) => expect.unreachable(why),
  });
  return read ?? expect.unreachable('no event');
}

test('the pack brings two classes', () => {
  expect(rules.map(({ signal }) => signal).toSorted()).toEqual(['credential-in-query', 'sql-injection']);
});

describe.each(rules)('$signal', ({ signal, document, tests, title, description, level, tags, references, falsePositives, witnesses }) => {
  const cases = tests as readonly Case[]; // each is read below, and a test that is none fails there

  test('says what it finds, what it does not see, and where to read on', () => {
    expect(title).not.toBe('');
    expect(description).toContain('It does not see');
    expect(['low', 'medium', 'high']).toContain(level);
    expect(Math.min(tags.length, references.length, falsePositives.length)).toBeGreaterThan(0);
    expect(document).toContain(`signal: ${signal}`);
  });

  test('brings three cases in which it finds something, and three in which not', () => {
    expect(cases.filter((one) => one.expect.signal).length).toBeGreaterThanOrEqual(3);
    expect(cases.filter((one) => !one.expect.signal).length).toBeGreaterThanOrEqual(3);
  });

  test('passes most events on a sign alone', () => {
    for (const literals of witnesses.values()) expect(rareSigns(literals)).not.toBeNull();
  });

  describe.each(cases)('$name', ({ given, expect: { signal: isExpected } }) => {
    test.each(given)('%j', (record) => {
      expect(read(record).signals).toEqual(isExpected ? [signal] : expect.not.arrayContaining([signal]));
    });
  });
});

test('of what was found only the class is kept', () => {
  const { signals, text } = read({ url_query: "q=x'+union+select+1,2&token=hunter22" });
  expect(signals.toSorted()).toEqual(['credential-in-query', 'sql-injection']);
  for (const word of ['union', 'hunter22']) expect(text).not.toContain(word);
});

test('an event that was stored before keeps its signals, and gets none twice', () => {
  expect(read({ url_query: 'token=abcdef', signals: ['credential-in-query', 'of-old'] }).signals).toEqual([
    'credential-in-query',
    'of-old',
  ]);
  expect(read({ url_query: 'q=REDACTED&token=REDACTED', signals: ['sql-injection'] }).signals).toEqual(['sql-injection']);
});
