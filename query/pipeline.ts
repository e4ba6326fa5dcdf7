/** The state of the pipeline: how far each partition is stored, what jobs did, what the tables hold, what waits to be sent. */
import { openAlertStore } from '../storage/alerts.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import type { ClosedPartition } from '../storage/closed.ts';
import { openScope, type Scope } from '../storage/scope.ts';
import { always } from './audit-trail.ts';
import { freshnessAt } from './freshness.ts';
import type { ReadOptions } from './guard.ts';
import { ownTopics } from './own-topics.ts';

const weekMs = 7 * 86_400_000;

export async function pipelineStatus(options: ReadOptions, scope: Scope) {
  const { clickhouse, clock } = options;
  const now = clock.now();
  const reasons = [...((await options.notReady?.()) ?? [])];
  const ends = await options.ends?.().catch(() => {
    reasons.push('the log does not answer');
    return undefined;
  });
  const closed = await options.closed.read(ends);
  const whose = await ownTopics(clickhouse, scope.tenants, { from: now - weekMs, to: now + weekMs });
  const seesAll = scope.tenants.includes('*');
  return {
    ready: reasons.length === 0,
    reasons,
    freshness: freshnessAt(closed, now),
    partitions: closed.partitions.filter(({ topic }) => whose(topic) === 'own').map((partition) => lagOf(partition, now, ends)),
    jobs: await alertJob(clickhouse),
    storage: seesAll ? () => storage(clickhouse) : null,
    outboxDepth: (await openAlertStore(clickhouse).open()).filter(({ tenant }) => seesAll || scope.tenants.includes(tenant)).length,
  };
}

function lagOf({ topic, sourceEpoch, partition, position, watermark }: ClosedPartition, now: number, ends?: ReadonlyMap<string, number>) {
  const endOffset = ends?.get(`${topic}/${partition}`) ?? null;
  const lagRecords = endOffset === null ? null : Math.max(0, endOffset - position);
  const behind = watermark === 0 ? null : Math.max(0, now - watermark / 1000) / 1000;
  return { topic, sourceEpoch, partition, storedOffset: position, endOffset, lagRecords, lagSeconds: lagRecords === 0 ? 0 : behind };
}

/** Every rule saves its cursor at each tick, so the cursors say when the job ran. */
async function alertJob(clickhouse: ClickHouse) {
  const cursors = await openAlertStore(clickhouse).cursors();
  if (cursors.length === 0) return [];
  const latest = (some: typeof cursors) => (some.length === 0 ? null : Math.max(...some.map(({ savedAt }) => savedAt)));
  const failing = cursors.filter(({ state }) => state === 'FAILING');
  return [
    {
      name: 'alerts',
      schedule: '*/10 * * * * *',
      lastStartedAt: latest(cursors),
      lastSucceededAt: latest(cursors.filter((cursor) => !failing.includes(cursor))),
      lastError: failing[0]?.detail ?? null,
      nextAt: null,
    },
  ];
}

async function storage(clickhouse: ClickHouse) {
  const [parts] = await clickhouse.rows<{ bytes: string; parts: string }>(
    `SELECT sum(bytes_on_disk) AS bytes, count() AS parts
FROM system.parts
WHERE active AND database = {database:String}`,
    { parameters: { database: clickhouse.database } },
  );
  const [disk] = await clickhouse.rows<{ free: string }>('SELECT min(unreserved_space) AS free FROM system.disks');
  const [span] = await openScope(clickhouse, ['*']).events<{ n: string; oldest: string; newest: string }>({
    select: 'count() AS n, toUnixTimestamp64Milli(min(timestamp)) AS oldest, toUnixTimestamp64Milli(max(timestamp)) AS newest',
    range: always,
  });
  const isEmpty = span?.n === '0';
  return {
    events: Number(span?.n ?? 0),
    bytes: Number(parts?.bytes ?? 0),
    freeBytes: disk ? Number(disk.free) : null,
    oldest: isEmpty ? null : Number(span?.oldest),
    newest: isEmpty ? null : Number(span?.newest),
    parts: Number(parts?.parts ?? 0),
  };
}
