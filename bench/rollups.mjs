// What counters by minute and hour cost and save: `node bench/rollups.mjs [EVENTS]`, on the embedded engine alone, without Kafka.
// Inserts of 20,000 rows with and without the projection take turns, and so do the two sides of each query.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuOf } from './steady.mjs';

const dist = join(import.meta.dirname, '../dist');
const [{ spawnEngine }, { connect }, { migrate }, { eventStatement, openScope }, counted, { rebuild }, tables] = await Promise.all(
  [
    'local/engine/spawn',
    'storage/clickhouse',
    'storage/migrate',
    'storage/scope',
    'storage/counted-rows',
    'storage/rollups',
    'storage/rollup-tables',
  ].map((file) => import(`${dist}/${file}.js`)),
);
const events = Number(process.argv[2] ?? 2_000_000);
const rounds = 20;
const batch = 20_000;
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const hour = 3_600_000;
const to = Date.parse('2026-11-22T23:17:23Z');
const range = { from: to - 24 * hour, to };

/** Rows of 20 tenants, 12 routes and 2,000 consumers for each, spread over 26 hours around the range. */
const rows = (
  first,
  count,
) => `SELECT toDateTime64('2026-11-23 02:00:00', 3, 'UTC') AS received_at, number AS kafka_offset, 'bench' AS topic, 1 AS source_epoch,
  fromUnixTimestamp64Micro(toInt64(${(range.from - hour) * 1000} + number * ${(26 * hour * 1000) / events}), 'UTC') AS timestamp, 'start' AS time_source,
  'tenant-' || toString(toUInt8(20 * pow(cityHash64(number, 1) % 1000 / 1000, 2))) AS tenant, 'GET' AS http_request_method,
  '/route/' || toString(cityHash64(number, 2) % 12) AS http_route, '/route/' || toString(cityHash64(number, 3) % 9999) AS url_path,
  [200, 200, 200, 200, 200, 201, 304, 404, 429, 500][cityHash64(number, 4) % 10 + 1] AS http_response_status_code,
  multiIf(http_response_status_code < 400, 'success', http_response_status_code = 429, 'rate_limited', 'server_error') AS outcome,
  toFloat64(cityHash64(number, 5) % 5000) / 10 AS duration_ms, cityHash64(number, 6) % 4000 AS http_response_size,
  'consumer-' || toString(cityHash64(number, 7) % 2000) AS consumer_name, lower(hex(cityHash64(number, 8))) || lower(hex(number)) AS request_id
FROM numbers(${first}, ${count})`;

const dataDir = mkdtempSync(join(tmpdir(), 'gatetrail-bench-'));
const engine = await spawnEngine({ dataDir });
const clickhouse = connect({ url: engine.url, user: 'default', password: engine.password, database: 'default', requestTimeoutMs: 600_000 });
try {
  await migrate(clickhouse, { holder: 'bench', logger: silent });
  await measureInserts();
  await fill();
  await measureReads();
} finally {
  await clickhouse.close();
  await engine.stop();
  rmSync(dataDir, { recursive: true, force: true });
}

async function measureInserts() {
  await clickhouse.run('CREATE TABLE with_projection AS events');
  await clickhouse.run('CREATE TABLE plain AS events');
  await clickhouse.run('ALTER TABLE plain DROP PROJECTION by_minute');
  await clickhouse.run(`CREATE TABLE ready ENGINE = Memory AS ${rows(0, batch)}`);
  const names =
    'received_at, kafka_offset, topic, source_epoch, timestamp, time_source, tenant, http_request_method, http_route, url_path, http_response_status_code, outcome, duration_ms, http_response_size, consumer_name, request_id';
  const cost = { with_projection: [], plain: [] };
  for (let round = -2; round < rounds; round += 1)
    for (const table of ['with_projection', 'plain']) {
      const [startedAt, cpu] = [performance.now(), cpuOf(engine.child.pid)];
      // A batch of a steady minute: 10 seconds of traffic.
      await clickhouse.run(
        `INSERT INTO ${table} (${names}) SELECT ${names.replace('timestamp,', `timestamp + toIntervalSecond(${round * 10} + number % 10) AS at,`).replace('kafka_offset', `kafka_offset + ${round * batch}`)} FROM (SELECT *, rowNumberInAllBlocks() AS number FROM ready)`.replace(
          'timestamp + toInterval',
          "toDateTime64('2026-11-22 10:00:00', 6, 'UTC') + toInterval",
        ),
        { settings: { max_insert_threads: 1 } },
      );
      if (round >= 0) cost[table].push([performance.now() - startedAt, cpuOf(engine.child.pid) - cpu]);
    }
  for (const [table, each] of Object.entries(cost)) {
    const [ms, cpu] = [0, 1].map((at) => median(each.map((pair) => pair[at])));
    const [{ bytes, projections, n, groups }] = await clickhouse.rows(
      `SELECT sum(bytes_on_disk) AS bytes, sum(rows) AS n,
  (SELECT sum(bytes_on_disk) FROM system.projection_parts WHERE active AND table = '${table}') AS projections,
  (SELECT sum(rows) FROM system.projection_parts WHERE active AND table = '${table}') AS groups
FROM system.parts WHERE active AND table = '${table}'`,
    );
    print(
      `insert of 20,000 rows, ${table}`,
      `p50 ${round1(ms)} ms, CPU p50 ${round1(cpu * 1000)} ms; ${round1(bytes / n)} bytes a row on disk, ${round1(projections / n)} of them the projection (${groups} rows of ${n})`,
    );
    await clickhouse.run(`DROP TABLE ${table}`);
  }
}

