import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadRules, type Alerts, type AlertsOptions } from '../../../alerts/alerts.ts';
import { openEmail } from '../../../alerts/channels/email.ts';
import { evaluate } from '../../../alerts/evaluate.ts';
import type { Rule } from '../../../sigma/document.ts';
import { openAlertStore } from '../../../storage/alerts.ts';
import { alertsOn, eventAt, eventRows } from '../../support/alerts.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { casesOf } from '../../support/rule-cases.ts';
import { startSmtp, type TestSmtp } from '../../support/smtp.ts';

let engine: TestEngine;
let database: TestDatabase;
let smtp: TestSmtp;
let rules: Rule[];
const t0 = Date.UTC(2026, 10, 24, 12);
let now = t0;
let storedTo = t0;
const running: Alerts[] = [];

beforeAll(async () => {
  engine = await startEngine();
  rules = await loadRules();
});
afterAll(() => engine?.stop());
beforeEach(async () => {
  [database, smtp] = await Promise.all([freshDatabase(engine), startSmtp()]);
  [now, storedTo] = [t0, t0];
  return async () => {
    for (const alerts of running.splice(0)) await alerts.stop();
    await database.close();
    await smtp.stop();
  };
});

async function store(count: number, from: number, stepMs: number, event: object): Promise<void> {
  await database.clickhouse.insertRows('events', eventRows(count, from, stepMs, event));
}

function alertsOf(holder: string, more: Partial<AlertsOptions> = {}): Alerts {
  const given = {
    rules,
    channels: [openEmail({ from: 'gatetrail@example.org', to: ['oncall@example.org'], smtpUrl: smtp.url, ca: smtp.ca })],
    watermark: { eventTime: async () => storedTo, newMinutes: async () => ({ minutes: [], mark: 'x' }) },
    clock: { now: () => now },
    ...more,
  };
  const alerts = alertsOn(database.clickhouse, given, holder);
  running.push(alerts);
  return alerts;
}

async function tickAt(alerts: Alerts, time: number): Promise<void> {
  [now, storedTo] = [time, time];
  await alerts.tick();
}

const burst = {
  client_address: '203.0.113.7',
  http_response_status_code: 401,
  http_route: '/login',
  user_agent_original: '<script>x</script>',
};

describe('a burst of refused calls', () => {
  test('leads to one mail, its end to one resolved mail in the same thread', async () => {
    await store(60, t0, 1_000, burst);
    const alerts = alertsOf('a');
    for (let time = t0; time <= t0 + 20 * 60_000; time += 60_000) await tickAt(alerts, time);
    expect(smtp.mails.map(({ subject }) => subject)).toEqual([
      expect.stringMatching(/^\[FIRING\] prod: Auth failures of 203\.0\.113\.7 - \d+ in 10m \(limit 20\)$/),
      expect.stringMatching(/^\[RESOLVED\] prod: Auth failures of 203\.0\.113\.7 - \d+ in 10m \(limit 20\)$/),
    ]);
    const [fired, resolved] = smtp.mails;
    expect(fired?.references).toBe(resolved?.references);
    expect(fired?.messageId).not.toBe(resolved?.messageId);
    expect(fired?.subject?.slice(8)).toBe(resolved?.subject?.slice(10));
    expect(fired?.text).toContain('/login');
    expect(fired?.text).not.toContain('  203.0.113.7  ');
    expect(fired?.text).toContain('  401  203.0.113.0/24  ');
    expect(fired?.text).toMatch(/\n\d+ requests so far/);
    expect(resolved?.text).toContain('\n60 requests so far');
    expect(fired?.html).not.toContain('<script>');
    expect(fired?.text).toContain('https://audit.example.org/evidence?t=');
  });

  test('is mailed once by two processes that run at once', async () => {
    await store(60, t0, 1_000, burst);
    const [one, two] = [alertsOf('a'), alertsOf('b')];
    for (let time = t0; time <= t0 + 3 * 60_000; time += 60_000) await Promise.all([tickAt(one, time), tickAt(two, time)]);
    expect(smtp.mails).toHaveLength(1);
  });

  test('is mailed when the server takes it again after 4xx, and shown as failed after 5xx', async () => {
    await store(60, t0, 1_000, burst);
    const alerts = alertsOf('a');
    smtp.answer = 451;
    await tickAt(alerts, t0 + 60_000);
    const outbox = async () => {
      const [alert] = await openAlertStore(database.clickhouse).list({ tenants: ['acme'], limit: 5 });
      return openAlertStore(database.clickhouse).notifications(['acme'], alert?.id ?? '');
    };
    expect(await outbox()).toMatchObject([{ status: 'RETRYING', attempts: 1 }]);
    smtp.answer = 550;
    await tickAt(alerts, t0 + 120_000);
    expect(await outbox()).toMatchObject([{ status: 'FAILED', attempts: 2, lastError: expect.stringContaining('550') }]);
  });
});

