/**
 * Whether what arrived in a time is stored and explained. Whoever sees some tenants only sees rows of topics that are
 * theirs alone; topics that they share count in the whole, topics of others do not.
 */
import type { ClickHouse } from '../storage/clickhouse.ts';
import type { ClosedReader } from '../storage/closed.ts';
import { type Removed, removedEvents } from '../storage/removals.ts';
import { openScope, type Range, type Scope } from '../storage/scope.ts';
import { always } from './audit-trail.ts';
import { gaps, ledgerRows, type LedgerRow } from './ledger-report.ts';
import { ownTopics } from './own-topics.ts';
import { sourceStatus } from './sources.ts';

const harmless = new Set(['COMPACTION', 'TRANSACTION_MARKER']);

export async function completeness(
  clickhouse: ClickHouse,
  scope: Scope,
  range: Range,
  { closed, now }: { closed: ClosedReader; now: number },
) {
  // In this order: what a claim says is stored before the claim is closed, so it is there when events are counted.
  const state = await closed.read();
  const [rows, found] = [await ledgerRows(clickhouse, range, state), await gaps(clickhouse, range, state)];
  const stored = await storedEvents(clickhouse, range);
  // After the events: what goes is on record before it is gone.
  const removed = new Map((await removedEvents(clickhouse, range)).map((one) => [one.place, one]));
  const whose = await ownTopics(clickhouse, scope.tenants, range);
  const counted = rows.filter(({ topic }) => whose(topic) !== 'foreign');
  const partitions = counted.map((row) => {
    const absent = Math.max(0, row.events - (stored.get(placeOf(row)) ?? 0));
    const pruned = Math.min(absent, removed.get(placeOf(row))?.rows ?? 0);
    return {
      ...row,
      pruned,
      missing: absent - pruned,
      gaps: found.filter((gap) => placeOf(gap) === placeOf(row)),
    };
  });
  const complete = partitions.every(
    (row) =>
      row.missing === 0 && row.records === row.events + row.rejected + row.skipped && row.gaps.every(({ reason }) => harmless.has(reason)),
  );
  return {
    resolvedRange: range,
    partitions: partitions.filter(({ topic }) => whose(topic) === 'own'),
    sources: () => sourceStatus(clickhouse, scope, range, now),
    complete,
    statement: statementOf(range, complete, partitions) + retentionOf(partitions, removed),
  };
}

/** A sentence about what is no longer there, and by which policy. */
function retentionOf(rows: readonly Counted[], removed: ReadonlyMap<string, Removed>): string {
  const pruned = rows.reduce((total, row) => total + row.pruned, 0);
  if (pruned === 0) return '';
  const policies = rows.filter((row) => row.pruned > 0).flatMap((row) => removed.get(placeOf(row))?.policies ?? []);
  return ` ${pruned} of the events were removed by retention since (${[...new Set(policies)].toSorted().join(', ')}).`;
}

type Counted = LedgerRow & { readonly pruned: number };

function statementOf(range: Range, complete: boolean, rows: readonly LedgerRow[]): string {
  const sum = (name: 'records' | 'events' | 'rejected' | 'skipped') => rows.reduce((total, row) => total + row[name], 0);
  const span = `from ${new Date(range.from).toISOString()} to ${new Date(range.to).toISOString()}`;
  const counts = `${sum('records')} records arrived: ${sum('events')} events, ${sum('rejected')} rejected, ${sum('skipped')} skipped`;
  return `Of what arrived ${span}, ${complete ? 'nothing is missing' : 'something is missing or unexplained'}. ${counts}.`;
}

const placeOf = ({ topic, sourceEpoch, partition }: Pick<LedgerRow, 'topic' | 'sourceEpoch' | 'partition'>) =>
  `${topic} ${sourceEpoch} ${partition}`;

async function storedEvents(clickhouse: ClickHouse, range: Range): Promise<Map<string, number>> {
  const rows = await openScope(clickhouse, ['*']).events<{ place: string; n: string }>({
    select: "concat(topic, ' ', toString(source_epoch), ' ', toString(kafka_partition)) AS place, count() AS n",
    range: always,
    where: 'received_at >= fromUnixTimestamp64Milli({from:Int64}) AND received_at < fromUnixTimestamp64Milli({to:Int64})',
    parameters: { ...range },
    tail: 'GROUP BY place',
  });
  return new Map(rows.map(({ place, n }) => [place, Number(n)]));
}
