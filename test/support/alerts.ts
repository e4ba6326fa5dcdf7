/** The alerts role on a test's database, with a clock, a watermark and channels of the test. */
import { createAlerts, type Alerts, type AlertsOptions } from '../../alerts/alerts.ts';
import { deriveKey } from '../../core/keys.ts';
import { silentLogger } from '../../core/logger.ts';
import { openLease } from '../../storage/lease.ts';
import type { ClickHouse } from '../../storage/clickhouse.ts';

type Given = Pick<AlertsOptions, 'rules' | 'channels' | 'watermark' | 'clock'> & Partial<AlertsOptions>;

export function alertsOn(clickhouse: ClickHouse, options: Given, holder = 'test'): Alerts {
  return createAlerts({
    clickhouse,
    lease: openLease(clickhouse, { name: 'alerts', holder, ttlMs: 30_000 }),
    logger: silentLogger,
    latenessMs: 5_000,
    groupWaitMs: 0,
    limitsFor: () => new Map([['small', 90]]),
    tenantOf: () => 'acme',
    publicUrl: 'https://audit.example.org',
    linkKey: deriveKey('s'.repeat(32), 'links'),
    subjectPrefix: 'prod',
    ...options,
  });
}

let offset = 0;

/** Rows of `events`, one each `stepMs` from `from` on, that arrived a minute after their time. */
export function eventRows(count: number, from: number, stepMs: number, event: object): object[] {
  return Array.from({ length: count }, (_, index) => eventAt(from + index * stepMs, event));
}

export function eventAt(time: number, event: object): object {
  return {
    received_at: new Date(time + 60_000).toISOString(),
    topic: 't',
    kafka_offset: (offset += 1),
    timestamp: new Date(time).toISOString(),
    tenant: 'acme',
    http_request_method: 'GET',
    outcome: 'unknown',
    time_source: 'start',
    ...event,
  };
}
