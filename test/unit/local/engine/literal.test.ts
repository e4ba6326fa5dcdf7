import { expect, test } from 'vitest';
import { identifier, literal, renderTerms, type Terms } from '../../../../local/engine/literal.ts';
import { seeded } from '../../../support/campaign.ts';

const known = new Set(['max_threads', 'readonly', 'log_comment']);
const terms = (settings: Record<string, string>, parameters: Record<string, string> = {}): Terms => ({
  settings: new Map(Object.entries(settings)),
  parameters: new Map(Object.entries(parameters)),
});

/** A reader of ClickHouse's quoted text that knows nothing of the writer: where it ends, and what it says. */
function readQuoted(sql: string, quote: string): { value: string; rest: string } {
  let value = '';
  for (let at = 1; at < sql.length; at += 1) {
    if (sql[at] === '\\') value += sql[(at += 1)] ?? '';
    else if (sql[at] === quote) return { value, rest: sql.slice(at + 1) };
    else value += sql[at];
  }
  throw new Error(`not closed: ${sql}`);
}

test.each([
  ['', "''"],
  ['a', "'a'"],
  ["it's", "'it\\'s'"],
  ['\\', "'\\\\'"],
  ["\\'; DROP TABLE t; --", "'\\\\\\'; DROP TABLE t; --'"],
  ['line\nbreak\0', "'line\nbreak\0'"],
])('%j becomes one literal', (value, sql) => {
  expect(literal(value)).toBe(sql);
});

test('5,000 random values end where their literal ends, and say what they said', () => {
  const random = seeded(4);
  const signs = ["'", '\\', '`', '"', ';', '\n', '\0', '-', 'a', 'n', '0', 'é', '😀'];
  for (let round = 0; round < 5000; round += 1) {
    const value = Array.from({ length: Math.floor(random() * 20) }, () => signs[Math.floor(random() * signs.length)] ?? '').join('');
    expect(readQuoted(literal(value), "'")).toEqual({ value, rest: '' });
    expect(readQuoted(identifier(value), '`')).toEqual({ value, rest: '' });
  }
});

test('settings and parameters become one SET, each value a literal', () => {
  expect(renderTerms(terms({ max_threads: '2', readonly: '1' }, { x: "a'b" }), known)).toBe(
    "SET max_threads = '2', readonly = '1', param_x = 'a\\'b'",
  );
});

test.each(['nosuch', '', 'max_threads = 1, readonly', "readonly'", 'MAX_THREADS', 'param_x', '__proto__', 'constructor'])(
  'the setting %j is refused, because the engine lists none of that name',
  (name) => {
    const settings = new Map([[name, '1']]);
    expect(() => renderTerms({ settings, parameters: new Map() }, known)).toThrow(expect.objectContaining({ exceptionCode: 115 }));
  },
);

test.each(['', '1x', 'x y', "x'", 'x = 1, y', 'x\n', 'é', 'x;'])('the parameter %j is refused, because it is no word', (name) => {
  const parameters = new Map([[name, '1']]);
  expect(() => renderTerms({ settings: new Map(), parameters }, known)).toThrow(expect.objectContaining({ exceptionCode: 455 }));
});
