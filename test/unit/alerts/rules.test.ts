import { describe, expect, test } from 'vitest';
import { loadRules } from '../../../alerts/alerts.ts';
import { breachesAuthentication, breachesRate, casesOf } from '../../support/rule-cases.ts';

const judges: Readonly<Record<string, typeof breachesRate>> = {
  'Rate breach': breachesRate,
  'Auth failures': (calls) => breachesAuthentication(calls),
};

describe.each(await loadRules())('the rule $title', ({ title, document, count }) => {
  const cases = casesOf(document);

  test('brings three cases in which it finds something, and three in which not', () => {
    expect(cases.filter(({ findings }) => findings).length).toBeGreaterThanOrEqual(3);
    expect(cases.filter(({ findings }) => !findings).length).toBeGreaterThanOrEqual(3);
  });

  test.each(cases)('judges as it says: $name', ({ calls, plans, findings }) => {
    expect(judges[title]?.(calls, plans, count.value)).toBe(findings);
  });
});
