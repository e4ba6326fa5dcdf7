// What another way into ClickHouse must store to be compared with ours: the same columns, in a table with the same codecs and indexes.

/** Columns that both ways fill alike, as SQL over a Kong record. */
export const sameColumns = {
  topic: '_topic',
  kafka_partition: '_partition',
  kafka_offset: '_offset',
  timestamp: "fromUnixTimestamp64Milli(started_at, 'UTC')",
  time_source: "'start'",
  tenant: "'default'",
  gateway_kind: "'kong'",
  source_format: "'kong'",
  http_request_method: 'request.method',
  url_scheme: 'protocol(request.url)',
  server_address: 'domain(request.url)',
  url_path: 'cutQueryString(request.uri)',
  http_route: 'route.paths[1]',
  gateway_route_id: 'route.id',
  gateway_route_name: 'route.name',
  gateway_service_id: 'service.id',
  gateway_service_name: 'service.name',
  http_response_status_code: 'response.status',
  upstream_status_code: 'toUInt16OrNull(upstream_status)',
  upstream_attempts: 'length(tries)',
  outcome: `multiIf(response.status < 400, 'success', response.status IN (401, 403, 407), 'auth_failure', response.status = 429, 'rate_limited',
    response.status < 500, 'client_error', response.status < 600, 'server_error', 'unknown')`,
  duration_ms: 'latencies.request',
  upstream_duration_ms: 'latencies.proxy',
  gateway_duration_ms: 'latencies.kong',
  http_request_size: 'request.size',
  http_response_size: 'response.size',
  client_address: 'toIPv6OrNull(client_ip)',
  forwarded_for: 'request.headers.`x-forwarded-for`',
  consumer_id: 'consumer.id',
  consumer_name: 'consumer.username',
  credential_id: 'authenticated_entity.id',
  user_agent_original: 'request.headers.`user-agent`',
  tls_protocol_version: 'request.tls.version',
  tls_cipher: 'request.tls.cipher',
  request_id: 'request.id',
};

/** An empty table like `events`, with the defaults of the engine: no projections, tokens or fsync, which are ours alone. */
export async function makePeerTable(clickhouse) {
  const [{ partition_key: partition, sorting_key: order }] = await clickhouse.rows(
    "SELECT partition_key, sorting_key FROM system.tables WHERE database = currentDatabase() AND name = 'events'",
  );
  await clickhouse.run(`CREATE TABLE peer AS events ENGINE = MergeTree PARTITION BY ${partition} ORDER BY (${order})`);
  await clickhouse.run('ALTER TABLE peer DROP CONSTRAINT timestamp_is_not_ahead_of_arrival');
  const projections = await clickhouse.rows("SELECT name FROM system.projections WHERE database = currentDatabase() AND table = 'peer'");
  for (const { name } of projections) await clickhouse.run(`ALTER TABLE peer DROP PROJECTION ${name}`);
}

/** Without a condition the engine answers from what it knows of the parts. */
export const rowCounter = (clickhouse, table) => async () => Number((await clickhouse.rows(`SELECT count() AS n FROM ${table}`))[0].n);

/** Ours names the route by the path where the gateway gave a mere prefix, and keeps that beside it: it is what both have. */
const asGiven = { http_route: "if(mapContains(attributes, 'gateway_path'), attributes['gateway_path'], http_route)" };

/** A sum over the hashes of each column: equal for equal rows, in whatever order. */
export async function sumsOf(clickhouse, table) {
  const sums = Object.keys(sameColumns).map((name) => `toString(sum(cityHash64(toString(${asGiven[name] ?? name})))) AS ${name}`);
  return (await clickhouse.rows(`SELECT toString(count()) AS rows, ${sums.join(', ')} FROM (SELECT * FROM ${table})`))[0];
}

/** All runs must have stored the same. */
export function sameRows() {
  let first = null;
  return (sums) => {
    first ??= sums;
    const differ = Object.keys(first).filter((name) => sums[name] !== first[name]);
    if (differ.length > 0) throw new Error(`the two ways stored different values in ${differ.join(', ')}`);
  };
}
