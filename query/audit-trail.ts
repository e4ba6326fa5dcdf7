/** Pages of the audit trail: keyset both ways, exact flags, one bound for all pages of a walk. */
import { AuditError } from '../core/errors.ts';
import { encodeEventId } from '../core/event-id.ts';
import type { PurposeKey } from '../core/keys.ts';
import type { AuditEventConnectionTotalCountArgs, QueryAuditEventsArgs, TimeRange } from '../schemas/api.ts';
import type { ClosedReader } from '../storage/closed.ts';
import type { Range, Scope } from '../storage/scope.ts';
import { boundCondition, boundOf, type Bound } from './bound.ts';
import { countUpTo } from './count.ts';
import { questionOf, readCursor, writeCursor } from './cursor.ts';
import { compileFilter, position, type Condition } from './filter.ts';

export interface PageOptions {
  /** @throws BAD_USER_INPUT, RANGE_TOO_WIDE, OLDER_THAN_RETENTION */
  readonly rangeOf: (input: TimeRange) => Range;
  readonly maxPageSize: number;
  readonly cursorKeys: readonly [PurposeKey, ...PurposeKey[]];
  readonly closed: ClosedReader;
}

export type EventRow = Readonly<Record<string, any>>; // oxlint-disable-line typescript/no-explicit-any -- a row of JSON, read by name in event-view

export const orderKey = ['timestamp', 'source_epoch', 'topic', 'kafka_partition', 'kafka_offset', 'message_index'] as const;
export const eventColumns = [
  '*',
  'toUnixTimestamp64Micro(timestamp) AS at_us',
  'toUnixTimestamp64Milli(received_at) AS arrival_ms',
  'toUnixTimestamp(sunset_at) * 1000 AS sunset_ms',
].join(', ');
const hour = 3_600_000;

