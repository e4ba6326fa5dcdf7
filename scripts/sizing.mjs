// The table of docs/sizing.md, worked out from what was measured: bench/baseline.json, and below what it does not hold.

/** Measured once, and not part of the bench. */
const known = {
  // 10 million rows after merges, indexes included; the bench's own figure wins where it has one.
  bytesPerRow: 51,
  // A Native block on its way to ClickHouse.
  blockBytesPerRow: 248,
};
const rowsPerBatch = 50_000;
const secondsPerBatch = 1;

/** What is chosen, and not measured. */
const chosen = {
  peak: 2, // CPU is there for twice the average
  load: 0.7, // of a core of ingest
  cores: 16, // of a ClickHouse node
  shareOfInserts: 0.5, // of those cores; the rest reads
  diskTb: 20, // of a node, after a fifth is left free
  replicas: 2,
  kafkaHours: 24,
  kafkaReplicas: 3,
};
const rates = [1_000, 5_000, 20_000, 100_000, 300_000, 1_000_000];
const yearSeconds = 365 * 86_400;

/** The figures of a baseline by name, however deep they stand. */
function figuresOf(baseline) {
  const figures = {};
  const look = (value) => {
    for (const [name, part] of Object.entries(value ?? {})) {
      if (typeof part === 'number') figures[name] = part;
      else if (typeof part === 'object') look(part);
    }
  };
  look(baseline);
  return figures;
}

export function sizingOf(baseline) {
  const figures = figuresOf(baseline);
  const of = (name) => {
    if (figures[name] > 0) return figures[name];
    throw new Error(`bench/baseline.json has no figure "${name}", on which docs/sizing.md stands`);
  };
  const measured = {
    recordBytes: of('bytes per record'),
    ingestCpu: of('full path, CPU s per million, ingest'),
    engineCpu: of('engine, all'), // with the merges that come after, for which the full path does not wait
    bytesPerRow: figures['bytes per row on disk'] ?? known.bytesPerRow,
  };
  return { measured, rows: rates.map((rate) => sizeFor(rate, measured)) };
}

function sizeFor(rate, { recordBytes, ingestCpu, engineCpu, bytesPerRow }) {
  const peak = rate * chosen.peak;
  const processes = Math.ceil((peak * ingestCpu) / 1e6 / chosen.load);
  const partitions = Math.max(4, processes * 2);
  const yearTb = (rate * yearSeconds * bytesPerRow) / 1e12;
  const shardsForCpu = (peak * engineCpu) / 1e6 / (chosen.cores * chosen.shareOfInserts);
  const shards = Math.max(1, Math.ceil(shardsForCpu), Math.ceil(yearTb / chosen.diskTb));
  const replication = rate * bytesPerRow * (chosen.replicas - 1);
  return {
    rate,
    partitions,
    processes,
    shards,
    nodes: shards * chosen.replicas,
    // A partition closes a batch when it is full or a second old.
    partsPerSecond: Math.max(partitions / secondsPerBatch, rate / rowsPerBatch) / shards,
    yearTb: yearTb * chosen.replicas,
    kafkaTb: (rate * recordBytes * chosen.kafkaHours * 3600 * chosen.kafkaReplicas) / 1e12,
    networkMb: (peak * (recordBytes + known.blockBytesPerRow) + chosen.peak * replication) / 1e6,
  };
}

const begin = '<!-- made by scripts/sizing.mjs -->';
const end = '<!-- end -->';

/** The page with the table that the baseline gives. */
export function sizingPage(page, baseline) {
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`docs/sizing.md has no place for its table, between ${begin} and ${end}`);
  return `${before}${begin}\n\n${tableOf(sizingOf(baseline), baseline)}\n\n${end}${after}`;
}

function tableOf({ measured, rows }, baseline) {
  const where = baseline.machine ?? Object.values(baseline).find((part) => part?.machine)?.machine ?? 'an unnamed machine';
  const head = [
    'events/s, average',
    'partitions',
    'ingest processes (1 core each)',
    'shards × replicas',
    'parts/s a shard',
    'ClickHouse disk, a year, all replicas',
    `Kafka disk, ${chosen.kafkaHours} h × ${chosen.kafkaReplicas}`,
    'network at the peak',
  ];
  const lines = rows.map((row) => [
    row.rate.toLocaleString('en'),
    row.partitions,
    row.processes,
    `${row.shards} × ${chosen.replicas}`,
    short(row.partsPerSecond),
    `${short(row.yearTb)} TB`,
    `${short(row.kafkaTb)} TB`,
    `${short(row.networkMb)} MB/s`,
  ]);
  const table = [head, head.map(() => '---:'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  return `${table}

Measured (${where}): a record of ${measured.recordBytes} B in Kafka; ${measured.ingestCpu} CPU seconds per million events in ingest and
${measured.engineCpu} in ClickHouse, merges included; ${measured.bytesPerRow} B a row on disk; ${known.blockBytesPerRow} B a row on the way there.
Chosen: CPU for ${chosen.peak} times the average; ingest fills ${chosen.load * 100} % of its core; a ClickHouse node has ${chosen.cores} cores, of which
${chosen.shareOfInserts * 100} % insert, and ${chosen.diskTb} TB for data.`;
}

const short = (value) => (value >= 100 ? Math.round(value).toLocaleString('en') : Number(value.toPrecision(2)));
