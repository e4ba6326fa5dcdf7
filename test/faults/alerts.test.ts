import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/gatetrail.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { startSmtp, type TestSmtp } from '../support/smtp.ts';
import { sqlRows } from '../support/sql.ts';

let engine: TestEngine;
let database: TestDatabase;
let smtp: TestSmtp;
const t0 = Date.UTC(2026, 10, 24, 12);

beforeAll(async () => {
  engine = await startEngine();
  [database, smtp] = await Promise.all([freshDatabase(engine), startSmtp()]);
});
afterAll(async () => {
  await database?.close();
  await smtp?.stop();
  await engine?.stop();
});

const dist = join(import.meta.dirname, '../../dist');
const program = `
const { createAlerts, loadRules } = await import(process.env.DIST + '/alerts/alerts.js');
const { openEmail } = await import(process.env.DIST + '/alerts/channels/email.js');
const { connect } = await import(process.env.DIST + '/storage/clickhouse.js');
const { openLease } = await import(process.env.DIST + '/storage/lease.js');
const { silentLogger } = await import(process.env.DIST + '/core/logger.js');
const tell = (facts, text) => console.error(text, JSON.stringify(facts));
const given = JSON.parse(process.env.GIVEN);
const clickhouse = connect(given.clickhouse);
const alerts = createAlerts({ clickhouse, rules: await loadRules(),
  channels: [openEmail({ from: 'a@example.org', to: ['b@example.org'], smtpUrl: given.smtp, ca: given.ca })],
  watermark: { eventTime: async () => given.at, newMinutes: async () => ({ minutes: [], mark: 'x' }) },
  lease: openLease(clickhouse, { name: 'alerts', holder: given.holder, ttlMs: 4000 }),
  clock: { now: () => given.at }, logger: { ...silentLogger, warn: tell, error: tell }, latenessMs: 5000, groupWaitMs: 0, limitsFor: () => new Map(),
  publicUrl: 'https://audit.example.org', linkKey: { id: 'x', key: Buffer.alloc(32) } });
await alerts.tick();
await alerts.stop();
await clickhouse.close();
`;

async function isLeaseOver(): Promise<boolean> {
  const [row] = await sqlRows<{ over: number }>(
    engine,
    `SELECT max(expires_at) < now64(3) AS over FROM leases WHERE name = 'alerts'`,
    database.name,
  );
  return row?.over === 1;
}

function runTick(holder: string): { pid: number; ended: Promise<unknown> } {
  const given = {
    holder,
    at: t0 + 60_000,
    smtp: smtp.url,
    ca: smtp.ca,
    clickhouse: { url: engine.url, user: engine.user, password: engine.password, database: database.name },
  };
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { ...process.env, DIST: dist, GIVEN: JSON.stringify(given) },
    stdio: 'inherit',
  });
  return { pid: child.pid ?? 0, ended: new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code))) };
}

test('a process killed between the 250 and its mark sends the same Message-ID again, once', async () => {
  await database.clickhouse.insertRows(
    'events',
    Array.from({ length: 50 }, (_, index) => ({
      received_at: new Date(t0 + 60_000).toISOString(),
      kafka_offset: index,
      timestamp: new Date(t0 + index * 1000).toISOString(),
      tenant: 'acme',
      time_source: 'start',
      outcome: 'auth_failure',
      http_response_status_code: 401,
      client_address: '203.0.113.7',
    })),
  );
  const first = runTick('first');
  // Stopped first: between the answer and the kill this process may have to wait, and the other one would write its mark.
  smtp.onTaking = () => process.kill(first.pid, 'SIGSTOP');
  smtp.onTaken = () => process.kill(first.pid, 'SIGKILL');
  expect(await first.ended).toBe('SIGKILL');
  [smtp.onTaking, smtp.onTaken] = [() => {}, () => {}];
  expect(smtp.mails).toHaveLength(1);
  // A renewal that was under way when it was killed may land later: how long its lease holds, the database knows.
  await until(isLeaseOver, Boolean, 30_000);
  expect(await runTick('second').ended).toBe(0);
  expect(await runTick('third').ended).toBe(0);
  expect(smtp.mails).toHaveLength(2);
  expect(smtp.mails[1]?.messageId).toBe(smtp.mails[0]?.messageId);
});
