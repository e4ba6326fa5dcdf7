/**
 * Makes the rollups of hours from the events that are stored: the same events give the same rows, so a crash, a second job
 * and a repetition cost work and nothing else. The hours are those that newly closed claims touched.
 */
import { slices } from '../core/grouped.ts';
import type { ClickHouse } from './clickhouse.ts';
import type { ClosedReader } from './closed.ts';
import { closedPositions, pendingSince, readMark, saveMark, type Mark, type Pending } from './rollup-marks.ts';
import { dataClasses, figuresOf, groupColumns, groupExpressions, hourMs, hourOf, rollupTables, type RollupTable } from './rollup-tables.ts';
import type { Range } from './scope.ts';

export interface RollupOptions {
  readonly clickhouse: ClickHouse;
  readonly closed: ClosedReader;
  /** Asked before each effect; true when nothing is said. */
  readonly mayAct?: () => Promise<boolean>;
}

/** Hours (seconds since the epoch) by the day on which their events arrived, `2026-11-22`. */
type Hours = ReadonlyMap<string, ReadonlySet<number>>;

const nothingYet: Mark = { positions: {}, seen: [] };

/** One step: the hours of all claims that closed since the mark. Gives how many it made; what another job may do is left to it. */
export async function rollUp({ clickhouse, closed, mayAct = async () => true }: RollupOptions): Promise<number> {
  const before = (await readMark(clickhouse)) ?? nothingYet;
  // Taken before anything is read: what closes meanwhile is for the next step.
  const positions = await closedPositions(closed);
  const pending = (await pendingSince(clickhouse, before)).flatMap((each) => closedPart(each, positions[each.place] ?? 0));
  const hours = await hoursOf(clickhouse, pending);
  if (!(await make(clickhouse, hours, mayAct))) return 0;
  await dropNamesBelowFloor(clickhouse);
  const seen = new Set([...before.seen, ...(await storedOf(clickhouse, pending)).map(({ name }) => name)]);
  const after: Mark = { positions: { ...before.positions, ...positions }, seen: [...seen] };
  if (JSON.stringify(after) !== JSON.stringify(before)) await saveMark(clickhouse, after);
  return count(hours);
}

/** Makes all hours of the range again, also those without events; below the retention floor nothing can be made again. */
export async function rebuild({ clickhouse, mayAct = async () => true }: Omit<RollupOptions, 'closed'>, range: Range): Promise<number> {
  const rows = await clickhouse.rows<HourRow>(
    `SELECT DISTINCT toString(arrived) AS arrived, toUnixTimestamp(hour) AS hour
FROM (
  SELECT toDate(received_at) AS arrived, ${hourOf} AS hour
  FROM events
  WHERE tenant != ''
  ${rollupTables.map(({ name }) => `UNION ALL\n  SELECT arrived, hour\n  FROM ${name}\n  WHERE tenant = ''`).join('\n  ')}
)
WHERE hour >= fromUnixTimestamp({from:Int64}) AND hour < fromUnixTimestamp({to:Int64})`,
    { parameters: { from: Math.floor(range.from / hourMs) * 3_600, to: Math.ceil(range.to / hourMs) * 3_600 } },
  );
  const hours = collect(rows);
  await make(clickhouse, hours, mayAct);
  return count(hours);
}

interface HourRow {
  readonly arrived: string;
  readonly hour: number;
}

function collect(rows: readonly HourRow[]): Hours {
  const hours = new Map<string, Set<number>>();
  for (const { arrived, hour } of rows) hours.set(arrived, (hours.get(arrived) ?? new Set()).add(hour));
  return hours;
}

const count = (hours: Hours) => [...hours.values()].reduce((sum, { size }) => sum + size, 0);

/** Claims below `position` are closed. */
function closedPart(pending: Pending, position: number): Pending[] {
  return pending.firstOffset < position ? [{ ...pending, lastOffset: Math.min(pending.lastOffset, position - 1) }] : [];
}

/** Hours of the events of these claims. A revision may tell of events that are gone: then those that were made of its day count too. */
async function hoursOf(clickhouse: ClickHouse, pending: readonly Pending[]): Promise<Hours> {
  const found = await Promise.all([
    ...pending.map((span) => hoursOfEvents(clickhouse, span)),
    ...pending.filter(({ revision }) => revision > 0).map((claim) => hoursMade(clickhouse, claim)),
  ]);
  return collect(found.flat());
}

const inSpan = `received_at BETWEEN fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND fromUnixTimestamp64Milli({until:Int64}, 'UTC')
  AND source_epoch = {sourceEpoch:UInt16}
  AND topic = {topic:String}
  AND kafka_partition = {partition:UInt32}
  AND kafka_offset BETWEEN {firstOffset:UInt64} AND {lastOffset:UInt64}`;

const hoursOfEvents = (clickhouse: ClickHouse, span: Pending): Promise<HourRow[]> =>
  clickhouse.rows(
    `SELECT DISTINCT toString(toDate(received_at)) AS arrived, toUnixTimestamp(${hourOf}) AS hour\nFROM events\nWHERE ${inSpan}\n  AND tenant != ''`,
    { parameters: { ...span } },
  );

const hoursMade = (clickhouse: ClickHouse, { minTimestamp, maxTimestamp, since }: Pending): Promise<HourRow[]> =>
  clickhouse.rows(
    `SELECT DISTINCT toString(arrived) AS arrived, toUnixTimestamp(hour) AS hour
FROM rollup_hour
WHERE tenant = ''
  AND hour >= toStartOfHour(fromUnixTimestamp64Milli({minTimestamp:Int64}, 'UTC'))
  AND hour <= fromUnixTimestamp64Milli({maxTimestamp:Int64}, 'UTC')
  AND rollup_hour.arrived = toDate(fromUnixTimestamp64Milli({since:Int64}, 'UTC'))`,
    { parameters: { minTimestamp, maxTimestamp, since } },
  );

