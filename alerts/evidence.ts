/** What a mail shows of the requests behind an alert: five of them, masked, and who or what contributed most. */
import type { AlertFacts } from '../schemas/alert.ts';
import type { Rule } from '../sigma/document.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import { groupColumn, matches, stepMs } from './compile/rule.ts';

export interface Sample {
  readonly at: string;
  readonly method: string;
  readonly route: string;
  readonly status: number | null;
  readonly network: string;
  readonly agent: string;
}
export interface Evidence {
  readonly samples: readonly Sample[];
  readonly contributors: readonly { readonly name: string; readonly requests: number }[];
}

/** Mails leave the house: the client is its network, a path its route, a query is not shown. */
export async function readEvidence(clickhouse: ClickHouse, rule: Rule, alert: AlertFacts): Promise<Evidence> {
  const where = `timestamp >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
  AND received_at >= fromUnixTimestamp64Milli({from:Int64} - 300000, 'UTC')
  AND tenant = {tenant:String}
  AND ${groupColumn(rule)} = {group:String}
  AND ${matches(rule.selections)}`;
  const parameters = { tenant: alert.tenant, group: alert.subject.value, from: alert.eventsFrom, to: alert.startedAt + stepMs };
  const other = rule.groupBy === 'client_address' ? "if(consumer_name = '', 'no consumer', 'a consumer')" : "'one consumer'";
  const [samples, contributors] = await Promise.all([
    clickhouse.rows<Sample>(
      `SELECT formatDateTime(timestamp, '%H:%i:%S') AS at, http_request_method AS method, http_route AS route, http_response_status_code AS status,
  replaceOne(ifNull(toString(if(startsWith(toString(client_address), '::ffff:'), tupleElement(IPv6CIDRToRange(assumeNotNull(client_address), 120), 1), tupleElement(IPv6CIDRToRange(assumeNotNull(client_address), 48), 1))), ''), '::ffff:', '') AS network,
  extract(user_agent_original, '^[A-Za-z][A-Za-z0-9._-]{0,30}') AS agent
FROM events
WHERE ${where}
ORDER BY timestamp, kafka_partition, kafka_offset, message_index
LIMIT 5`,
      { parameters },
    ),
    clickhouse.rows<{ name: string; requests: string }>(
      `SELECT concat(http_request_method, ' ', if(http_route = '', 'no route', http_route), ' (', ${other}, ')') AS name, count() AS requests
FROM events
WHERE ${where}
GROUP BY name
ORDER BY requests DESC, name
LIMIT 3`,
      { parameters },
    ),
  ]);
  return { samples, contributors: contributors.map(({ name, requests }) => ({ name, requests: Number(requests) })) };
}