async function fill() {
  const names =
    'received_at, kafka_offset, topic, source_epoch, timestamp, time_source, tenant, http_request_method, http_route, url_path, http_response_status_code, outcome, duration_ms, http_response_size, consumer_name, request_id';
  for (let first = 0; first < events; first += 500_000)
    await clickhouse.run(`INSERT INTO events (${names}) ${rows(first, Math.min(500_000, events - first))}`);
  await clickhouse.run('OPTIMIZE TABLE events FINAL');
  const startedAt = performance.now();
  const made = await rebuild({ clickhouse }, { from: 0, to: to + 48 * hour });
  print(`rollups of ${made} hours and ${events} events made`, `${round1(performance.now() - startedAt)} ms`);
  await clickhouse.insertRows('rollup_marks', [{ name: 'hours', mark: JSON.stringify({ positions: {}, seen: [] }) }]);
  const sizes = await clickhouse.rows(
    "SELECT table, sum(rows) AS n, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND table IN ('events', 'rollup_hour', 'rollup_consumer_hour') GROUP BY table ORDER BY table",
  );
  for (const { table, n, bytes } of sizes) print(table, `${n} rows, ${round1(bytes / events)} bytes an event`);
  const [projection] = await clickhouse.rows(
    "SELECT sum(rows) AS n, sum(bytes_on_disk) AS bytes FROM system.projection_parts WHERE active AND table = 'events'",
  );
  print('by_minute, merged', `${projection.n} rows, ${round1(projection.bytes / events)} bytes an event`);
}

async function measureReads() {
  const scope = openScope(clickhouse, ['*']);
  const time = (seconds) =>
    `intDiv(toUnixTimestamp64Micro(timestamp) - ${Math.floor(range.from / hour) * hour * 1000}, ${seconds * 1_000_000}) AS i`;
  const raw = (seconds, more = '') => ({
    select: `${time(seconds)}, count() AS n, countIf(intDiv(http_response_status_code, 100) = 5) AS e${more}`,
    range,
    tail: 'GROUP BY i ORDER BY i',
  });
  const sums = (seconds, more = '') => ({
    select: `${time(seconds)}, sum(requests) AS n, sum(server_errors) AS e${more}`,
    range,
    tail: 'GROUP BY i ORDER BY i',
  });
  const ask = async (query) => clickhouse.rows(eventStatement(['*'], query).sql, { parameters: eventStatement(['*'], query).parameters });
  await compare(
    'counters by minute, 24 h, from minutes',
    () => ask(raw(60)),
    async () => ask({ ...sums(60), counted: counted.cut(counted.minutes, [], range) }),
    'n',
  );
  const hours = async () => counted.cut(counted.hoursIn(tables.byRoute), [], range, await scope.stale(range));
  await compare(
    'counters by hour, 24 h, from hours',
    () => ask(raw(3600)),
    async () => ask({ ...sums(3600), counted: await hours() }),
    'n',
  );
  await compare(
    'p95 by hour, 24 h, from hours',
    () => ask(raw(3600, ', quantiles(0.95)(duration_ms)[1] AS q')),
    async () => ask({ ...sums(3600, ', quantilesTDigestMerge(0.95)(duration_ms_state)[1] AS q'), counted: await hours() }),
    'n',
  );
  await compare(
    'total, 24 h, from hours',
    () => ask({ select: 'count() AS n', range }),
    async () => ask({ select: 'sum(requests) AS n', range, counted: await hours() }),
    'n',
  );
}

async function compare(name, raw, rolled, field) {
  const taken = { raw: [], rolled: [] };
  for (let round = -3; round < rounds; round += 1) {
    const answers = {};
    for (const [side, work] of Object.entries({ raw, rolled })) {
      const startedAt = performance.now();
      answers[side] = await work();
      if (round >= 0) taken[side].push(performance.now() - startedAt);
    }
    const figures = Object.values(answers).map((answer) => JSON.stringify(answer.map((row) => [row.i, row[field]])));
    if (figures[0] !== figures[1]) throw new Error(`${name}: the two sides differ`);
  }
  const [a, b] = [median(taken.raw), median(taken.rolled)];
  print(name, `events p50 ${round1(a)} ms, rows of counters p50 ${round1(b)} ms, ratio ${(b / a).toFixed(2)}`);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
function round1(value) {
  return Math.round(Number(value) * 10) / 10;
}
function print(name, text) {
  process.stdout.write(`${name}: ${text}\n`);
}
