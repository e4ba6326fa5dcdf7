import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadRules } from '../../../alerts/alerts.ts';
import { advance, readMemory, type Memory } from '../../../alerts/life-cycle.ts';
import { subjectOf } from '../../../alerts/render.ts';
import type { Rule } from '../../../sigma/document.ts';
import { eventFilter } from '../../../storage/alert-changes.ts';

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

test('a condition that comes and goes all day takes no more time and room than one that stays', () => {
  const buckets = Array.from({ length: 5_000 }, (_, at) => at * 15_000);
  const judgedTo = buckets.length * 15_000;
  const { memory, transitions } = advance({ ...rule, forMs: minute }, {}, buckets.map(breach), { judgedFrom: 0, judgedTo });
  expect(transitions).toHaveLength(10_000);
  expect(Object.values(memory).map((alerts) => alerts.length)).toEqual([201]); // the newest 200 that are over, and the last one, which lapsed at the end
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

/** Ticks with a restart before each: the buckets that are judged in it, up to where, and what had come of it in all. */
function judge(over: Partial<Rule>, ticks: readonly (readonly [buckets: readonly number[], judgedTo: number])[]) {
  let saved = '{}';
  let judgedFrom = 0;
  const alertOf: Record<number, string> = {};
  const firedAlerts = new Set<string>();
  const results = ticks.map(([buckets, judgedTo]) => {
    const given = { ...rule, ...over };
    const step = advance(given, readMemory(given, saved), buckets.map(breach), { judgedFrom, judgedTo });
    [saved, judgedFrom] = [JSON.stringify(step.memory), judgedTo];
    for (const { bucket, alertId } of step.findings) alertOf[bucket] = alertId;
    for (const { kind, alert } of step.transitions) if (kind === 'FIRED') firedAlerts.add(alert.id);
    return { ...step, told: step.transitions.map(({ kind, at }) => `${kind}@${at / 1_000}`) };
  });
  return { results, alertOf, firedAlerts };
}
const stepsOf = (from: number, to: number) => Array.from({ length: (to - from) / 5_000 + 1 }, (_, index) => from + index * 5_000);

describe('late data', () => {
  test.each([
    ['has ended', 11 * 60 * minute],
    ['still fires', 10 * 60 * minute + 5_000],
  ])('fires and ends for a breach hours before the last alert of its group, which %s', (_, judgedTo) => {
    const ten = 10 * 60 * minute;
    const { results, alertOf } = judge({}, [
      [[ten], judgedTo],
      [[ten / 2], judgedTo + 5_000],
    ]);
    expect(results[1]?.told).toEqual(['FIRED@18005', 'RESOLVED@18605']);
    expect(results[1]?.transitions[0]).toMatchObject({
      reason: 'late data showed the condition',
      alert: { late: true, startedAt: ten / 2 },
    });
    expect(results[1]?.findings).toMatchObject([{ late: true }]);
    expect(alertOf[ten]).not.toBe(alertOf[ten / 2]);
  });

  test('that shows that the condition began a little earlier belongs to the alert that was told', () => {
    const { results, alertOf } = judge({}, [
      [[20 * minute], 21 * minute],
      [[15 * minute], 22 * minute],
      [[15 * minute, 20 * minute], 23 * minute],
    ]);
    expect(results.flatMap(({ told }) => told)).toEqual(['FIRED@1205']);
    expect(alertOf[15 * minute]).toBe(alertOf[20 * minute]);
    expect(results[2]?.findings).toMatchObject([{ late: true }, { late: false }]);
  });

  test('does not bring back what has ended: what comes next fires', () => {
    const { results } = judge({}, [
      [[0], 11 * minute],
      [[10 * minute], 12 * minute],
      [[19 * minute], 20 * minute],
    ]);
    expect(results.map(({ told }) => told)).toEqual([['FIRED@5', 'RESOLVED@605'], [], ['FIRED@1145']]);
  });

  test('that joins two runs which lapsed fires once they are long enough together', () => {
    const [first, second] = [stepsOf(0, 30_000), stepsOf(40_000, 70_000)];
    const { results } = judge({ forMs: minute }, [
      [[...first, ...second], 2 * minute],
      [[...first, 35_000, ...second], 3 * minute],
      [[...first, 35_000, ...second], 20 * minute],
    ]);
    expect(results.map(({ told }) => told)).toEqual([['OPENED@0', 'LAPSED@40', 'OPENED@40', 'LAPSED@80'], ['FIRED@65'], ['RESOLVED@675']]);
    expect(results[1]?.transitions[0]?.alert.late).toBe(true);
  });
});

test.each([
  ['that fired at once', 0, ['FIRED@5', 'RESOLVED@615', 'FIRED@1805', 'RESOLVED@2405']],
  ['that lapsed', minute, ['OPENED@0', 'LAPSED@20', 'OPENED@1800', 'LAPSED@1810']],
])('steps of several alerts %s are judged again, and nothing changes', (_, forMs, told) => {
  const buckets = [0, 5_000, 10_000, 30 * minute];
  const { results } = judge({ forMs }, [
    [buckets, 60 * minute],
    [buckets, 61 * minute],
    // A dirty minute may begin in the middle of a run.
    [buckets.slice(1), 62 * minute],
  ]);
  expect(results.map((each) => each.told)).toEqual([told, [], []]);
  expect(results[1]?.findings).toEqual(results[0]?.findings);
  expect(results[2]?.findings).toEqual(results[0]?.findings.slice(1));
});

test('a group that was saved as one alert is judged as it stood', () => {
  const [memory] = [advance(rule, {}, [breach(0)], { judgedFrom: 0, judgedTo: 5_000 }).memory];
  const saved = Object.entries(memory).map(([key, [known]]) => [key, { alert: known?.alert, state: known?.state, lastBreach: 0 }]);
  expect(readMemory(rule, JSON.stringify(Object.fromEntries(saved)))).toEqual(memory);
});

test('data may come in any order: what fires is what would have fired had all come in time', () => {
  const keepFiringForMs = 20_000;
  const breaches = fc.uniqueArray(fc.record({ step: fc.nat(99), tick: fc.nat(9) }), { selector: ({ step }) => step, maxLength: 60 });
  fc.assert(
    fc.property(breaches, fc.constantFrom(0, 15_000), (given, forMs) => {
      // Each of ten ticks judges all again that has come, and ten steps more.
      const came = (tick: number) =>
        given.filter((each) => each.tick <= tick && each.step < (tick + 1) * 10).map(({ step }) => step * 5_000);
      const ticks = stepsOf(0, 45_000).map((at) => [came(at / 5_000), (at + 5_000) * 10] as const);
      const last = [given.map(({ step }) => step * 5_000), 60 * minute] as const;
      const { results, alertOf, firedAlerts } = judge({ keepFiringForMs, forMs }, [...ticks, last, last]);
      const whole = judge({ keepFiringForMs, forMs }, [last]);
      const firings = whole.results.flatMap(({ transitions }) => transitions).filter(({ kind }) => kind === 'FIRED');
      const heldSince = new Map(firings.map(({ alert, at }) => [alert.id, at - 5_000]));
      for (const bucket of last[0]) {
        // What stood before `for` was over stays with the alert that lapsed, where it did.
        const mustFire = bucket >= (heldSince.get(whole.alertOf[bucket] ?? '') ?? Infinity);
        if (mustFire) expect(firedAlerts.has(alertOf[bucket] ?? '')).toBe(true);
      }
      if (firings.length === 0) expect(firedAlerts.size).toBe(0);
      expect(results.at(-1)?.told).toEqual([]);
      expect(results.at(-1)?.findings).toEqual(results.at(-2)?.findings);
      for (const alerts of Object.values(results.at(-1)?.memory ?? {})) {
        expect(alerts.every(({ state }) => state === 'RESOLVED' || state === 'INACTIVE')).toBe(true);
      }
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ['status', [{ column: 'http_response_status_code', values: ['404', '410'] }], { status: { in: [404, 410] } }],
  ['method', [{ column: 'http_request_method', values: ['DELETE'] }], { method: { in: ['DELETE'] } }],
  ['any method', [{ column: 'http_request_method', values: ['*'] }], {}],
  [
    'both',
    [
      { column: 'http_response_status_code', values: ['404'] },
      { column: 'http_request_method', values: ['GET', 'HEAD'] },
    ],
    { status: { in: [404] }, method: { in: ['GET', 'HEAD'] } },
  ],
] as const)('an alert shows the events that its rule counts: by %s', (_, selections, counted) => {
  const alertBy = (groupBy: Rule['groupBy']) =>
    advance({ ...rule, selections, groupBy }, {}, [breach(0)], { judgedFrom: 0, judgedTo: 5_000 }).transitions.map(({ alert }) => alert);
  expect(alertBy('client_address').map(eventFilter)).toEqual([{ clientAddress: { in: ['203.0.113.7'] }, ...counted }]);
  expect(alertBy('consumer_name').map(eventFilter)).toEqual([{ consumer: { in: ['203.0.113.7'] }, ...counted }]);
});

test('an alert that is stored without what its rule counts shows refused requests of an address, or all of a consumer', () => {
  expect(eventFilter({ subject: { name: 'clientAddress', value: 'a' } })).toEqual({
    clientAddress: { in: ['a'] },
    status: { in: [401, 403] },
  });
  expect(eventFilter({ subject: { name: 'consumer', value: 'c' } })).toEqual({ consumer: { in: ['c'] } });
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
