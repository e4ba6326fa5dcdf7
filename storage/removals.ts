/**
 * What retention takes away: counted by batch and on record before it goes, then removed, then looked for. Everything here
 * can be repeated: the record has the same key, and what is gone stays gone.
 */
import { sleep } from '../core/clock.ts';
import { AuditError } from '../core/errors.ts';
import type { ClickHouse, Parameters } from './clickhouse.ts';
import { alterTarget, systemRows } from './cluster.ts';
import { dayName } from './retention-floor.ts';
import { type Cut, dayMs, type Members } from './retention-policy.ts';
import type { RollupTable } from './rollup-tables.ts';
import type { Range } from './scope.ts';

/** What is counted before it goes. */
export type Kind = 'events' | 'dead_letters';
type Rollup = RollupTable['name'];

/** Rows that are due. */
export interface Selection<Of = Kind | Rollup> {
  readonly kind: Of;
  /** Arrival. */
  readonly range: Range;
  /** Null: of everybody. */
  readonly cut: Cut | null;
  /** Days (YYYYMMDD) that are left alone: a batch in them is not stored yet. */
  readonly held: readonly number[];
}

export interface Removal extends Selection<Kind> {
  readonly policy: string;
  readonly by: string;
}

/** Events and rollups have rows of nobody: the marker in the place of a batch without events, and the one that stands for an hour. */
const conditionOf = (selection: Selection) => `${selection.kind === 'dead_letters' ? '' : "tenant != '' AND "}${condition(selection)}`;
const rowsOf = (selection: Selection) => `${fromOf[selection.kind]}\nWHERE ${conditionOf(selection)}`;
/** Spelt out: whoever looks for readers of events finds them. */
const fromOf: Readonly<Record<Selection['kind'], string>> = {
  events: 'FROM events',
  dead_letters: 'FROM dead_letters',
  rollup_hour: 'FROM rollup_hour',
  rollup_consumer_hour: 'FROM rollup_consumer_hour',
};

/** Of what a rollup sums up the day alone is known. */
const arrivalOf = (kind: Kind | Rollup) =>
  kind === 'events' || kind === 'dead_letters' ? 'received_at' : "toDateTime64(arrived, 3, 'UTC')";

/** Writes down what is selected, by batch. */
export async function record(clickhouse: ClickHouse, removal: Removal, signal?: AbortSignal): Promise<void> {
  const { kind, policy, by, range, cut } = removal;
  // A batch can lose events by one class and then by another, and get one again by a replay that goes at once.
  const apart = kind === 'events' ? 'replay, data_classes' : 'toUInt16(0) AS replay, []::Array(LowCardinality(String)) AS data_classes';
  await clickhouse.run(
    `INSERT INTO removals (kind, received_at, source_epoch, topic, kafka_partition, class, tenants, replay, data_classes, rows, policy, before, removed_by)
SELECT {kind:String}, received_at, source_epoch, topic, kafka_partition, {class:String},
  arraySort(groupUniqArray(toString(tenant))), ${apart}, count(), {policy:String}, fromUnixTimestamp64Milli({to:Int64}, 'UTC'), {by:String}
${rowsOf(removal)}
GROUP BY received_at, source_epoch, topic, kafka_partition, replay, data_classes`,
    { parameters: { ...parameters(removal), kind, policy, by, class: cut?.name ?? '', to: range.to }, ...(signal && { signal }) },
  );
}

/** Days (YYYYMMDD) that have such rows, oldest first. */
export async function daysWith(clickhouse: ClickHouse, selection: Selection): Promise<number[]> {
  const rows = await clickhouse.rows<{ day: number }>(
    `SELECT DISTINCT toYYYYMMDD(${arrivalOf(selection.kind)}) AS day\n${rowsOf(selection)}\nORDER BY day`,
    { parameters: parameters(selection) },
  );
  return rows.map(({ day }) => day);
}

/**
 * Removes what is selected, by a mutation, and waits for it: deduplication tokens stay, so that no late copy is taken.
 * @throws NOT_READY when the mutation does not end within ten minutes, or leaves rows
 */
