/** What is due at an instant: whole days at the longest span, rows of the classes that stay shorter. */
import { describe, expect, test } from 'vitest';
import { dueAt, keptFor, type RetentionPolicy } from '../../../storage/retention-policy.ts';

const dayMs = 86_400_000;
const at = Date.parse('2026-11-22T00:00:00Z');
/** Of names the small ones are tenants, `CHD` and `PII` data classes. */
const membersOf = (names: readonly string[]) => ({
  tenants: names.filter((name) => name === name.toLowerCase()),
  dataClasses: names.filter((name) => name !== name.toLowerCase()),
});
const policyOf = (days: number, ...classes: [string, number, ...string[]][]): RetentionPolicy => ({
  defaultMs: days * dayMs,
  classes: classes.map(([name, span, ...names]) => ({ name, ...membersOf(names), keepMs: span * dayMs })),
});
const daysBefore = (days: number) => at - days * dayMs;

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
      { name: 'trial', policy: 'trial P7D', of: membersOf(['demo', 'test']), except: [], before: daysBefore(7) },
      { name: 'month', policy: 'month P30D', of: membersOf(['shop']), except: [], before: daysBefore(30) },
    ]);
  });

  test('hold the default where a class stays longer: of everything that no class has', () => {
    expect(dueAt(policyOf(30, ['pci', 400, 'bank'], ['trial', 7, 'demo']), at).cuts).toEqual([
      { name: 'default', policy: 'default P30D', of: null, except: [membersOf(['bank']), membersOf(['demo'])], before: daysBefore(30) },
      { name: 'trial', policy: 'trial P7D', of: membersOf(['demo']), except: [], before: daysBefore(7) },
    ]);
  });

  test('leave what a class that stands before may have, and no other', () => {
    const { cuts } = dueAt(
      policyOf(400, ['bank', 30, 'bank', 'PII'], ['cards', 400, 'CHD'], ['people', 7, 'PII'], ['shop', 9, 'shop']),
      at,
    );
    expect(cuts).toEqual([
      { name: 'bank', policy: 'bank P30D', of: membersOf(['bank', 'PII']), except: [], before: daysBefore(30) },
      {
        name: 'people',
        policy: 'people P7D',
        of: membersOf(['PII']),
        except: [membersOf(['bank', 'PII']), membersOf(['CHD'])],
        before: daysBefore(7),
      },
      {
        name: 'shop',
        policy: 'shop P9D',
        of: membersOf(['shop']),
        except: [membersOf(['CHD']), membersOf(['PII'])],
        before: daysBefore(9),
      },
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

test('and the longest of the data classes that its events may have, up to the class that has all of the tenant', () => {
  const policy = policyOf(30, ['bank', 9, 'bank', 'PII'], ['cards', 400, 'CHD'], ['all of bank', 20, 'bank'], ['people', 500, 'PII']);
  expect(keptFor(policy, ['bank']) / dayMs).toBe(400);
  expect(keptFor(policy, ['shop']) / dayMs).toBe(500);
  expect(keptFor(policyOf(30, ['people', 7, 'PII']), ['shop']) / dayMs).toBe(30);
});
