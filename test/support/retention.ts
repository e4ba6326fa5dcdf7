/** The retention job on a test's database, at a time of the test's choosing. */
import { silentLogger } from '../../core/logger.ts';
import { createRetention, type Retention, type RetentionOptions } from '../../ingest/retention.ts';
import { openBatchStore } from '../../storage/batch-store.ts';
import type { ClickHouse } from '../../storage/clickhouse.ts';
import { openLedger } from '../../storage/ledger.ts';
import type { RetentionPolicy } from '../../storage/retention-policy.ts';

export const dayMs = 86_400_000;

export const policy = (
  days: number,
  classes: Record<string, { readonly tenants?: readonly string[]; readonly dataClasses?: readonly string[]; readonly days: number }> = {},
): RetentionPolicy => ({
  defaultMs: days * dayMs,
  classes: Object.entries(classes).map(([name, { tenants = [], dataClasses = [], days: keep }]) => ({
    name,
    tenants,
    dataClasses,
    keepMs: keep * dayMs,
  })),
});

/** `now` in milliseconds; nothing is waited for after the floor rose unless `longestRequestMs` says so. */
export function retentionAt(
  clickhouse: ClickHouse,
  now: number,
  options: { readonly policy: RetentionPolicy } & Partial<RetentionOptions>,
): Retention {
  return createRetention({
    clickhouse,
    ledger: openLedger(clickhouse),
    store: openBatchStore(clickhouse),
    clock: { measure: async () => {}, now: () => now },
    holder: 'test',
    logger: silentLogger,
    mayAct: async () => true,
    signal: new AbortController().signal,
    longestRequestMs: 0,
    ...options,
  });
}