/** What costs and may not be asked for (cursors, flags, the count) is a function, which GraphQL calls where it is. */
export async function auditPage(scope: Scope, page: QueryAuditEventsArgs, options: PageOptions) {
  const backwards = page.last != null || page.before != null;
  if (backwards && (page.first != null || page.after != null)) {
    throw new AuditError('BAD_USER_INPUT', 'Use first with after, or last with before, not both');
  }
  const size = (backwards ? page.last : page.first) ?? 50;
  if (size < 0 || size > options.maxPageSize) {
    throw new AuditError('BAD_USER_INPUT', `A page has 0 to ${options.maxPageSize} entries, asked for ${size}`);
  }
  const order = page.order ?? 'NEWEST_FIRST';
  const question = questionOf([scope.tenants, page.range, page.filter ?? null, order]);
  const text = backwards ? page.before : page.after;
  const cursor = text == null ? null : readCursor(options.cursorKeys, question, text);
  const range = cursor?.range ?? options.rangeOf(page.range);
  const bound = cursor?.bound ?? boundOf(await options.closed.read());
  const walk = { scope, range, where: whereOf(compileFilter(page.filter, scope.credentialKeys), bound) };
  const descending = (order === 'NEWEST_FIRST') !== backwards;
  const found = await readAlong(walk, { descending, limit: size + 1, beyond: cursor?.key ?? null });
  const rows = found.slice(0, size);
  const edge = rows[0] ? keyOf(rows[0]) : cursor?.key;
  const isMore = found.length > size;
  /** Asks a statement of its own. */
  const isSomethingBehind = async () => {
    if (!cursor || !edge) return false;
    return (await readAlong(walk, { descending: !descending, limit: 1, beyond: edge, inclusive: rows.length === 0 })).length > 0;
  };
  const nodes = backwards ? rows.toReversed() : rows;
  const edges = nodes.map((node) => ({
    node,
    cursor: () => writeCursor(options.cursorKeys[0], question, { key: keyOf(node), range, bound }),
  }));
  return {
    edges,
    nodes,
    pageInfo: {
      hasNextPage: backwards ? isSomethingBehind : isMore,
      hasPreviousPage: backwards ? isMore : isSomethingBehind,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    resolvedRange: range,
    totalCount: async (args: AuditEventConnectionTotalCountArgs) => countUpTo(await countAll(walk), args),
  };
}

/** One event by its id, within the scope and whatever its time. */
export async function auditEvent(scope: Scope, id: string): Promise<EventRow | null> {
  const parameters: Record<string, unknown> = {};
  const where = position(id, (value, type) => {
    const name = `p${Object.keys(parameters).length}`;
    parameters[name] = value;
    return `{${name}:${type}}`;
  });
  if (where === '0') return null;
  const [row = null] = await scope.events<EventRow>({ select: eventColumns, range: always, where, parameters, tail: 'LIMIT 1' });
  return row;
}

/** What DateTime64 holds. */
export const always: Range = { from: 0, to: 9_000_000_000_000 };

export const idOf = (row: EventRow) =>
  encodeEventId({
    sourceEpoch: Number(row['source_epoch']),
    topic: row['topic'],
    partition: Number(row['kafka_partition']),
    offset: Number(row['kafka_offset']),
    index: Number(row['message_index']),
  });

interface Walk {
  readonly scope: Scope;
  readonly range: Range;
  readonly where: Condition;
}

function whereOf(asked: Condition, bound: Bound): Condition {
  const stored = boundCondition(bound);
  return { sql: `${asked.sql} AND ${stored.sql}`, parameters: { ...asked.parameters, ...stored.parameters } };
}

interface Step {
  readonly descending: boolean;
  readonly limit: number;
  readonly beyond: Readonly<readonly (string | number)[]> | null;
  readonly inclusive?: boolean;
}

/** Near the start first: most pages are full after an hour, and a wide range costs nothing then. */
async function readAlong(walk: Walk, step: Step): Promise<EventRow[]> {
  let rows: EventRow[] = [];
  const start = step.beyond ? Math.floor(Number(step.beyond[0]) / 1_000) : step.descending ? walk.range.to - 1 : walk.range.from;
  for (const span of [hour, 24 * hour, Number.POSITIVE_INFINITY]) {
    const range = step.descending
      ? { from: Math.max(walk.range.from, start - span), to: Math.min(walk.range.to, start + 1) }
      : { from: Math.max(walk.range.from, start), to: Math.min(walk.range.to, start + span) };
    rows = await readWindow(walk, step, range);
    const whole = step.descending ? range.from === walk.range.from : range.to === walk.range.to;
    if (rows.length >= step.limit || whole) break;
  }
  return rows;
}

function readWindow(walk: Walk, step: Step, range: Range): Promise<EventRow[]> {
  const sign = `${step.descending ? '<' : '>'}${step.inclusive ? '=' : ''}`;
  const key = step.beyond
    ? `AND (${orderKey.join(', ')}) ${sign} (fromUnixTimestamp64Micro({k0:Int64}), {k1:UInt16}, {k2:String}, {k3:UInt32}, {k4:UInt64}, {k5:UInt32})`
    : '';
  const keys = Object.fromEntries((step.beyond ?? []).map((value, index) => [`k${index}`, value]));
  const direction = step.descending ? 'DESC' : 'ASC';
  return walk.scope.events<EventRow>({
    select: eventColumns,
    range,
    where: `${walk.where.sql} ${key}`,
    parameters: { ...walk.where.parameters, ...keys },
    tail: `ORDER BY ${orderKey.map((column) => `${column} ${direction}`).join(', ')}\nLIMIT ${step.limit}`,
  });
}

async function countAll({ scope, range, where }: Walk): Promise<number> {
  const [row] = await scope.events<{ found: string }>({
    select: 'count() AS found',
    range,
    where: where.sql,
    parameters: where.parameters,
  });
  return Number(row?.found ?? 0);
}

const keyOf = (row: EventRow): (string | number)[] => [String(row['at_us']), ...orderKey.slice(1).map((column) => row[column])];
