// Our way from Kafka against ClickHouse's own: its Kafka table engine with a materialized view that maps the same columns.
import { produce } from './produce.mjs';
import { median, rates, steadyState } from './steady.mjs';
import { withKafka, withStore } from './place.mjs';

const topic = 'bench';
const partitions = 4;
const consumerCounts = [1, 2, 4];
const processCounts = [1, 2];

export default {
  title: "Ours / ClickHouse's own Kafka table engine",
  how: `Kong records of 1.3 kB wait in a topic of ${partitions} partitions. Each way reads all of them into a store of its own; counted
is the steady state, from the first rows that can be seen to the last, with the CPU of all its processes and without the
broker. Ours: the roles ingest and engine as they are by default (claim, read back, fsync, redaction, pseudonyms). Theirs: the engine in the same
process as ours, one materialized view into a table with the same columns, codecs and indexes, defaults otherwise, with
the best of ${consumerCounts.join(', ')} consumers, found before the pairs. Both tables are compared column by column. A second
process of ingest uses the second core; what a user of \`gatetrail start\` gets is the row with 1.`,
  sizes: { full: { records: 1_000_000, pairs: 5 }, quick: { records: 120_000, pairs: 1 } },
  goals: Object.fromEntries(
    processCounts.flatMap((processes) => [
      [`records per second, ${inWords(processes)}`, { atLeast: 1.5, aim: 2 }],
      [`records per CPU second, ${inWords(processes)}`, { atLeast: 1.3, aim: 1.6 }],
    ]),
  ),
  measure: ({ records, pairs }, print) =>
    withKafka(async (kafka) => {
      for (const name of [topic, 'gatetrail-records']) await kafka.createTopic(name, partitions);
      await produce(kafka.brokers, { topic, partitions, records });
      const checks = sameRows();
      const ours = (processes) => measureOurs(kafka, { records, processes, checks });
      const theirs = (consumers) => measureTheirs(kafka, { records, consumers, checks });
      const trials = [];
      for (const consumers of consumerCounts) {
        trials.push({ consumers, ...(await theirs(consumers)) });
        print(`theirs, ${consumers} consumers: ${figures(trials.at(-1))}`);
      }
      const { consumers: best } = trials.toSorted((a, b) => b.recordsPerSecond - a.recordsPerSecond)[0];
      const done = [];
      for (let pair = 1; pair <= pairs; pair += 1) {
        const entry = { theirs: await theirs(best), ours: [] };
        for (const processes of processCounts) entry.ours.push(await ours(processes));
        done.push(entry);
        print(`pair ${pair}: theirs ${figures(entry.theirs)}`);
        for (const [at, each] of entry.ours.entries()) print(`pair ${pair}: ours, ${inWords(processCounts[at])} ${figures(each)}`);
      }
      return summary(trials, best, done);
    }),
};

function inWords(processes) {
  return `${processes} process${processes === 1 ? '' : 'es'}`;
}

const figures = ({ recordsPerSecond, cpuPerMillion, wholeCpuPerMillion }) =>
  `${Math.round(recordsPerSecond)} records/s, ${cpuPerMillion.toFixed(1)} CPU s per million (${wholeCpuPerMillion.toFixed(1)} from the start)`;

const measureOurs = (kafka, { records, processes, checks }) =>
  withStore(async ({ clickhouse, engine, startIngest }) => {
    const ingest = await startIngest({ brokers: kafka.brokers, topics: [topic] }, processes);
    const state = await steadyState({ rows: counter(clickhouse, 'events'), pids: { ingest: ingest.pids, engine: [engine.pid] }, records });
    await ingest.stop();
    checks(await sumsOf(clickhouse, 'events'));
    return rates(state);
  });

const measureTheirs = (kafka, { records, consumers, checks }) =>
  withStore(async ({ clickhouse, engine }) => {
    for (const statement of await tables(clickhouse, kafka.brokers, consumers)) await clickhouse.run(statement);
    const state = await steadyState({ rows: counter(clickhouse, 'peer'), pids: { engine: [engine.pid] }, records });
    checks(await sumsOf(clickhouse, 'peer'));
    await clickhouse.run('DROP VIEW peer_view');
    await clickhouse.run('DROP TABLE peer_queue');
    return rates(state);
  });

/** Without a condition the engine answers from what it knows of the parts. */
const counter = (clickhouse, table) => async () => Number((await clickhouse.rows(`SELECT count() AS n FROM ${table}`))[0].n);

