/** Every documented record, produced to Kafka as its gateway sends it, comes out of GraphQL as the event that it describes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeEngine, startEngine, type TestEngine } from '../support/engine.ts';
import { asGiven, bytesOf, type Fixture, fixtureFiles, formatsOf, readFixture, sourceOf, withAnyHash } from '../support/fixtures.ts';
import { type Answer, graphql, startGatetrail, until, type Running } from '../support/gatetrail.ts';
import { startKafka, type TestKafka } from '../support/kafka.ts';
import { sqlRows } from '../support/sql.ts';
import type { Expected } from '../support/traffic.ts';

const { Kafka, logLevel } = kafkajs;
const adminKey = 'gtk_fixtures1_0123456789abcdefghijABCDEFGHIJ01_00000000';
const dataDir = mkdtempSync(join(tmpdir(), 'gatetrail-fixtures-'));

const fixtures = fixtureFiles.map((file) => ({ file, ...readFixture(file) }));

/** One topic for each way in which a source is configured. */
const topics = new Map<string, { readonly topic: string; readonly settings: Fixture['settings']; readonly fixtures: typeof fixtures }>();
for (const fixture of fixtures) {
  const key = JSON.stringify(fixture.settings ?? {});
  const known = topics.get(key) ?? { topic: `fixtures-${Date.now()}-${topics.size}`, settings: fixture.settings, fixtures: [] };
  topics.set(key, { ...known, fixtures: [...known.fixtures, fixture] });
}

let kafka: TestKafka;
let engine: TestEngine;
let database: string;
let service: Running;
/** What must come of each element, by `topic/offset/index`. */
const wanted = new Map<string, { readonly file: string; readonly element: Expected }>();

beforeAll(async () => {
  [kafka, engine] = await Promise.all([startKafka({ partitions: 1 }), startEngine()]);
  console.log(`log: ${await kafka.describe()}; engine: ${await describeEngine(engine)}`);
  database = await engine.createDatabase();
  await kafka.createTopic('gatetrail-records', 1).catch(() => {}); // a shared broker has it already
  await Promise.all([...topics.values()].map(({ topic }) => kafka.createTopic(topic, 1)));
  const config = join(dataDir, 'gatetrail.yaml');
  const sources = [...topics.values()].map(({ topic, settings }) => ({ topic, ...sourceOf({ settings }) }));
  writeFileSync(config, JSON.stringify({ formats: fixtures.flatMap(formatsOf), sources })); // JSON is YAML
  await produce();
  service = await startGatetrail(['start', '--config', config], {
    dataDir,
    env: {
      GATETRAIL_SECRET: 'a secret of the tests, long enough to pass',
      GATETRAIL_ADMIN_KEY: adminKey,
      GATETRAIL_KAFKA_BROKERS: kafka.brokers.join(','),
      GATETRAIL_CLICKHOUSE_URL: engine.url,
      GATETRAIL_CLICKHOUSE_USER: engine.user,
      GATETRAIL_CLICKHOUSE_PASSWORD: engine.password,
      GATETRAIL_CLICKHOUSE_DATABASE: database,
    },
  });
}, 180_000);

afterAll(async () => {
  await service?.stop();
  await Promise.allSettled([engine?.stop(), kafka?.stop()]);
  rmSync(dataDir, { recursive: true, force: true });
});

async function produce(): Promise<void> {
  const producer = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const topicMessages = [...topics.values()].map((each) => ({
    topic: each.topic,
    messages: each.fixtures.map(({ message, headers = {} }) => ({ partition: 0, value: bytesOf(message), headers: { ...headers } })),
  }));
  await producer.sendBatch({ acks: -1, topicMessages });
  await producer.disconnect();
  for (const { topic, fixtures: inOrder } of topics.values())
    inOrder.forEach(({ file, expected }, offset) =>
      expected.forEach((element, index) => wanted.set(`${topic}/${offset}/${index}`, { file, element: withAnyHash(element) })),
    );
}

interface Node extends Readonly<Record<string, unknown>> {
  readonly receivedAt: string;
  readonly position: { readonly topic: string; readonly offset: number; readonly index: number };
}

