// What a person waits for: pages of 100 events and a series of 24 hours through GraphQL, beside the same as plain SQL.
const hourMs = 3_600_000;

export async function measureReads({ clickhouse, start }, { events, rounds }) {
  const to = Math.floor(Date.now() / hourMs - 1) * hourMs; // before anything that the full path left
  const span = { from: new Date(to - 24 * hourMs).toISOString(), to: new Date(to).toISOString() };
  const range = { absolute: span };
  await fill(clickhouse, events, span);
  const query = await start('query');
  const ask = asker(query.ready);
  let after = null;
  const page = await times(rounds, async () => {
    const { auditEvents } = await ask(pageQuery, { range, after });
    if (auditEvents.nodes.length !== 100) throw new Error(`a page of 100 has ${auditEvents.nodes.length} events`);
    after = auditEvents.pageInfo.endCursor;
  });
  const series = await times(rounds, async () => {
    const { timeSeries } = await ask(seriesQuery, { range });
    const points = timeSeries.series[0].points;
    if (points.length !== 288) throw new Error(`24 hours of 5 minutes have ${points.length} points`);
  });
  const parameters = { from: Date.parse(span.from), to: Date.parse(span.to) };
  const plainPage = await times(rounds, () => clickhouse.rows(plainPageSql, { parameters }));
  const plainSeries = await times(rounds, () => clickhouse.rows(plainSeriesSql, { parameters }));
  await query.stop();
  return { page, series, plainPage, plainSeries };
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
  timeSeries(range: $range, interval: "PT5M") {
    series { points { at values { requests errorRate latency { p50 p95 } } } }
  }
}`;

const inRange = `timestamp >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
  AND timestamp < fromUnixTimestamp64Milli({to:Int64}, 'UTC')
  AND received_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') - INTERVAL 5 MINUTE`;

const plainPageSql = `SELECT *
FROM events
WHERE ${inRange}
ORDER BY timestamp DESC, kafka_partition DESC, kafka_offset DESC, message_index DESC
LIMIT 100`;

const plainSeriesSql = `SELECT toStartOfInterval(timestamp, INTERVAL 5 MINUTE) AS at, count() AS requests,
  countIf(http_response_status_code >= 500) / count() AS error_rate, quantilesTDigest(0.5, 0.95)(duration_ms) AS latency
FROM events
WHERE ${inRange}
GROUP BY at
ORDER BY at`;

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

/** Milliseconds; the first rounds warm up. */
async function times(rounds, work) {
  const taken = [];
  for (let round = -3; round < rounds; round += 1) {
    const startedAt = performance.now();
    await work();
    if (round >= 0) taken.push(performance.now() - startedAt);
  }
  taken.sort((a, b) => a - b);
  const at = (share) => taken[Math.min(taken.length - 1, Math.floor(taken.length * share))];
  return { p50: at(0.5), p95: at(0.95) };
}