export async function mutate(clickhouse: ClickHouse, selection: Selection, signal?: AbortSignal): Promise<void> {
  const { kind } = selection;
  // One that was sent before a crash goes on by itself; a second one beside it would do the work twice.
  await untilMutated(clickhouse, kind, signal);
  const target = kind === 'events' ? alterTarget(kind, clickhouse.cluster) : kind; // the other tables are one on all nodes
  await clickhouse.run(`ALTER TABLE ${target} DELETE ${partitionOf(selection)}WHERE ${conditionOf(selection)}`, {
    parameters: parameters(selection),
    settings: { mutations_sync: 0 },
    ...(signal && { signal }),
  });
  await untilMutated(clickhouse, kind, signal);
  const left = await daysWith(clickhouse, selection);
  if (left.length > 0)
    throw new AuditError('NOT_READY', `Rows of ${kind} are left on ${left.join(', ')} after they were removed; tried again`);
}

const patienceMs = 600_000;

async function untilMutated(clickhouse: ClickHouse, kind: Selection['kind'], signal?: AbortSignal): Promise<void> {
  const { from, table } = systemRows('mutations', kind, clickhouse.cluster);
  const deadline = performance.now() + patienceMs;
  for (let waitMs = 20; ; waitMs = Math.min(2_000, waitMs * 2)) {
    const [running] = await clickhouse.rows<{ reason: string }>(
      `SELECT latest_fail_reason AS reason
FROM ${from}
WHERE database = currentDatabase()
  AND table = {table:String}
  AND NOT is_done
LIMIT 1`,
      { parameters: { table } },
    );
    if (running === undefined) return;
    if (signal?.aborted || performance.now() > deadline)
      throw new AuditError('NOT_READY', `A mutation of ${table} has not ended${running.reason === '' ? '' : `: ${running.reason}`}`);
    await sleep(waitMs, signal);
  }
}

/** Events are partitioned by day: only the parts of the one that is named are written anew. */
function partitionOf({ kind, range }: Selection): string {
  if (kind !== 'events' || range.to - range.from !== dayMs) return '';
  return `IN PARTITION ${dayName(range.from)} `;
}

function condition({ kind, cut }: Selection): string {
  const arrival = arrivalOf(kind);
  return [
    `${arrival} >= fromUnixTimestamp64Milli({due_from:Int64}, 'UTC')`,
    `${arrival} < fromUnixTimestamp64Milli({due_to:Int64}, 'UTC')`,
    `NOT has({due_held:Array(UInt32)}, toYYYYMMDD(${arrival}))`,
    ...(cut?.of ? [isMember(kind, cut.of, 'due')] : []),
    ...(cut?.except ?? []).map((members, at) => `NOT ${isMember(kind, members, `spared${at}`)}`),
  ].join('\n  AND ');
}

/** Of a dead letter nobody knows which data it has: no API was found for it. */
function isMember(kind: Selection['kind'], { tenants, dataClasses }: Members, name: string): string {
  if (dataClasses.length > 0 && kind === 'dead_letters') return 'false';
  const asked = [
    ...(tenants.length > 0 ? [`tenant IN {${name}_tenants:Array(String)}`] : []),
    ...(dataClasses.length > 0 ? [`hasAny(data_classes, {${name}_classes:Array(String)})`] : []),
  ];
  return `(${asked.join(' AND ')})`;
}

const parameters = ({ range, cut, held }: Selection): Parameters => ({
  due_from: range.from,
  due_to: range.to,
  due_held: held,
  ...(cut?.of && namesOf(cut.of, 'due')),
  ...Object.assign({}, ...(cut?.except ?? []).map((members, at) => namesOf(members, `spared${at}`))),
});

const namesOf = ({ tenants, dataClasses }: Members, name: string): Parameters => ({
  [`${name}_tenants`]: tenants,
  [`${name}_classes`]: dataClasses,
});

/** Events that were removed of what arrived in the range, by `TOPIC EPOCH PARTITION`. */
export interface Removed {
  readonly place: string;
  readonly rows: number;
  readonly policies: readonly string[];
}

export async function removedEvents(clickhouse: ClickHouse, range: Range): Promise<Removed[]> {
  const rows = await clickhouse.rows<{ place: string; n: string; policies: string[] }>(
    `SELECT concat(topic, ' ', toString(source_epoch), ' ', toString(kafka_partition)) AS place, sum(rows) AS n,
  arraySort(groupUniqArray(toString(policy))) AS policies
FROM removals FINAL
WHERE kind = 'events'
  AND received_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
  AND received_at < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
GROUP BY place`,
    { parameters: { ...range } },
  );
  return rows.map(({ place, n, policies }) => ({ place, rows: Number(n), policies }));
}
