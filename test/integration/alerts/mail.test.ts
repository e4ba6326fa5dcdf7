import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadRules, type Alerts, type AlertsOptions } from '../../../alerts/alerts.ts';
import { openEmail } from '../../../alerts/channels/email.ts';
import type { OutboxRow } from '../../../schemas/alert.ts';
import type { Rule } from '../../../sigma/document.ts';
import { acknowledgeAlert } from '../../../storage/alert-changes.ts';
import { openAlertStore } from '../../../storage/alerts.ts';
import { alertsOn, eventRows } from '../../support/alerts.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { startSmtp, type TestSmtp } from '../../support/smtp.ts';

let engine: TestEngine;
let database: TestDatabase;
let smtp: TestSmtp;
let rules: Rule[];
let now: number;
const running: Alerts[] = [];
const t0 = Date.UTC(2026, 10, 24, 12);
const minute = 60_000;
const hour = 60 * minute;

beforeAll(async () => {
  [engine, rules] = await Promise.all([startEngine(), loadRules()]);
});
afterAll(() => engine?.stop());
beforeEach(async () => {
  now = t0;
  [database, smtp] = await Promise.all([freshDatabase(engine), startSmtp()]);
  return async () => {
    for (const alerts of running.splice(0)) await alerts.stop();
    await Promise.all([database.close(), smtp.stop()]);
  };
});

function alertsTo(to: readonly string[], more: Partial<AlertsOptions> = {}): Alerts {
  const alerts = alertsOn(database.clickhouse, {
    rules,
    channels: [openEmail({ from: 'gatetrail@example.org', to, smtpUrl: smtp.url, ca: smtp.ca })],
    watermark: { eventTime: async () => now, newMinutes: async () => ({ minutes: [], mark: 'x' }) },
    clock: { now: () => now },
    ...more,
  });
  running.push(alerts);
  return alerts;
}

const refused = (address = '203.0.113.7') => ({ client_address: address, http_response_status_code: 401 });
const store = (count: number, from: number, stepMs: number, event: object) =>
  database.clickhouse.insertRows('events', eventRows(count, from, stepMs, event));

async function tickAt(alerts: Alerts, time: number): Promise<void> {
  now = time;
  await alerts.tick();
}

async function outbox(): Promise<OutboxRow[]> {
  const alertStore = openAlertStore(database.clickhouse);
  const found = await alertStore.list({ tenants: ['acme'], limit: 20 });
  return (await Promise.all(found.map(({ id }) => alertStore.notifications(['acme'], id)))).flat();
}
const states = () => smtp.mails.map(({ subject }) => /^\[(\w+)\]/.exec(subject ?? '')?.[1]);

