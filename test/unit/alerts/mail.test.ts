import PostalMime, { type Email } from 'postal-mime';
import { expect, test } from 'vitest';
import { loadRules } from '../../../alerts/alerts.ts';
import { openEmail } from '../../../alerts/channels/email.ts';
import type { Evidence } from '../../../alerts/evidence.ts';
import { renderMail, type MailInput } from '../../../alerts/render.ts';
import type { AlertView } from '../../../storage/alerts.ts';

const rules = await loadRules();
const ratio = rules.find(({ type }) => type === 'ratio');
if (!ratio) throw new Error('the pack has a ratio');
const at = Date.UTC(2026, 10, 24, 14, 31, 5);

function view(value: string, more: Partial<AlertView> = {}): AlertView {
  return {
    id: 'a'.repeat(32),
    fingerprint: 'f'.repeat(32),
    tenant: 'acme',
    ruleId: 'r',
    ruleVersion: 'v',
    severity: 'HIGH',
    title: 'Auth failures',
    summary: '',
    subject: { name: 'clientAddress', value },
    startedAt: at,
    measure: 'auth failures in 10m',
    value: 412,
    threshold: 20,
    eventsFrom: at,
    late: false,
    state: 'FIRING',
    firedAt: at,
    resolvedAt: null,
    lastSeenAt: at + 65_000,
    acknowledgedBy: '',
    acknowledgedAt: null,
    ...more,
  };
}
const sample = { at: '14:31:05', method: 'POST', route: '/v1/login', status: 401, network: '203.0.113.0/24', agent: 'curl' };
const evidence: Evidence = {
  requests: 527,
  gateways: 'edge-1',
  samples: [sample, sample, sample, sample, { ...sample, agent: '' }],
  contributors: [{ name: 'POST /v1/login', requests: 400 }],
};

/** As a mail program reads it. */
async function mailOf(alerts: MailInput['alerts'], more: Partial<MailInput> = {}): Promise<Email> {
  let raw = Buffer.alloc(0);
  const deliver = async (bytes: Buffer) => void (raw = Buffer.from(bytes));
  const email = openEmail({ from: 'gatetrail@example.org', to: ['oncall@example.org'], deliver });
  const given = { kind: 'FIRING', rule: ratio, alerts, rowId: '1'.repeat(64), recipient: 'oncall@example.org' } as const;
  expect(await email.send(renderMail({ ...given, prefix: 'prod', domain: 'audit.example.org', ...more } as MailInput))).toEqual({
    outcome: 'sent',
  });
  return PostalMime.parse(raw);
}
const link = 'https://audit.example.org/evidence?t=abc';
const one = (value = '203.0.113.7', more: Partial<AlertView> = {}) => [{ facts: view(value, more), evidence, link }];

test('both parts say state, what, where, since when, how much, who and what to do', async () => {
  const { text = '', html = '', subject } = await mailOf(one());
  expect(subject).toBe('[FIRING] prod: Auth failures of 203.0.113.7 - 412 in 10m (limit 20)');
  expect(text.startsWith('HIGH FIRING\n')).toBe(true);
  for (const part of [text, html.replaceAll(/<[^>]+>/g, '')]) {
    for (const words of [
      'Auth failures of 203.0.113.7',
      'Since 2026-11-24 14:31:05 UTC',
      'Tenant acme, gateway edge-1',
      '412 auth failures in 10m, limit 20',
      '527 requests so far, over the limit until 2026-11-24 14:32:15 UTC',
      'POST /v1/login',
      '203.0.113.0/24',
      '400 requests',
      'What to do next',
      'Known harmless causes: A client whose key',
      'Owner: security, written by Gatetrail',
      'owasp.api2',
    ]) {
      expect(part).toContain(words);
    }
    expect(part.match(/14:31:05\s+(POST)/g) ?? part.match(/14:31:05POST/g)).toHaveLength(5);
  }
  expect(text).toContain(`The requests behind it: ${link}`);
  expect(html).toContain(`href="${link}"`);
  expect(html).not.toMatch(/<img|<script|<link|url\(/);
});

test('firing, its repeat and its end are one thread with one tail, each a mail of its own', async () => {
  const mails = [
    await mailOf(one()),
    await mailOf(one(), { kind: 'REPEAT', rowId: '2'.repeat(64) }),
    await mailOf(one('203.0.113.7', { resolvedAt: at + 700_000 }), { kind: 'RESOLVED', rowId: '3'.repeat(64) }),
  ];
  expect(new Set(mails.map(({ references }) => references))).toEqual(new Set([`<${'f'.repeat(32)}.2026-11-24@audit.example.org>`]));
  expect(new Set(mails.map(({ inReplyTo }) => inReplyTo)).size).toBe(1);
  expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(3);
  expect(new Set(mails.map(({ subject }) => subject?.replace(/^\[\w+\]/, ''))).size).toBe(1);
  expect(mails.map(({ text }) => text?.split('\n')[0])).toEqual(['HIGH FIRING', 'HIGH FIRING', 'HIGH RESOLVED']);
  expect(mails[1]?.text).toContain('every four hours until somebody acknowledges');
  expect(mails[2]?.text).toContain('ended 2026-11-24 14:42:45 UTC');
});

test('no name, route or agent of a stranger makes a header, a line or markup', async () => {
  const nasty = 'x\r\nBcc: thief@example.net\r\n\r\n<script>alert(1)</script>\u2028\u202E\u0000${jndi:ldap://a}"><img src=x>';
  const samples = [{ ...sample, route: nasty, method: nasty, agent: nasty, network: nasty }];
  const contributors = [{ name: nasty, requests: 1 }];
  const facts = view(nasty, { tenant: nasty });
  const mail = await mailOf([{ facts, evidence: { ...evidence, gateways: nasty, samples, contributors }, link }]);
  expect(mail.to).toMatchObject([{ address: 'oncall@example.org' }]);
  expect(mail.bcc).toBeUndefined();
  expect(mail.headers.map(({ key }) => key)).not.toContain('bcc');
  expect(mail.subject?.length).toBeLessThanOrEqual(78);
  expect(mail.subject).not.toMatch(/[\p{Cc}\u2028\u202E]/u);
  expect(mail.text).not.toMatch(/^Bcc|[\u2028\u202E]|(?!\n)\p{Cc}/mu);
  expect(mail.html).not.toMatch(/<script|<img|\u202E|(?!\n)\p{Cc}/u);
  expect(mail.html).toContain('&lt;script&gt;');
  expect(mail.attachments).toEqual([]);
});

test('a mail about several alerts shows each, and says so in its subject', async () => {
  const mail = await mailOf([...one(), ...one('203.0.113.8'), ...one('203.0.113.9')]);
  expect(mail.subject).toContain('203.0.113.7 +2 - 412 in 10m');
  for (const part of [mail.text, mail.html]) {
    for (const address of ['203.0.113.7', '203.0.113.8', '203.0.113.9']) expect(part).toContain(`Auth failures of ${address}`);
  }
});
