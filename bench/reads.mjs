// What a person waits for: pages of 100 events and a series of 24 hours through GraphQL, each beside the same rows and
// figures as plain SQL. The two take turns, so that a busy machine slows both.
import { key, kongRange, makeBatchMaker } from './maker.mjs';
import { withStore } from './place.mjs';
import { createBenchWriter } from './writer.mjs';

const hourMs = 3_600_000;
const minutes = 1_440;
const seeded = 20_000;

export default {
  title: 'Reads through GraphQL / plain SQL',
  how: `Pages of 100 events, one behind the other, and a series of 24 hours in minutes, through the role query and as plain
SQL that gives the same: the two take turns.`,
  sizes: { full: { events: 1_000_000, rounds: 50 }, quick: { events: 100_000, rounds: 10 } },
  goals: {
    'page p50 / (1.3 x plain SQL p50 + 3 ms)': { atMost: 1 },
    'series p50 / (1.3 x plain SQL p50 + 3 ms)': { atMost: 1 },
  },
  measure: (sizes) => withStore(async (store) => summary(await measureReads(store, sizes))),
};

async function measureReads({ clickhouse, start }, { events, rounds }) {
  const to = Math.floor(Date.now() / hourMs - 1) * hourMs; // before anything that the seed left
  const from = to - 24 * hourMs;
  const span = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  const range = { absolute: span };
  await seed(clickhouse);
  await fill(clickhouse, events, span);
  const query = await start('query');
  const ask = asker(query.ready);
  const plain = (sql, parameters) => clickhouse.rows(sql, { parameters: { from, to, ...parameters } });

  let after = null;
  let last = { at_us: to * 1000, kafka_offset: 0 };
  const page = await takeTurns(rounds, {
    graphql: () => ask(pageQuery, { range, after }).then(({ auditEvents }) => auditEvents),
    plain: () => plain(plainPageSql, { at: last.at_us, offset: last.kafka_offset }),
    check({ nodes, pageInfo }, rows) {
      expectSame('page', [nodes.map(({ requestId }) => requestId), rows.map((row) => row.request_id)], 100);
      after = pageInfo.endCursor;
      last = rows.at(-1);
    },
  });
  const series = await takeTurns(rounds, {
    graphql: () => ask(seriesQuery, { range }).then(({ timeSeries }) => timeSeries.series[0].points),
    plain: () => plain(plainSeriesSql),
    check: (points, rows) =>
      expectSame('series', [points.map(figuresOfPoint), rows.map(({ n, errors, q }) => [Number(n), errors / n, ...q])], minutes),
  });
  await query.stop();
  return { page: page.graphql, plainPage: page.plain, series: series.graphql, plainSeries: series.plain };
}

const figuresOfPoint = ({ values: { requests, errorRate, latency } }) => [requests, errorRate, latency.p50, latency.p95];

function expectSame(name, [one, other], length) {
  if (one.length !== length || JSON.stringify(one) !== JSON.stringify(other))
    throw new Error(`the ${name} of GraphQL (${one.length} entries, ${length} wanted) is not that of plain SQL`);
}

const pageQuery = `query ($range: TimeRange!, $after: String) {
  auditEvents(range: $range, first: 100, after: $after) {
    nodes {
      id timestamp tenant outcome durationMs requestId
      gateway { kind routeName serviceName }
      request { method path host userAgent }
      response { status bytes }
      client { address }
    }
    pageInfo { hasNextPage endCursor }
  }
}`;

const seriesQuery = `query ($range: TimeRange!) {
  timeSeries(range: $range, interval: "PT1M") {
    series { points { at values { requests errorRate latency { p50 p95 } } } }
  }
}`;

const inRange = `timestamp >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
  AND received_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') - INTERVAL 5 MINUTE`;

const plainPageSql = `SELECT *, toUnixTimestamp64Micro(timestamp) AS at_us
FROM events
WHERE ${inRange}
  AND (timestamp, kafka_offset) < (fromUnixTimestamp64Micro({at:Int64}, 'UTC'), {offset:UInt64})
ORDER BY timestamp DESC, kafka_partition DESC, kafka_offset DESC, message_index DESC
LIMIT 100`;