test('a burst that is stored hours late is mailed as such after a restart, and what was told before stays as it is', async () => {
  const [early, noon, lateHour, later] = [t0, t0 + 3_600_000, t0 + 2 * 3_600_000, t0 + 3 * 3_600_000];
  let minutes: number[] = [];
  const more = { watermark: { eventTime: async () => storedTo, newMinutes: async () => ({ minutes, mark: 'x' }) } };
  for (const from of [early, noon, later]) await store(30, from, 1_000, burst);
  const before = alertsOf('a', more);
  for (let time = early; time <= later + 3_600_000; time += 1_800_000) await tickAt(before, time);
  await before.stop();
  const findings = () =>
    database.clickhouse.rows<{ id: string; alert_id: string; late: number }>('SELECT id, alert_id, late FROM findings FINAL ORDER BY id');
  const [told, mails] = [await findings(), smtp.mails.length];
  await store(30, lateHour, 1_000, burst);
  minutes = [early, noon, lateHour];
  const after = alertsOf('a', more);
  await tickAt(after, later + 3_660_000);
  await tickAt(after, later + 3_720_000);
  expect(mails).toBe(6);
  expect(smtp.mails.slice(mails).map(({ subject }) => subject?.slice(0, 9))).toEqual(['[FIRING] ', '[RESOLVED']);
  expect(smtp.mails[mails]?.text).toContain('found in late data');
  expect(await findings()).toEqual(expect.arrayContaining(told));
});

test('a consumer over the limit of its plan leads to a mail; at its limit to none', async () => {
  await store(91, t0, 500, { consumer_name: 'small', client_address: '192.0.2.1' });
  await store(90, t0, 500, { consumer_name: 'other', client_address: '192.0.2.2' });
  const alerts = alertsOf('a');
  await tickAt(alerts, t0 + 120_000);
  expect(smtp.mails.map(({ subject }) => subject)).toEqual([
    '[FIRING] prod: Rate breach of consumer small - 91 in 1m (limit 90)'.replace('consumer ', ''),
  ]);
});

test('any cut of a range gives what one run gives', async () => {
  let seed = 7;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (let round = 0; round < 40; round += 1) {
    await store(10, t0 + Math.floor(random() * 1_200_000), Math.floor(random() * 3_000), {
      ...burst,
      http_response_status_code: random() < 0.8 ? 401 : 200,
      client_address: `203.0.113.${round % 3}`,
      consumer_name: ['small', 'other', 'third'][round % 3],
    });
  }
  for (const rule of rules) {
    // `other` has no plan, and the rule's own number is far above what it does.
    const limits = new Map([
      ['small', 5],
      ['third', 12],
    ]);
    const end = t0 + 1_300_000;
    const whole = await evaluate(database.clickhouse, rule, { from: t0, to: end }, limits);
    expect(new Set(whole.map(({ group }) => group)).size).toBeGreaterThan(1);
    expect(whole.length).toBeGreaterThan(20);
    for (let round = 0; round < 5; round += 1) {
      const parts = [];
      for (let from = t0; from < end;) {
        const to = Math.min(end, from + 5_000 * (1 + Math.floor(random() * 60)));
        parts.push(...(await evaluate(database.clickhouse, rule, { from, to }, limits)));
        from = to;
      }
      expect(parts).toEqual(whole);
    }
  }
});

test('the engine judges the cases of each rule as their documents say', async () => {
  let from = t0;
  for (const rule of rules) {
    for (const { name, calls, plans, findings } of casesOf(rule.document)) {
      // Apart by more than any window, so that no case sees another.
      from += 3 * 3_600_000;
      const rows = calls.map(({ at, status, ...call }) => eventAt(from + at, { ...call, http_response_status_code: status }));
      await database.clickhouse.insertRows('events', rows);
      const found = await evaluate(database.clickhouse, rule, { from, to: from + 2 * 3_600_000 }, plans);
      expect([name, found.length > 0]).toEqual([name, findings]);
    }
  }
});
