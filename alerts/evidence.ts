/** What a mail shows of the requests behind an alert: five of them, masked, and who or what contributed most. */
import type { Rule } from '../sigma/document.ts';
import type { AlertView } from '../storage/alerts.ts';
import { isMapped } from '../storage/address-text.ts';
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
  /** So far: more than the figures of the firing, which stay. */
  readonly requests: number;
  readonly gateways: string;
  readonly samples: readonly Sample[];
  readonly contributors: readonly { readonly name: string; readonly requests: number }[];
}

/** Of an alert that no request stands behind. */
export const noRequests: Evidence = { requests: 0, gateways: '', samples: [], contributors: [] };

/** Mails leave the house: the client is its network, a path its route, a query is not shown. */
export async function readEvidence(clickhouse: ClickHouse, rule: Rule, alert: AlertView): Promise<Evidence> {
  const where = `timestamp >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
  AND received_at >= fromUnixTimestamp64Milli({from:Int64} - 300000, 'UTC')
  AND tenant = {tenant:String}
  AND ${groupColumn(rule)} = {group:String}
  AND ${matches(rule.selections)}`;
  const parameters = { tenant: alert.tenant, group: alert.subject.value, from: alert.eventsFrom, to: alert.startedAt + stepMs };
  const [samples, contributors, [sum]] = await Promise.all([
    clickhouse.rows<Sample>(
      `SELECT formatDateTime(timestamp, '%H:%i:%S') AS at, http_request_method AS method, http_route AS route, http_response_status_code AS status,
  ${network} AS network, extract(user_agent_original, '^[A-Za-z][A-Za-z0-9._-]{0,30}') AS agent
FROM events
WHERE ${where}
ORDER BY timestamp, kafka_partition, kafka_offset, message_index
LIMIT 5`,
      { parameters },
    ),
    clickhouse.rows<{ name: string; requests: string }>(
      `SELECT concat(http_request_method, ' ', if(http_route = '', 'without a route', http_route)) AS name, count() AS requests
FROM events
WHERE ${where}
GROUP BY name
ORDER BY requests DESC, name
LIMIT 3`,
      { parameters },
    ),
    clickhouse.rows<{ requests: string; gateways: string }>(
      `SELECT count() AS requests,
  arrayStringConcat(arraySort(groupUniqArray(5)(if(gateway_name = '', gateway_kind, gateway_name))), ', ') AS gateways
FROM events
WHERE ${where}`,
      { parameters: { ...parameters, to: alert.lastSeenAt + stepMs } },
    ),
  ]);
  return {
    requests: Number(sum?.requests ?? 0),
    gateways: sum?.gateways ?? '',
    samples,
    contributors: contributors.map(({ name, requests }) => ({ name, requests: Number(requests) })),
  };
}

const masked = (bits: number) => `toString(tupleElement(IPv6CIDRToRange(assumeNotNull(client_address), ${bits}), 1))`;
const network = `multiIf(isNull(client_address), '',
    ${isMapped}, concat(replaceOne(${masked(120)}, '::ffff:', ''), '/24'),
    concat(${masked(48)}, '/48'))`;
