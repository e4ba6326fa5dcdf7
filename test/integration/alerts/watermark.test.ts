import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { loadRules, type Alerts } from '../../../alerts/alerts.ts';
import { openEmail } from '../../../alerts/channels/email.ts';
import { openWatermark } from '../../../app/watermark.ts';
import { systemClock } from '../../../core/clock.ts';
import { deriveKey } from '../../../core/keys.ts';
import { silentLogger } from '../../../core/logger.ts';
import type { Decoder } from '../../../ingest/decoder.ts';
import { startIngest, type Ingest } from '../../../ingest/ingest.ts';
import { defaultLimits } from '../../../ingest/life.ts';
import { openJournal, type Journal } from '../../../ingest/logs/journal.ts';
import type { Rule } from '../../../sigma/document.ts';
import { emptyEvent, type CanonicalEvent } from '../../../schemas/event.ts';
import { openAlertStore, type AlertView } from '../../../storage/alerts.ts';
import { alertsOn } from '../../support/alerts.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { startSmtp, type TestSmtp } from '../../support/smtp.ts';

/** A message is a list of events, written as JSON. */
const decoder: Decoder = {
  normaliser: 'test',
  decode(message, _topic, _receivedAt, sink) {
    const events = JSON.parse(String(message.value)) as Partial<CanonicalEvent>[];
    for (const [index, event] of events.entries()) sink.event({ ...emptyEvent(), tenant: 'acme', ...event }, message.offset, index);
  },
};

const minute = 60_000;
let engine: TestEngine;
let rules: Rule[];
let database: TestDatabase;
let smtp: TestSmtp;
let journal: Journal;
let alerts: Alerts;
/** How far the clock of the alerts is ahead of the real one, which stamps arrivals. */
let ahead: number;
let stored: number;
let t0: number;

beforeAll(async () => {
  [engine, rules] = await Promise.all([startEngine(), loadRules()]);
});
afterAll(() => engine?.stop());
beforeEach(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatetrail-watermark-'));
  [database, smtp] = await Promise.all([freshDatabase(engine), startSmtp()]);
  journal = openJournal({ folder, key: deriveKey('s'.repeat(32), 'journal') });
  [ahead, stored, t0] = [0, 0, (Math.floor(Date.now() / minute) - 30) * minute];
  const clock = { now: () => Date.now() + ahead };
  alerts = alertsOn(database.clickhouse, {
    rules,
    clock,
    channels: [openEmail({ from: 'gatetrail@example.org', to: ['oncall@example.org'], smtpUrl: smtp.url, ca: smtp.ca })],
    watermark: openWatermark(database.clickhouse, { log: journal, topics: ['edge'], clock }),
  });
  return async () => {
    await alerts.stop();
    await Promise.all([database.close(), smtp.stop(), journal.close()]);
    rmSync(folder, { recursive: true });
  };
});

function calls(count: number, from: number, stepMs: number, status = 401): Partial<CanonicalEvent>[] {
  return Array.from({ length: count }, (_, index) => ({
    timestamp: (from + index * stepMs) * 1000,
    client_address: '203.0.113.7',
    http_response_status_code: status,
  }));
}

/** One message to the partition that `key` leads to. */
async function append(key: string, events: Partial<CanonicalEvent>[]): Promise<number> {
  const [position] = await journal.append('edge', [{ key, value: Buffer.from(JSON.stringify(events)) }]);
  stored += events.length;
  return position?.partition ?? -1;
}

/** Reads the log until everything appended is stored, then leaves it. */
async function ingest(): Promise<void> {
  const failed: unknown[] = [];
  const running: Ingest = await startIngest({
    clickhouse: database.clickhouse,
    log: journal,
    topics: ['edge'],
    group: 'g',
    startOf: () => 'earliest',
    decoder,
    writer: `w${stored}`,
    limits: { ...defaultLimits, bytes: 1 << 20, ms: 50 },
    logger: silentLogger,
    clock: systemClock,
    onStored: () => {},
    onStopped: (_key, error) => failed.push(error),
    onFailure: (error) => failed.push(error),
  });
  const count = async () => Number((await database.clickhouse.rows<{ n: string }>('SELECT count() AS n FROM events'))[0]?.n);
  const deadline = Date.now() + 60_000;
  while ((await count()) < stored && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 50));
  await running.stop();
  expect(failed).toEqual([]);
  expect(await count()).toBe(stored);
}

async function tick(clockAhead: number): Promise<readonly string[]> {
  ahead = clockAhead;
  // The second one sends an end that its beginning went before.
  await alerts.tick();
  await alerts.tick();
  return smtp.mails.map(({ subject }) => /^\[(\w+)\]/.exec(subject ?? '')?.[1] ?? '');
}

const shown = (): Promise<AlertView[]> => openAlertStore(database.clickhouse).list({ tenants: ['acme'], limit: 9 });

test('a burst with no traffic after it fires and ends, because time goes on when all is quiet', async () => {
  t0 = Date.now() - minute;
  await append('a', calls(30, t0, 100));
  await ingest();
  expect(await tick(0)).toEqual([]);
  expect(await tick(1.5 * minute)).toEqual([]);
  expect(await tick(2.5 * minute)).toEqual(['FIRING']);
  expect(await tick(9 * minute)).toEqual(['FIRING']);
  expect(await tick(12 * minute)).toEqual(['FIRING', 'RESOLVED']);
});

test('a partition that lags ends nothing; one that is only quiet does not hold back', async () => {
  const burst = await append('a', calls(60, t0, 1_000));
  await ingest();
  expect(await tick(0)).toEqual(['FIRING']);
  expect(await append('c', calls(5, t0 + minute, 1_000, 200))).not.toBe(burst);
  expect(await tick(20 * minute)).toEqual(['FIRING']);
  await ingest();
  expect(await tick(0)).toEqual(['FIRING']);
  expect(await tick(20 * minute)).toEqual(['FIRING', 'RESOLVED']);
});

test('late calls are judged together with those that were there, once, and the alert says so', async () => {
  await append('a', [...calls(15, t0, 1_000), ...calls(1, t0 + 20 * minute, 0, 200)]);
  await ingest();
  expect(await tick(0)).toEqual([]);
  await append('b', calls(10, t0 + 15_000, 1_000));
  await append('a', calls(1, t0 + 21 * minute, 0, 200));
  await ingest();
  expect(await tick(0)).toEqual(['FIRING', 'RESOLVED']);
  expect(await shown()).toMatchObject([{ late: true, state: 'RESOLVED', value: 20, subject: { value: '203.0.113.7' } }]);
  expect(smtp.mails[0]?.text).toContain('found in late data');
  expect(await tick(0)).toHaveLength(2);
  expect(await tick(30 * minute)).toHaveLength(2);
});