describe('a mail', () => {
  test('is kept while the server is down, and sent once when it is back', async () => {
    await store(60, t0, 1_000, refused());
    const alerts = alertsTo(['oncall@example.org']);
    await smtp.setUp(false);
    await tickAt(alerts, t0 + minute);
    expect(await outbox()).toMatchObject([{ status: 'RETRYING', attempts: 1, dueAt: t0 + minute + 5_000 }]);
    await smtp.setUp(true);
    await tickAt(alerts, t0 + minute + 4_000);
    expect(smtp.mails).toHaveLength(0);
    for (const seconds of [5, 10, 60]) await tickAt(alerts, t0 + minute + seconds * 1_000);
    expect(states()).toEqual(['FIRING']);
    expect(await outbox()).toMatchObject([{ status: 'SENT', attempts: 2, lastError: '' }]);
  });

  test('whose connection is cut after DATA is tried again under the same Message-ID', async () => {
    await store(60, t0, 1_000, refused());
    const alerts = alertsTo(['oncall@example.org']);
    smtp.afterData = 'drop';
    await tickAt(alerts, t0 + minute);
    const [before] = await outbox();
    expect(before).toMatchObject({ status: 'RETRYING', attempts: 1 });
    smtp.afterData = 'answer';
    await tickAt(alerts, t0 + 2 * minute);
    expect(smtp.mails.map(({ messageId }) => messageId)).toEqual([before?.messageId]);
  });

  test('that one recipient cannot take reaches the others, and that one later or never', async () => {
    await store(60, t0, 1_000, refused());
    const alerts = alertsTo(['later@example.org', 'never@example.org', 'now@example.org']);
    smtp.refused.set('later@example.org', 451).set('never@example.org', 550);
    await tickAt(alerts, t0 + minute);
    const statusOf = async () => Object.fromEntries((await outbox()).map(({ recipient, status }) => [recipient.split('@')[0], status]));
    expect(await statusOf()).toEqual({ later: 'RETRYING', never: 'FAILED', now: 'SENT' });
    smtp.refused.clear();
    await tickAt(alerts, t0 + 2 * minute);
    expect(await statusOf()).toEqual({ later: 'SENT', never: 'FAILED', now: 'SENT' });
    expect(smtp.mails.map(({ to }) => to?.[0]?.address)).toEqual(['now@example.org', 'later@example.org']);
  });

  test('is not sent to a server that offers no TLS', async () => {
    await smtp.stop();
    smtp = await startSmtp({ tls: false });
    await store(60, t0, 1_000, refused());
    await tickAt(alertsTo(['oncall@example.org']), t0 + minute);
    expect(smtp.mails).toEqual([]);
    expect(await outbox()).toMatchObject([{ status: 'RETRYING', lastError: expect.stringMatching(/TLS/i) }]);
  });

  test('comes again every four hours until somebody takes the alert; its end comes all the same', async () => {
    await store(9 * 360, t0, 10_000, refused());
    const alerts = alertsTo(['oncall@example.org']);
    const from = t0 + 5 * minute;
    for (let time = from; time <= from + 4 * hour; time += hour / 2) await tickAt(alerts, time);
    expect(states()).toEqual(['FIRING', 'FIRING']);
    expect(smtp.mails[1]?.text).toContain('Still firing');
    const alertStore = openAlertStore(database.clickhouse);
    const queuedAt = await alertStore.lastQueued();
    await tickAt(alerts, now + minute);
    expect(await alertStore.lastQueued()).toEqual(queuedAt);
    const [alert] = await alertStore.list({ tenants: ['acme'], limit: 1 });
    await acknowledgeAlert(alertStore, alert?.id ?? '', { tenants: ['acme'], actor: 'ann', note: 'mine', at: now });
    for (let time = now; time <= from + 10 * hour; time += hour / 2) await tickAt(alerts, time);
    await alerts.tick();
    expect(states()).toEqual(['FIRING', 'FIRING', 'RESOLVED']);
    expect(new Set(smtp.mails.map(({ references }) => references)).size).toBe(1);
  });

  test('that is the first of an alert comes alone, however late it is: repeats count from when it was sent', async () => {
    await store(9 * 360, t0, 10_000, refused());
    // What happened at noon is judged five hours later, and then the mail server is away for six.
    const watermark = { eventTime: async () => t0 + hour, newMinutes: async () => ({ minutes: [], mark: 'x' }) };
    const alerts = alertsTo(['oncall@example.org'], { watermark });
    await smtp.setUp(false);
    await tickAt(alerts, t0 + 5 * hour);
    await tickAt(alerts, t0 + 10 * hour);
    await smtp.setUp(true);
    await tickAt(alerts, t0 + 11 * hour);
    expect(states()).toEqual(['FIRING']);
    await tickAt(alerts, t0 + 15 * hour - 1);
    expect(states()).toEqual(['FIRING']);
    await tickAt(alerts, t0 + 15 * hour);
    expect(smtp.mails[1]?.text).toContain('Still firing');
  });

  test('speaks of all alerts of a rule that come together; later ones wait for company', async () => {
    for (const last of [1, 2, 3]) await store(60, t0, 1_000, refused(`203.0.113.${last}`));
    for (const last of [4, 5]) await store(60, t0 + 2 * minute + last * 1_000, 1_000, refused(`203.0.113.${last}`));
    const alerts = alertsTo(['oncall@example.org'], { groupWaitMs: 30_000 });
    await tickAt(alerts, t0 + minute);
    expect(smtp.mails.map(({ subject }) => subject)).toEqual([expect.stringContaining(' +2 - ')]);
    expect((await outbox()).map(({ status }) => status).toSorted()).toEqual(['GROUPED', 'GROUPED', 'SENT']);
    await tickAt(alerts, t0 + 3 * minute);
    await tickAt(alerts, t0 + 3 * minute + 29_000);
    expect(smtp.mails).toHaveLength(1);
    await tickAt(alerts, t0 + 3 * minute + 30_000);
    expect(smtp.mails).toHaveLength(2);
    for (const last of [4, 5]) expect(smtp.mails[1]?.text).toContain(`Auth failures of 203.0.113.${last}`);
    expect((await outbox()).map(({ status }) => status).toSorted()).toEqual(['GROUPED', 'GROUPED', 'GROUPED', 'SENT', 'SENT']);
  });
});

