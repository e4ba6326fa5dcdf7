// Our way from Kafka against ClickHouse's own: its Kafka table engine with a materialized view that maps the same columns.
import { measureOurs } from './ours.mjs';
import { produce } from './produce.mjs';
import { makePeerTable, rowCounter, sameColumns, sameRows, sumsOf } from './same-columns.mjs';
import { median, rates, steadyState } from './steady.mjs';
import { defaultProcesses, withKafka, withStore } from './place.mjs';

const topic = 'bench';
const partitions = 4;
const consumerCounts = [1, 2, 4];
const processCounts = [1, defaultProcesses];

export default {
  title: "Ours / ClickHouse's own Kafka table engine",
  how: `Kong records of 1.3 kB wait in a topic of ${partitions} partitions. Each way reads all of them into a store of its own; counted
is the steady state, from the first rows that can be seen to the last, with the CPU of all its processes and without the
broker. Ours: the roles ingest and engine as they are by default (claim, read back, fsync, redaction, pseudonyms). Theirs: the engine in the same
process as ours, one materialized view into a table with the same columns, codecs and indexes, defaults otherwise, with
the best of ${consumerCounts.join(', ')} consumers, found before the pairs. Both tables are compared column by column.
\`gatetrail start\` runs ${inWords(defaultProcesses)} of ingest.`,
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
      const ours = (processes) => measureOurs(kafka, { topic, records, processes, checks });
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

const measureTheirs = (kafka, { records, consumers, checks }) =>
  withStore(async ({ clickhouse, engine }) => {
    await makePeerTable(clickhouse);
    for (const statement of queue(kafka.brokers, consumers)) await clickhouse.run(statement);
    const state = await steadyState({ rows: rowCounter(clickhouse, 'peer'), pids: { engine: [engine.pid] }, records });
    checks(await sumsOf(clickhouse, 'peer'));
    await clickhouse.run('DROP VIEW peer_view');
    await clickhouse.run('DROP TABLE peer_queue');
    return rates(state);
  });

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

/** The queue and the view that empties it into the table. */
function queue(brokers, consumers) {
  const columns = Object.entries({ ...sameColumns, ...alike }).map(([name, expression]) => `${expression} AS ${name}`);
  return [
    `CREATE TABLE peer_queue (${fields}) ENGINE = Kafka SETTINGS kafka_broker_list = '${brokers.join(',')}', kafka_topic_list = '${topic}',
  kafka_group_name = 'peer-${Date.now()}', kafka_format = 'JSONEachRow', kafka_num_consumers = ${consumers},
  kafka_thread_per_consumer = ${consumers > 1 ? 1 : 0}`,
    `CREATE MATERIALIZED VIEW peer_view TO peer AS SELECT ${columns.join(', ')} FROM peer_queue`,
  ];
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