/** A replay stands beside the chain, so no later claim closes it: it is remembered once its events are there, or the marker that says there are none. */
async function storedOf(clickhouse: ClickHouse, pending: readonly Pending[]): Promise<Pending[]> {
  const named = pending.filter(({ name }) => name !== '');
  const stored = await Promise.all(
    named.map(async (claim) => claim.replay === 0 || claim.events === 0 || (await isDecided(clickhouse, claim))),
  );
  return named.filter((_, at) => stored[at]);
}

/** Rows of a batch come all at once. */
async function isDecided(clickhouse: ClickHouse, claim: Pending): Promise<boolean> {
  const statement = `SELECT 1\nFROM events\nWHERE ${inSpan}\n  AND replay = {replay:UInt16}\nLIMIT 1`;
  return (await clickhouse.rows(statement, { parameters: { ...claim } })).length > 0;
}

/** Gives false when another job has taken over. Newest days first: that is where people look. */
async function make(clickhouse: ClickHouse, hours: Hours, mayAct: () => Promise<boolean>): Promise<boolean> {
  for (const [arrived, ofDay] of [...hours].toSorted(([a], [b]) => (a < b ? 1 : -1))) {
    for (const table of rollupTables) {
      for (const hours of slices([...ofDay], hoursPerStatement)) {
        if (!(await mayAct())) return false;
        await makeHours(clickhouse, table, { arrived, hours });
      }
    }
  }
  return mayAct();
}

/** An archive of years may arrive in a day; ClickHouse takes 128 KiB of a parameter. */
const hoursPerStatement = 5_000;

interface DayHours {
  readonly arrived: string;
  readonly hours: readonly number[];
}

/** One block, hence one part: readers see all rows of the version or none, and so does a crash. */
const onePart = { async_insert: 0, max_insert_threads: 1, min_insert_block_size_rows: 1_000_000_000, min_insert_block_size_bytes: 0 };

/**
 * All groups of these hours under a new version, and a row without tenant for each of the hours. The version is taken before
 * the events are read, so whoever has the highest one has seen at least what all others had; it never falls behind what is
 * there, whatever the clock does.
 */
export async function makeHours(clickhouse: ClickHouse, table: RollupTable, { arrived, hours }: DayHours): Promise<void> {
  const isOfHours = 'has({hours:Array(UInt32)}, toUnixTimestamp(hour))';
  const [row] = await clickhouse.rows<{ version: string }>(
    `SELECT (greatest(toUnixTimestamp64Micro(now64(6)), intDiv(max(version), 1024) + 1) * 1024 + rand() % 1024)::UInt64 AS version
FROM ${table.name}
WHERE tenant = '' AND arrived = {arrived:Date} AND ${isOfHours}`,
    { parameters: { arrived, hours } },
  );
  await clickhouse.run(makeStatement(table), {
    parameters: { arrived, hours, version: row?.version ?? '0' },
    settings: onePart,
  });
}

const emptyOf: Readonly<Record<string, string>> = { status_class: 'toUInt16(0)', [dataClasses]: '[]' };

function makeStatement(table: RollupTable): string {
  const [groups, figures] = [groupColumns(table), Object.entries(figuresOf(table))];
  const [, ...others] = groups;
  const defaults = [
    ...others.map((name) => emptyOf[name] ?? "''"),
    ...figures.map(([, { type }]) => `defaultValueOfTypeName('${type.replaceAll("'", "\\'")}')`),
  ];
  return `INSERT INTO ${table.name} (hour, arrived, version, ${[...groups, ...figures.map(([name]) => name)].join(', ')})
SELECT *
FROM (
  SELECT ${hourOf} AS hour, {arrived:Date} AS arrived, {version:UInt64} AS version, ${groupExpressions(table).join(', ')},
    ${figures.map(([name, { sql }]) => `${sql} AS ${name}`).join(',\n    ')}
  FROM events
  WHERE received_at >= toDateTime64({arrived:Date}, 3, 'UTC')
    AND received_at < toDateTime64({arrived:Date} + 1, 3, 'UTC')
    AND tenant != ''
    AND timestamp >= fromUnixTimestamp(arrayMin({hours:Array(UInt32)}))
    AND timestamp < fromUnixTimestamp(arrayMax({hours:Array(UInt32)}) + 3600)
    AND has({hours:Array(UInt32)}, toUnixTimestamp(${hourOf}))
  GROUP BY hour, ${groups.join(', ')}
  UNION ALL
  SELECT fromUnixTimestamp(arrayJoin({hours:Array(UInt32)})), {arrived:Date}, {version:UInt64}, '', ${defaults.join(', ')}
)
WHERE {arrived:Date} >= (SELECT toDate(max(floor)) FROM retention_floor)`;
}

/** Names of consumers are not kept longer than the events that have them. */
async function dropNamesBelowFloor(clickhouse: ClickHouse): Promise<void> {
  const days = await clickhouse.rows<{ day: string }>(
    `SELECT DISTINCT toString(arrived) AS day\nFROM rollup_consumer_hour\nWHERE arrived < (SELECT toDate(max(floor)) FROM retention_floor)`,
  );
  for (const { day } of days) await clickhouse.run(`ALTER TABLE rollup_consumer_hour DROP PARTITION '${day}'`);
}