test('a rule that fails says so and stands still, while the others go on; mended, it misses nothing', async () => {
  const [good] = rules.filter(({ type }) => type === 'ratio');
  if (!good) throw new Error('the pack has a ratio');
  const broken = { ...good, id: 'broken', selections: [{ column: 'http_response_status_code', values: ['no_such_column'] }] } as const;
  await store(60, t0, 1_000, refused());
  const alerts = alertsTo(['oncall@example.org'], { rules: [broken, good] });
  await tickAt(alerts, t0 + minute);
  await tickAt(alerts, t0 + 10 * minute);
  const alertStore = openAlertStore(database.clickhouse);
  const cursors = async () => Object.fromEntries((await alertStore.cursors()).map((cursor) => [cursor.ruleId, cursor]));
  const before = await cursors();
  expect(before['broken']).toMatchObject({ state: 'FAILING', evaluatedTo: t0 + minute - hour });
  expect(before['broken']?.detail).toContain('no_such_column');
  expect(before[good.id]).toMatchObject({ state: 'OK', evaluatedTo: t0 + 10 * minute - 5_000 });
  expect(smtp.mails).toHaveLength(1);
  const mended = alertsTo(['oncall@example.org'], { rules: [{ ...good, id: 'broken' }, good] });
  for (let round = 0; round < 3; round += 1) await mended.tick();
  expect((await cursors())['broken']).toMatchObject({ state: 'OK', detail: '', evaluatedTo: t0 + 10 * minute - 5_000 });
  expect(smtp.mails).toHaveLength(2);
});

test('it stops within two seconds though the mail server hangs, and another may begin at once', async () => {
  await store(60, t0, 1_000, refused());
  now = t0 + minute;
  smtp.afterData = 'hang';
  const first = alertsTo(['oncall@example.org'], { wakeSeconds: 2 });
  first.start();
  const deadline = Date.now() + 20_000;
  // The row names its mail just before it is sent.
  while (!(await outbox())[0]?.messageId && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  const began = performance.now();
  await first.stop();
  expect(performance.now() - began).toBeLessThan(2_000);
  smtp.afterData = 'answer';
  const second = alertsOn(
    database.clickhouse,
    {
      rules,
      channels: [openEmail({ from: 'gatetrail@example.org', to: ['oncall@example.org'], smtpUrl: smtp.url, ca: smtp.ca })],
      watermark: { eventTime: async () => now, newMinutes: async () => ({ minutes: [], mark: 'x' }) },
      clock: { now: () => now },
    },
    'second',
  );
  running.push(second);
  await tickAt(second, now + minute);
  expect(states()).toEqual(['FIRING']);
});
