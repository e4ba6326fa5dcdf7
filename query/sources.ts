/** Each gateway as it reports: how much, since when, whether it is silent, whether its clock is right, what it never gives. */
import type { ClickHouse } from '../storage/clickhouse.ts';
import { counted } from '../storage/dead-letters.ts';
import type { Range, Scope } from '../storage/scope.ts';
import { always } from './audit-trail.ts';

/** Fields that detection and figures stand on, with the condition under which an event has them. */
const looked: Readonly<Record<string, string>> = {
  http_request_method: "http_request_method != ''",
  url_path: "url_path != ''",
  http_route: "http_route != ''",
  http_response_status_code: 'isNotNull(http_response_status_code)',
  duration_ms: 'isNotNull(duration_ms)',
  upstream_duration_ms: 'isNotNull(upstream_duration_ms)',
  client_address: 'isNotNull(client_address)',
  consumer_name: "consumer_name != ''",
  credential_id: "credential_id != '' OR credential_hash != ''",
  user_agent_original: "user_agent_original != ''",
  request_id: "request_id != ''",
  trace_id: "trace_id != ''",
};
const unreadableCodes = ['BAD_FIELD', 'MISSING_TIME', 'BAD_TIME'];
const arrival = 'received_at >= fromUnixTimestamp64Milli({from:Int64}) AND received_at < fromUnixTimestamp64Milli({to:Int64})';
/** Records that came later than this were kept somewhere: they say nothing about a clock. */
const liveMs = 3_600_000;
const silentAfterMs = 300_000;

/** How many events, and which part of all, make a format the expected one of a gateway. */
const [agreeing, share] = [50, 0.9];

interface Row {
  readonly tenant: string;
  readonly gateway: string;
  readonly kind: string;
  readonly format: string;
  readonly topic: string;
  readonly n: string;
  readonly first_ms: string;
  readonly last_ms: string;
  readonly skew: number | null;
  readonly missing: string[];
}

export async function sourceStatus(clickhouse: ClickHouse, scope: Scope, range: Range, now: number) {
  const missing = Object.entries(looked).map(([name, there]) => `if(countIf(${there}) = 0, ['${name}'], [])`);
  const late = 'toUnixTimestamp64Milli(received_at) - toUnixTimestamp64Milli(timestamp)';
  const rows = await scope.events<Row>({
    select: `tenant, gateway_name AS gateway, gateway_kind AS kind, source_format AS format, topic, count() AS n,
  toUnixTimestamp64Milli(min(received_at)) AS first_ms, toUnixTimestamp64Milli(max(received_at)) AS last_ms,
  toFloat64(-minOrNullIf(${late}, ${late} < ${liveMs})) AS skew, arrayConcat(${missing.join(', ')}) AS missing`,
    range: always,
    where: arrival,
    parameters: { ...range },
    tail: 'GROUP BY tenant, gateway, kind, format, topic\nORDER BY tenant, gateway, kind, format, topic',
  });
  const unreadable = await unreadableRecords(clickhouse, range);
  const expected = expectedFormats(rows.map((row) => ({ ...row, events: Number(row.n) })));
  return rows.map((row) => ({
    tenant: row.tenant,
    gateway: row.gateway === '' ? null : row.gateway,
    kind: row.kind,
    format: row.format,
    topic: row.topic,
    events: Number(row.n),
    firstSeenAt: Number(row.first_ms),
    lastSeenAt: Number(row.last_ms),
    silent: isSilent(row, Math.min(now, range.to)),
    clockSkewMs: row.skew,
    drifted:
      (unreadable.get(`${row.tenant} ${row.topic} ${row.format}`) ?? 0) +
      ((expected.get(streamOf(row)) ?? row.format) === row.format ? 0 : Number(row.n)),
    missingFields: row.missing,
  }));
}

/** Nothing for ten times its usual pause, and for five minutes at least. */
function isSilent(row: Row, until: number): boolean {
  const [first, last] = [Number(row.first_ms), Number(row.last_ms)];
  return until - last > Math.max(silentAfterMs, (10 * (last - first)) / Number(row.n));
}

type Stream = Pick<Row, 'tenant' | 'topic' | 'gateway'>;

export const streamOf = ({ tenant, topic, gateway }: Stream): string => JSON.stringify([tenant, topic, gateway]);

/**
 * By gateway, the format of nearly all of its events; none where several are usual, as of posts that name no gateway. What is
 * stored decides, not what a process of ingest has seen since its start.
 */
export function expectedFormats(rows: readonly (Stream & { readonly format: string; readonly events: number })[]): Map<string, string> {
  const total = new Map<string, number>();
  const ofFormat = new Map<string, number>();
  const add = (counts: Map<string, number>, key: string, events: number) => counts.set(key, (counts.get(key) ?? 0) + events);
  for (const row of rows) {
    add(total, streamOf(row), row.events);
    add(ofFormat, streamOf(row) + row.format, row.events);
  }
  const isExpected = (row: (typeof rows)[number]) => {
    const events = ofFormat.get(streamOf(row) + row.format) ?? 0;
    return events >= agreeing && events >= share * (total.get(streamOf(row)) ?? 0);
  };
  return new Map(rows.filter(isExpected).map((row) => [streamOf(row), row.format]));
}

/** Records that were recognised and then did not hold what the format promises. */
async function unreadableRecords(clickhouse: ClickHouse, range: Range): Promise<Map<string, number>> {
  const rows = await clickhouse.rows<{ place: string; n: string }>(
    `SELECT concat(tenant, ' ', topic, ' ', detected_format) AS place, count() AS n
FROM dead_letters FINAL
WHERE ${counted(`${arrival} AND has({codes:Array(String)}, code)`)}
GROUP BY place`,
    { parameters: { ...range, codes: unreadableCodes } },
  );
  return new Map(rows.map(({ place, n }) => [place, Number(n)]));
}
