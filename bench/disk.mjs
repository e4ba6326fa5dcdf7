// Bytes on disk against gzip -6 of the same events as canonical JSON.
import { createGzip } from 'node:zlib';
import { key, kongRange, makeBatchMaker, readEvents } from './maker.mjs';
import { withStore } from './place.mjs';
import { createBenchWriter } from './writer.mjs';

const partitions = 4;
const rowsPerBatch = 20_000;

export default {
  title: 'Bytes on disk / gzip -6',
  how: `Kong records in the order of their times through batch and write, then OPTIMIZE FINAL: bytes of the active parts, indexes
and projections included, beside one gzip -6 of the same events as canonical JSON, a line each.`,
  sizes: { full: { records: 1_000_000 }, quick: { records: 80_000 } },
  goals: { 'bytes on disk / gzip -6': { atMost: 0.65 } },
  measure: ({ records }) =>
    withStore(async ({ clickhouse }) => {
      const { toEventJson } = await import('../dist/app/event-json.js');
      const writer = await createBenchWriter(clickhouse, await makeBatchMaker());
      const gzip = sizeOfGzip();
      let plain = 0;
      for (let at = 0; at < records; at += rowsPerBatch) {
        const batch = at / rowsPerBatch;
        const range = kongRange(rowsPerBatch, at, records);
        await writer.write({ ...key, partition: batch % partitions }, range);
        const lines = (await readEvents(range)).map((event) => `${JSON.stringify(toEventJson(event))}\n`).join('');
        plain += Buffer.byteLength(lines);
        await gzip.add(lines);
      }
      await clickhouse.run('OPTIMIZE TABLE events FINAL');
      return summary({ ...(await sizesOnDisk(clickhouse)), gzipped: await gzip.size(), plain });
    }),
};

function sizeOfGzip() {
  const gzip = createGzip({ level: 6 });
  let bytes = 0;
  gzip.on('data', (chunk) => {
    bytes += chunk.length;
  });
  return {
    add: (text) => new Promise((resolve) => gzip.write(text, resolve)),
    size: () => new Promise((resolve) => gzip.once('end', () => resolve(bytes)).end()),
  };
}

const ofEvents = "database = currentDatabase() AND table = 'events' AND active";

async function sizesOnDisk(clickhouse) {
  const [{ rows, bytes, parts }] = await clickhouse.rows(
    `SELECT sum(rows) AS rows, sum(bytes_on_disk) AS bytes, count() AS parts FROM system.parts WHERE ${ofEvents}`,
  );
  const columns = await clickhouse.rows(
    `SELECT column, sum(column_data_compressed_bytes) AS bytes FROM system.parts_columns WHERE ${ofEvents} GROUP BY column ORDER BY bytes DESC`,
  );
  const [{ projections }] = await clickhouse.rows(
    `SELECT sum(bytes_on_disk) AS projections FROM system.projection_parts WHERE ${ofEvents}`,
  );
  return { rows: Number(rows), bytes: Number(bytes), parts: Number(parts), projections: Number(projections), columns };
}

function summary({ rows, bytes, parts, projections, columns, gzipped, plain }) {
  const ofColumns = columns.reduce((sum, column) => sum + Number(column.bytes), 0);
  const perRow = (size) => Number(size) / rows;
  const table = [
    ...columns.map((column) => ({ column: column.column, 'bytes per row': perRow(column.bytes) })),
    { column: '(projections)', 'bytes per row': perRow(projections) },
    { column: '(indexes, marks and the rest)', 'bytes per row': perRow(bytes - ofColumns - projections) },
  ];
  return {
    values: {
      'bytes per row on disk': perRow(bytes),
      'bytes per row, gzip -6': perRow(gzipped),
      'bytes per row, plain JSON': perRow(plain),
      parts,
    },
    ratios: { 'bytes on disk / gzip -6': bytes / gzipped },
    table: table.filter((row) => row['bytes per row'] >= 0.005),
  };
}
