import { describe, expect, test } from 'vitest';
import { loadRules } from '../../../alerts/alerts.ts';
import { advance, type Memory } from '../../../alerts/life-cycle.ts';
import { subjectOf } from '../../../alerts/render.ts';
import type { Rule } from '../../../sigma/document.ts';

const [rule] = (await loadRules()).filter(({ type }) => type === 'ratio') as [Rule]; // the pack has one
const minute = 60_000;
const breach = (bucket: number) => ({ tenant: 'acme', group: '203.0.113.7', bucket, firstEvent: bucket, value: 25, threshold: 20 });
function kindsOf(over: Partial<Rule>, buckets: number[], ticks: number[]): string[] {
  let memory: Memory = {};
  let judgedFrom = 0;
  return ticks.flatMap((judgedTo) => {
    const step = advance({ ...rule, ...over }, memory, buckets.filter((at) => at >= judgedFrom && at < judgedTo).map(breach), {
      judgedFrom,
      judgedTo,
    });
    memory = step.memory;
    judgedFrom = judgedTo;
    return step.transitions.map(({ kind, at }) => `${kind}@${at / 1000}`);
  });
}

describe('an alert', () => {
  test.each([
    ['fires at once without `for`', {}, [0], [minute], ['FIRED@5']],
    ['does not end before data is judged far enough', {}, [0], [9 * minute], ['FIRED@5']],
    ['ends when the condition stayed away', {}, [0], [11 * minute], ['FIRED@5', 'RESOLVED@605']],
    ['goes on while the condition comes back in time', {}, [0, 9 * minute], [11 * minute], ['FIRED@5']],
    ['fires anew after it has ended', {}, [0, 30 * minute], [31 * minute], ['FIRED@5', 'RESOLVED@605', 'FIRED@1805']],
    ['lapses when it did not hold for `for`', { forMs: minute }, [0], [2 * minute], ['OPENED@0', 'LAPSED@10']],
    [
      'lapses when it ends just as `for` is over, and what comes later begins anew',
      { forMs: minute },
      [...Array.from({ length: 12 }, (_, index) => index * 5_000), 10 * minute],
      [11 * minute],
      ['OPENED@0', 'LAPSED@65', 'OPENED@600', 'LAPSED@610'],
    ],
    ['fires once it held for `for`', { forMs: 10_000 }, [0, 5_000, 10_000], [minute], ['OPENED@0', 'FIRED@15']],
  ] as const)('%s', (_, over, buckets, ticks, expected) => {
    expect(kindsOf(over, [...buckets], [...ticks])).toEqual(expected);
    const cut = Array.from({ length: (ticks[0] ?? 0) / 5_000 }, (_each, index) => (index + 1) * 5_000);
    expect(kindsOf(over, [...buckets], cut)).toEqual(expected);
  });
});

test('a step judged again changes nothing; late data that shows a new one fires, and says so', () => {
  const first = advance(rule, {}, [breach(60_000)], { judgedFrom: 0, judgedTo: 120_000 });
  const again = advance(rule, first.memory, [breach(60_000)], { judgedFrom: 120_000, judgedTo: 180_000 });
  expect(again.transitions).toEqual([]);
  expect(again.findings).toEqual(first.findings);
  const late = advance(rule, {}, [breach(60_000)], { judgedFrom: 120_000, judgedTo: 180_000 });
  expect(late.transitions).toMatchObject([{ kind: 'FIRED', alert: { late: true } }]);
  expect(late.findings).toMatchObject([{ late: true }]);
});

test('a subject takes no line, no direction mark, and at most 78 characters', () => {
  const facts = advance(rule, {}, [{ ...breach(0), group: `evil\r\nBcc: x@y\u202E${'a'.repeat(200)}` }], { judgedFrom: 0, judgedTo: 5_000 })
    .transitions[0]?.alert;
  if (!facts) throw new Error('it fires');
  const [firing, resolved] = [subjectOf('FIRING', 'prod', facts, { span: '10m' }), subjectOf('RESOLVED', 'prod', facts, { span: '10m' })];
  expect(firing).not.toMatch(/[\r\n\u202E]/);
  expect(resolved.length).toBeLessThanOrEqual(78);
  expect(firing.slice('[FIRING]'.length)).toBe(resolved.slice('[RESOLVED]'.length));
});
