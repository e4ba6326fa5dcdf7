// The consumer that most people write first: JSON.parse, an object a row, client.insert, auto-commit.
// As a program: node bench/naive-consumer.mjs '{"brokers":[…],"topic":…,"url":…,"password":…,"perInsert":20000}'; perInsert 0 is one
// insert per fetch. Runs until it is stopped.
import { createClient } from '@clickhouse/client';
import kafkajs from 'kafkajs';

export const openNaive = ({ url, password }) => createClient({ url, username: 'ingest', password, database: 'gatetrail' });

export const insertNaive = (client, rows) => client.insert({ table: 'peer', values: rows, format: 'JSONEachRow' });

const outcomeOf = (status) => {
  if (status < 400) return 'success';
  if (status === 401 || status === 403 || status === 407) return 'auth_failure';
  if (status === 429) return 'rate_limited';
  if (status < 500) return 'client_error';
  return status < 600 ? 'server_error' : 'unknown';
};

/** As ClickHouse reads a time by default. */
const toTime = (ms) => new Date(ms).toISOString().slice(0, -1).replace('T', ' ');

/** The columns that ours fills from a Kong record. */
export function naiveRow({ request, response, latencies, ...record }, { topic, partition, offset }) {
  const url = new URL(request.url);
  const mark = request.uri.indexOf('?');
  return {
    received_at: toTime(Date.now()),
    topic,
    kafka_partition: partition,
    kafka_offset: offset,
    timestamp: toTime(record.started_at),
    time_source: 'start',
    tenant: 'default',
    gateway_kind: 'kong',
    source_format: 'kong',
    http_request_method: request.method,
    url_scheme: url.protocol.slice(0, -1),
    server_address: url.hostname,
    url_path: mark < 0 ? request.uri : request.uri.slice(0, mark),
    url_query: mark < 0 ? '' : request.uri.slice(mark + 1),
    http_route: record.route?.paths?.[0] ?? '',
    gateway_route_id: record.route?.id ?? '',
    gateway_route_name: record.route?.name ?? '',
    gateway_service_id: record.service?.id ?? '',
    gateway_service_name: record.service?.name ?? '',
    http_response_status_code: response.status,
    upstream_status_code: Number(record.upstream_status),
    upstream_attempts: record.tries.length,
    outcome: outcomeOf(response.status),
    duration_ms: latencies.request,
    upstream_duration_ms: latencies.proxy,
    gateway_duration_ms: latencies.kong,
    http_request_size: request.size,
    http_response_size: response.size,
    client_address: record.client_ip,
    forwarded_for: request.headers['x-forwarded-for'] ?? '',
    consumer_id: record.consumer?.id ?? '',
    consumer_name: record.consumer?.username ?? '',
    credential_id: record.authenticated_entity?.id ?? '',
    user_agent_original: request.headers['user-agent'] ?? '',
    tls_protocol_version: request.tls?.version ?? '',
    tls_cipher: request.tls?.cipher ?? '',
    request_id: request.id,
  };
}

async function consume({ brokers, topic, url, password, perInsert }) {
  const client = openNaive({ url, password });
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.ERROR });
  const consumer = kafka.consumer({ groupId: `naive-${Date.now()}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  let rows = [];
  let late = null;
  const flush = async () => {
    clearTimeout(late);
    const full = rows;
    rows = [];
    if (full.length === 0) return;
    await insertNaive(client, full).catch((error) => {
      console.error(error.message);
      process.exit(1);
    });
  };
  await consumer.run({
    async eachBatch({ batch }) {
      clearTimeout(late);
      for (const { value, offset } of batch.messages) {
        rows.push(naiveRow(JSON.parse(value.toString()), { topic, partition: batch.partition, offset: Number(offset) }));
      }
      if (rows.length >= perInsert) await flush();
      else late = setTimeout(() => void flush(), 1_000); // the end of the topic
    },
  });
}

if (process.argv[1] === import.meta.filename) await consume(JSON.parse(process.argv[2]));
