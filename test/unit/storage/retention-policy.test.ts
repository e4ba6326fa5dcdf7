/** What is due at an instant: whole days at the longest span, rows of the classes that stay shorter. */
import { describe, expect, test } from 'vitest';
import { dueAt, keptFor, type RetentionPolicy } from '../../../storage/retention-policy.ts';

const dayMs = 86_400_000;
const at = Date.parse('2026-11-22T00:00:00Z');
const policyOf = (days: number, ...classes: [string, number, ...string[]][]): RetentionPolicy => ({
  defaultMs: days * dayMs,
  classes: classes.map(([name, span, ...tenants]) => ({ name, tenants, keepMs: span * dayMs })),
});

describe('the floor', () => {
  test('is the start of the day (UTC) that became too old, and moves at midnight alone', () => {
    expect(dueAt(policyOf(30), at + 30 * dayMs).floor).toBe(at);
    expect(dueAt(policyOf(30), at + 31 * dayMs - 1).floor).toBe(at);
    expect(dueAt(policyOf(30), at + 31 * dayMs).floor).toBe(at + dayMs);
  });

  test('follows the longest of all classes, the default among them', () => {
    expect(dueAt(policyOf(30, ['pci', 400, 'bank']), at + 400 * dayMs)).toMatchObject({ floor: at, policy: 'pci P400D' });
    expect(dueAt(policyOf(400, ['trial', 7, 'demo']), at + 400 * dayMs)).toMatchObject({ floor: at, policy: 'default P400D' });
  });

  test('is nowhere while something is kept for ever', () => {
    expect(dueAt(policyOf(Infinity, ['trial', 7, 'demo']), at).floor).toBe(0);
  });
});

describe('cuts', () => {
  test('are the classes that stay shorter than the longest, each up to its own day', () => {
    const { cuts } = dueAt(policyOf(400, ['trial', 7, 'demo', 'test'], ['month', 30, 'shop'], ['same', 400, 'bank']), at);
    expect(cuts).toEqual([
      { name: 'trial', policy: 'trial P7D', tenants: ['demo', 'test'], isDefault: false, before: at - 7 * dayMs },
      { name: 'month', policy: 'month P30D', tenants: ['shop'], isDefault: false, before: at - 30 * dayMs },
    ]);
  });

  test('hold the default where a class stays longer: of all tenants but those that a class names', () => {
    expect(dueAt(policyOf(30, ['pci', 400, 'bank'], ['trial', 7, 'demo']), at).cuts).toEqual([
      { name: 'default', policy: 'default P30D', tenants: ['bank', 'demo'], isDefault: true, before: at - 30 * dayMs },
      { name: 'trial', policy: 'trial P7D', tenants: ['demo'], isDefault: false, before: at - 7 * dayMs },
    ]);
  });

  test('are none where there is one span', () => {
    expect(dueAt(policyOf(30), at).cuts).toEqual([]);
    expect(dueAt(policyOf(Infinity), at).cuts).toEqual([]);
  });
});

test('a caller is told the longest span of the tenants that it sees', () => {
  const policy = policyOf(30, ['pci', 400, 'bank'], ['trial', 7, 'demo']);
  expect([['*'], ['bank'], ['demo'], ['shop'], ['demo', 'shop']].map((tenants) => keptFor(policy, tenants) / dayMs)).toEqual([
    400, 400, 7, 30, 30,
  ]);
  expect(keptFor(policyOf(Infinity), ['shop'])).toBe(Infinity);
});
