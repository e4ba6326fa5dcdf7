/** A mail server that is away or refuses us: everything else works, readiness says why no mail goes, and the mail comes when it can. Embedded. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGatetrail, until, type Running } from '../../support/gatetrail.ts';
import { startSmtp, type TestSmtp } from '../../support/smtp.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-mail-'));
const password = 'the right one';
let smtp: TestSmtp;
let service: Running;

beforeAll(async () => {
  smtp = await startSmtp();
  smtp.password = password;
  await smtp.setUp(false);
  const certificate = join(folder, 'ca.pem');
  writeFileSync(certificate, smtp.ca);
  service = await startGatetrail(['start'], {
    dataDir: join(folder, 'data'),
    env: {
      NODE_EXTRA_CA_CERTS: certificate,
      GATETRAIL_SMTP_URL: smtp.url.replace('//', `//gatetrail:${encodeURIComponent(password)}@`),
      GATETRAIL_MAIL_FROM: 'gatetrail@example.test',
      GATETRAIL_MAIL_TO: 'oncall@example.test',
      GATETRAIL_ALERTS_LATENESS: '2s',
      GATETRAIL_ALERTS_GROUP_WAIT: '1s',
    },
  });
}, 120_000);
afterAll(async () => {
  await service?.stop();
  await smtp?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function reasons(): Promise<string[]> {
  const response = await fetch(`${service.ready.url}/readyz`);
  return ((await response.json()) as { reasons: string[] }).reasons;
}
const says = (pattern: RegExp) => until(reasons, (all) => all.some((reason) => pattern.test(reason)), 40_000);
const isReady = () => until(reasons, (all) => all.length === 0, 40_000);

/** Refused calls of one address, and calm after them up to now, so that their window is over. */
async function burst(): Promise<void> {
  const start = Date.now() - 40 * 60_000;
  const call = (at: number, status: number, client: string) =>
    JSON.stringify({
      timestamp: new Date(at).toISOString(),
      gateway_kind: 'mesh',
      url_path: '/login',
      http_response_status_code: status,
      client_address: client,
    });
  const calls = [
    ...Array.from({ length: 40 }, (_, at) => call(start + at * 1_000, 401, '203.0.113.66')),
    ...Array.from({ length: 60 }, (_, at) => call(start + 60_000 + at * 10_000, 200, '198.51.100.7')),
  ];
  const response = await fetch(`${service.ready.url}/v1/records?wait=stored`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.ready.token}`, 'content-type': 'application/x-ndjson' },
    body: calls.join('\n'),
  });
  expect([response.status, await response.json()]).toMatchObject([202, { events: 100 }]);
}

test('that is away at the start keeps nothing else from starting, and is named with what becomes of the mails', async () => {
  const { port } = new URL(smtp.url);
  await says(
    new RegExp(
      `^MAIL_UNAVAILABLE: The mail server localhost:${port} takes no mails: .*ECONNREFUSED.* Mails stay queued and are tried again; see mail\\.smtpUrl`,
    ),
  );
  expect(service.log()).not.toContain(password);
});

test('that comes back gets the mail of an alert that fired meanwhile, once', async () => {
  await burst();
  await until(
    async () => service.log(),
    (log) => /a delivery failed/.test(log),
    40_000,
  );
  await smtp.setUp(true);
  await until(
    async () => smtp.mails.length,
    (count) => count > 0,
    40_000,
  );
  await isReady();
  const subjects = smtp.mails.map(({ subject }) => subject);
  expect(subjects[0]).toMatch(/^\[FIRING\] .*203\.0\.113\.66/);
  // The burst is over already: the mail of its end may have come behind it.
  expect(subjects.filter((subject) => subject?.startsWith('[FIRING]'))).toHaveLength(1);
});

test('that refuses the password is named with the user and the setting, until it takes it', async () => {
  smtp.password = 'another one';
  await says(/^MAIL_UNAVAILABLE: The mail server localhost:\d+ refused the user gatetrail with this password: .*535.* see mail\.smtpUrl/);
  expect(service.log()).not.toContain(password);
  smtp.password = password;
  await isReady();
});
