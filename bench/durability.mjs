// What it costs that an answered insert survives a power cut: `node bench/durability.mjs [--quick]`, on dist/. Two tables like
// `events` on one engine, one flushed before each answer and one not, take turns with the same block, so that a busy disk
// slows both.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const dist = join(import.meta.dirname, '../dist');
const rowsPerBlock = 20_000;
const rounds = process.argv.includes('--quick') ? 15 : 60;
const flushes = { power: 1, process: 0 };

const dataDir = mkdtempSync(join(tmpdir(), 'gatetrail-durability-'));
const { spawnEngine } = await import(`${dist}/local/engine/spawn.js`);
const { connect } = await import(`${dist}/storage/clickhouse.js`);
const { migrate } = await import(`${dist}/storage/migrate.js`);
const engine = await spawnEngine({ dataDir });
const clickhouse = connect({ url: engine.url, user: 'default', password: engine.password, database: 'default' });
try {
  const quiet = { info() {}, warn() {}, error() {}, debug() {} };
  await migrate(clickhouse, { holder: 'bench', logger: quiet });
  const times = await takeTurns(await readyBlock());
  const [power, none] = [figures(times.power), figures(times.process)];
  for (const [name, { rowsPerSecond, p50, p95 }] of Object.entries({ power, process: none }))
    console.log(`${name.padEnd(8)} ${Math.round(rowsPerSecond)} rows/s, p50 ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms an insert`);
  console.log(`power / process: p50 ${(power.p50 / none.p50).toFixed(2)}; ${rounds} inserts of ${rowsPerBlock} rows each, in turns`);
} finally {
  await clickhouse.close();
  await engine.stop();
  rmSync(dataDir, { recursive: true, force: true });
}

async function takeTurns(block) {
  const times = { power: [], process: [] };
  for (const [name, flush] of Object.entries(flushes)) {
    await clickhouse.run(`CREATE TABLE bench_${name} AS events`);
    await clickhouse.run(`ALTER TABLE bench_${name} MODIFY SETTING fsync_after_insert = ${flush}, fsync_part_directory = ${flush}`);
  }
  for (let round = 0; round <= rounds; round += 1) {
    const names = Object.keys(flushes);
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const startedAt = performance.now();
      await clickhouse.insertBlock(`bench_${name}`, block, { token: `${name}-${round}` });
      if (round > 0) times[name].push(performance.now() - startedAt); // the first one warms up
    }
  }
  for (const name of Object.keys(flushes)) {
    const [{ n }] = await clickhouse.rows(`SELECT count() AS n FROM bench_${name}`);
    if (Number(n) !== (rounds + 1) * rowsPerBlock) throw new Error(`${name}: ${n} rows are there, ${(rounds + 1) * rowsPerBlock} wanted`);
  }
  return times;
}

/** Rows in which paths, ids, addresses and sizes differ as those of requests do. */
async function readyBlock() {
  await clickhouse.run('CREATE TABLE bench_rows AS events');
  await clickhouse.run(`INSERT INTO bench_rows (received_at, timestamp, time_source, outcome, topic, kafka_offset, tenant, gateway_kind,
  http_request_method, url_path, http_route, http_response_status_code, duration_ms, http_response_size, client_address,
  consumer_name, user_agent_original, request_id, trace_id, subject)
SELECT now64(3), now64(6) - number, 'start', 'success', 'gw', number, concat('t', toString(number % 20)), 'kong',
  'GET', concat('/v1/orders/', toString(cityHash64(number) % 9973)), '/v1/orders/{id}', 200, rand() % 900 / 10, rand(1) % 5000,
  toIPv6(concat('203.0.113.', toString(number % 250))), concat('app-', toString(number % 2000)), 'okhttp/4.12.0',
  lower(hex(MD5(toString(number)))), lower(hex(MD5(toString(number + 1)))), lower(hex(cityHash64(number % 2000)))
FROM numbers(${rowsPerBlock})`);
  const chunks = [];
  for await (const chunk of await clickhouse.stream('SELECT * FROM bench_rows FORMAT Native')) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function figures(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  const seconds = sorted.reduce((total, ms) => total + ms, 0) / 1000;
  return { rowsPerSecond: (sorted.length * rowsPerBlock) / seconds, p50: at(0.5), p95: at(0.95) };
}