/** Where the API has a column of the table. */
const places: Readonly<Record<string, string>> = {
  timestamp: 'timestamp',
  time_source: 'timeSource',
  tenant: 'tenant',
  gateway_kind: 'gateway.kind',
  gateway_name: 'gateway.name',
  source_format: 'gateway.format',
  gateway_route_id: 'gateway.routeId',
  gateway_route_name: 'gateway.routeName',
  gateway_service_id: 'gateway.serviceId',
  gateway_service_name: 'gateway.serviceName',
  http_request_method: 'request.method',
  http_request_method_original: 'request.methodOriginal',
  url_scheme: 'request.scheme',
  server_address: 'request.host',
  url_path: 'request.path',
  url_query: 'request.query',
  http_route: 'request.route',
  http_request_size: 'request.bytes',
  http_request_body_size: 'request.bodyBytes',
  user_agent_original: 'request.userAgent',
  network_protocol_version: 'request.protocol',
  tls_protocol_version: 'request.tlsVersion',
  tls_cipher: 'request.tlsCipher',
  http_response_status_code: 'response.status',
  upstream_status_code: 'response.upstreamStatus',
  upstream_attempts: 'response.upstreamAttempts',
  http_response_size: 'response.bytes',
  http_response_body_size: 'response.bodyBytes',
  outcome: 'outcome',
  error_type: 'errorType',
  duration_ms: 'durationMs',
  upstream_duration_ms: 'upstreamDurationMs',
  gateway_duration_ms: 'gatewayDurationMs',
  client_address: 'client.address',
  network_peer_address: 'client.peerAddress',
  forwarded_for: 'client.forwardedFor',
  consumer_id: 'principal.consumerId',
  consumer_name: 'principal.consumerName',
  consumer_group: 'principal.consumerGroup',
  credential_id: 'principal.credentialId',
  credential_hash: 'principal.credentialHash',
  auth_type: 'principal.authType',
  api_id: 'api.id',
  api_name: 'api.name',
  api_version: 'api.version',
  operation_id: 'api.operation',
  request_id: 'requestId',
  trace_id: 'traceId',
  span_id: 'spanId',
  attributes: 'attributes',
};

/** As GraphQL asks for them: `request { method host }`. */
function selection(): string {
  const groups = new Map<string, string[]>();
  for (const place of Object.values(places)) {
    const [first = '', second] = place.split('.');
    groups.set(first, [...(groups.get(first) ?? []), ...(second === undefined ? [] : [second])]);
  }
  return [...groups].map(([name, fields]) => (fields.length === 0 ? name : `${name} { ${fields.join(' ')} }`)).join(' ');
}

/** A column of the table as the API shows it: absent is null, an IPv4 address looks like one, words are in capitals. */
function asShown(column: string, value: unknown): unknown {
  if (column === 'timestamp') return new Date(Math.floor(Date.parse(`${String(value).replace(' ', 'T')}Z`))).toISOString();
  if (column === 'time_source' || column === 'outcome') return String(value).toUpperCase();
  if (typeof value === 'string' && value.startsWith('::ffff:')) return value.slice('::ffff:'.length);
  if (column === 'attributes' && Object.keys(value as object).length === 0) return null;
  return value === '' ? null : value;
}

function valueAt(node: Node, place: string): unknown {
  const [first = '', second] = place.split('.');
  const found = node[first];
  return second === undefined ? found : (found as Readonly<Record<string, unknown>> | null)?.[second];
}

const maxAheadMs = 5 * 60_000;

/** Times that a wrong clock wrote were replaced when the record arrived; which are wrong depends on the day of this test. */
function columnsToCompare(row: Readonly<Record<string, unknown>>, receivedAt: string): string[] {
  const at = Date.parse(`${String(row['timestamp']).replace(' ', 'T')}Z`);
  const isClamped = row['time_source'] === 'ingest' || at > Date.parse(receivedAt) + maxAheadMs;
  return Object.keys(row).filter((column) => !(isClamped && ['timestamp', 'time_source', 'attributes'].includes(column)));
}