const plainSeriesSql = `SELECT toStartOfInterval(timestamp, INTERVAL 1 MINUTE) AS at, count() AS n,
  countIf(http_response_status_code >= 500) AS errors, quantiles(0.5, 0.95)(duration_ms) AS q
FROM events
WHERE ${inRange}
GROUP BY at
ORDER BY at`;

/** Kong events through the product's own batch and write. */
async function seed(clickhouse) {
  const writer = await createBenchWriter(clickhouse, await makeBatchMaker());
  await writer.write(key, kongRange(seeded, 0));
}

/** Copies of what was stored, spread evenly over the range, each with an id of its own: ids that repeat would compress. */
async function fill(clickhouse, events, { from, to }) {
  const parameters = { from: Date.parse(from) * 1000, step: Math.floor(((Date.parse(to) - Date.parse(from)) * 1000) / events), events };
  const copy = `SELECT * REPLACE (
  fromUnixTimestamp64Micro({from:Int64} + n * {step:Int64}, 'UTC') AS timestamp,
  'filled' AS topic,
  0 AS kafka_partition,
  n AS kafka_offset,
  lower(hex(cityHash64(n, 1))) || lower(hex(cityHash64(n, 2))) AS request_id
)
FROM (SELECT *, rowNumberInAllBlocks() AS n FROM (SELECT e.* FROM events AS e, numbers({copies:UInt32}) AS copy WHERE e.topic = 'bench'))
WHERE n < {events:UInt64}`;
  const [{ n }] = await clickhouse.rows("SELECT count() AS n FROM events WHERE topic = 'bench'");
  const copies = Math.ceil(events / Number(n));
  await clickhouse.run(`INSERT INTO events\nSELECT * EXCEPT n\nFROM (${copy})`, {
    parameters: { ...parameters, copies },
    settings: { max_threads: 1 },
  });
  const [{ filled }] = await clickhouse.rows("SELECT count() AS filled FROM events WHERE topic = 'filled'");
  if (Number(filled) !== events) throw new Error(`${events} events were wanted, ${filled} are there`);
  // Readers see what closed claims cover, so the copies have one too.
  const claim = `SELECT * REPLACE ('filled' AS topic, 0 AS kafka_partition, 0 AS first_offset, {events:Int64} - 1 AS last_offset, 1 AS settled)
FROM (SELECT * FROM batches WHERE topic = 'bench' AND first_offset >= 0 LIMIT 1)`;
  await clickhouse.run(`INSERT INTO batches\n${claim}`, { parameters: { events } });
}

function asker({ url, token }) {
  return async (query, variables) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await response.json();
    if (errors) throw new Error(JSON.stringify(errors));
    return data;
  };
}

/** Milliseconds of each way; the first rounds warm up. */
async function takeTurns(rounds, { graphql, plain, check }) {
  const taken = { graphql: [], plain: [] };
  const timed = async (name, work, isMeasured) => {
    const startedAt = performance.now();
    const answer = await work();
    if (isMeasured) taken[name].push(performance.now() - startedAt);
    return answer;
  };
  for (let round = -3; round < rounds; round += 1) {
    const answer = await timed('graphql', graphql, round >= 0);
    check(answer, await timed('plain', plain, round >= 0));
  }
  return { graphql: percentiles(taken.graphql), plain: percentiles(taken.plain) };
}

function percentiles(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { p50: at(0.5), p95: at(0.95) };
}

function summary({ page, plainPage, series, plainSeries }) {
  const values = {
    'page of 100 events, p50 ms': page.p50,
    'page of 100 events, p95 ms': page.p95,
    'page of 100 events as plain SQL, p50 ms': plainPage.p50,
    'series of 24 hours, p50 ms': series.p50,
    'series of 24 hours, p95 ms': series.p95,
    'series of 24 hours as plain SQL, p50 ms': plainSeries.p50,
  };
  const ratios = {
    'page p50 / plain SQL p50': page.p50 / plainPage.p50,
    'series p50 / plain SQL p50': series.p50 / plainSeries.p50,
    'page p50 / (1.3 x plain SQL p50 + 3 ms)': page.p50 / (1.3 * plainPage.p50 + 3),
    'series p50 / (1.3 x plain SQL p50 + 3 ms)': series.p50 / (1.3 * plainSeries.p50 + 3),
  };
  return { values, ratios };
}