/** Columns that both ways fill alike, and how the view reads them. */
const same = {
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
/** The time of arrival differs, and the values of a query are taken out by us alone. Pseudonyms and constants of a batch are ours alone, too. */
const alike = { received_at: 'now64(3)', url_query: 'queryString(request.uri)' };

const fields = `request Tuple(id String, uri String, url String, method String, size UInt64,
    headers Tuple(\`user-agent\` String, \`x-forwarded-for\` String), tls Tuple(version String, cipher String)),
  upstream_status String,
  response Tuple(status UInt16, size UInt64),
  latencies Tuple(kong Float64, proxy Float64, request Float64),
  tries Array(Tuple(ip String)),
  authenticated_entity Tuple(id String),
  route Tuple(id String, name String, paths Array(String)),
  service Tuple(id String, name String),
  consumer Tuple(id String, username String),
  client_ip String,
  started_at Int64`;

async function tables(clickhouse, brokers, consumers) {
  const [{ partition_key: partition, sorting_key: order }] = await clickhouse.rows(
    "SELECT partition_key, sorting_key FROM system.tables WHERE database = currentDatabase() AND name = 'events'",
  );
  const names = async (kind) => clickhouse.rows(`SELECT name FROM system.${kind} WHERE database = currentDatabase() AND table = 'events'`);
  const without = (await names('projections')).map(({ name }) => `ALTER TABLE peer DROP PROJECTION ${name}`);
  const columns = Object.entries({ ...same, ...alike }).map(([name, expression]) => `${expression} AS ${name}`);
  return [
    `CREATE TABLE peer AS events ENGINE = MergeTree PARTITION BY ${partition} ORDER BY (${order})`,
    'ALTER TABLE peer DROP CONSTRAINT timestamp_is_not_ahead_of_arrival',
    ...without,
    `CREATE TABLE peer_queue (${fields}) ENGINE = Kafka SETTINGS kafka_broker_list = '${brokers.join(',')}', kafka_topic_list = '${topic}',
  kafka_group_name = 'peer-${Date.now()}', kafka_format = 'JSONEachRow', kafka_num_consumers = ${consumers},
  kafka_thread_per_consumer = ${consumers > 1 ? 1 : 0}`,
    `CREATE MATERIALIZED VIEW peer_view TO peer AS SELECT ${columns.join(', ')} FROM peer_queue`,
  ];
}

/** A sum over the hashes of each column: equal for equal rows, in whatever order. */
async function sumsOf(clickhouse, table) {
  const sums = Object.keys(same).map((name) => `toString(sum(cityHash64(toString(${name})))) AS ${name}`);
  return (await clickhouse.rows(`SELECT toString(count()) AS rows, ${sums.join(', ')} FROM (SELECT * FROM ${table})`))[0];
}

/** All runs must have stored the same. */
function sameRows() {
  let first = null;
  return (sums) => {
    first ??= sums;
    const differ = Object.keys(first).filter((name) => sums[name] !== first[name]);
    if (differ.length > 0) throw new Error(`the two ways stored different values in ${differ.join(', ')}`);
  };
}

function summary(trials, best, done) {
  const of = (pick) => median(done.map(pick));
  const values = { 'theirs, best number of consumers': best };
  for (const { consumers, recordsPerSecond, cpuPerMillion } of trials) {
    values[`theirs, ${consumers} consumers, records per second`] = recordsPerSecond;
    values[`theirs, ${consumers} consumers, CPU s per million`] = cpuPerMillion;
  }
  values['theirs, records per second'] = of(({ theirs }) => theirs.recordsPerSecond);
  values['theirs, CPU s per million'] = of(({ theirs }) => theirs.cpuPerMillion);
  const ratios = {};
  for (const [at, processes] of processCounts.entries()) {
    const name = inWords(processes);
    values[`ours, ${name}, records per second`] = of(({ ours }) => ours[at].recordsPerSecond);
    values[`ours, ${name}, CPU s per million`] = of(({ ours }) => ours[at].cpuPerMillion);
    values[`ours, ${name}, CPU s per million, ingest`] = of(({ ours }) => ours[at].cpu.ingest);
    values[`ours, ${name}, CPU s per million, engine`] = of(({ ours }) => ours[at].cpu.engine);
    ratios[`records per second, ${name}`] = of(({ ours, theirs }) => ours[at].recordsPerSecond / theirs.recordsPerSecond);
    ratios[`records per CPU second from the start, ${name}`] = of(
      ({ ours, theirs }) => theirs.wholeCpuPerMillion / ours[at].wholeCpuPerMillion,
    );
    ratios[`records per CPU second, ${name}`] = of(({ ours, theirs }) => theirs.cpuPerMillion / ours[at].cpuPerMillion);
  }
  const table = done.map(({ ours, theirs }, pair) => ({
    pair: pair + 1,
    'theirs, records/s': theirs.recordsPerSecond,
    'theirs, CPU s/M': theirs.cpuPerMillion,
    ...Object.fromEntries(
      ours.flatMap((each, at) => [
        [`ours (${processCounts[at]}), records/s`, each.recordsPerSecond],
        [`ours (${processCounts[at]}), CPU s/M`, each.cpuPerMillion],
        [`rate ratio (${processCounts[at]})`, each.recordsPerSecond / theirs.recordsPerSecond],
        [`CPU ratio (${processCounts[at]})`, theirs.cpuPerMillion / each.cpuPerMillion],
        [`from the start (${processCounts[at]})`, theirs.wholeCpuPerMillion / each.wholeCpuPerMillion],
      ]),
    ),
  }));
  return { values, ratios, table };
}