async function pages(query: string, name: 'auditEvents' | 'deadLetters', from: string): Promise<Node[]> {
  const nodes: Node[] = [];
  const range = { absolute: { from, to: new Date(Date.now() + 86_400_000).toISOString() } };
  for (let after: string | null = null, more = true; more;) {
    const answer: Answer<Record<string, Page>> = await graphql({ url: service.ready.url, token: adminKey }, query, { range, after });
    expect(answer).not.toHaveProperty('errors');
    const page: Page | undefined = answer.data[name];
    nodes.push(...(page?.nodes ?? []));
    more = page?.pageInfo.hasNextPage === true;
    after = page?.pageInfo.endCursor ?? null;
  }
  return nodes;
}

interface Page {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** Nothing is left of attributes or of a route where enrichment alone had given one. */
const emptyAsNull = (value: unknown): unknown =>
  value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0) ? null : value;

const placeOf = ({ position: { topic, offset, index } }: Node) => `${topic}/${offset}/${index}`;
const ofKind = (kind: Expected['kind']) => [...wanted].filter(([, { element }]) => element.kind === kind);

describe('all fixtures', () => {
  test('are stored', async () => {
    const totals = async () => {
      const sql = `SELECT sum(records) AS records, sum(skipped) AS skipped,
  (SELECT count() FROM events WHERE batch_events > 0) AS events, (SELECT count() FROM dead_letters FINAL) AS letters FROM batches WHERE revision = 0`;
      const [row] = await sqlRows<Record<'records' | 'skipped' | 'events' | 'letters', string>>(engine, sql, database);
      return Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)]));
    };
    const all = {
      records: wanted.size,
      skipped: ofKind('skipped').length,
      events: ofKind('event').length,
      letters: ofKind('rejected').length,
    };
    await until(totals, (row) => (row['events'] ?? 0) + (row['letters'] ?? 0) >= all.events + all.letters, 100_000).catch(() => {});
    expect(await totals()).toEqual(all);
  }, 120_000);

  test('GraphQL shows each event as its fixture says', async () => {
    const query = `query ($range: TimeRange!, $after: String) { auditEvents(range: $range, first: 200, after: $after) {
      nodes { receivedAt position { topic offset index } ${selection()} } pageInfo { hasNextPage endCursor } } }`;
    const nodes = await pages(query, 'auditEvents', '1999-12-31T00:00:00Z');
    const left = new Map(ofKind('event'));
    for (const node of nodes) {
      const { file, element } = left.get(placeOf(node)) ?? {};
      left.delete(placeOf(node)); // a second one of the same place finds nothing
      if (element?.kind !== 'event') throw new Error(`an event at ${placeOf(node)} that no fixture describes: ${JSON.stringify(node)}`);
      const columns = columnsToCompare(element.row, node.receivedAt);
      const row = asGiven(Object.fromEntries(Object.entries(places).map(([column, place]) => [column, valueAt(node, place)])));
      const shown = Object.fromEntries(columns.map((column) => [column, emptyAsNull(row[column])]));
      const described = Object.fromEntries(columns.map((column) => [column, asShown(column, element.row[column])]));
      expect({ file, ...shown }).toEqual({ file, ...described });
    }
    expect([...left]).toEqual([]);
    expect(nodes.length).toBeGreaterThan(600);
  });

  test('what cannot be read is a dead letter with the code and the path that the fixture says', async () => {
    const query = `query ($range: TimeRange!, $after: String) { deadLetters(range: $range, first: 200, after: $after) {
      nodes { code path position { topic offset index } } pageInfo { hasNextPage endCursor } } }`;
    const left = new Map(ofKind('rejected'));
    for (const node of await pages(query, 'deadLetters', new Date(Date.now() - 86_400_000).toISOString())) {
      const { file, element } = left.get(placeOf(node)) ?? {};
      left.delete(placeOf(node));
      const { code, path } = (element ?? {}) as { code?: string; path?: string };
      const got = { file, code: node['code'], ...(path !== undefined && { path: node['path'] }) };
      expect(got).toEqual({ file, code, ...(path !== undefined && { path: path === '' ? null : path }) });
    }
    expect([...left]).toEqual([]);
  });
});
