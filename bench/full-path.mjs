// The whole way, from Kafka through the role `ingest` in a process of its own into the engine in another, beside JSON.parse
// and the insert alone. What waits in the topic was produced before, so that nothing but the two works.
import { measureInsert } from './insert.mjs';
import { measureOurs } from './ours.mjs';
import { measureParse } from './parse.mjs';
import { withKafka, withStore } from './place.mjs';
import { produce } from './produce.mjs';

const topic = 'bench';
const partitions = 4;

export default {
  title: 'The whole way / its floors',
  how: `Records from Kafka through the role ingest into the engine, beside JSON.parse of the same records and the insert of
blocks that are ready: CPU of all, from the first rows that can be seen to the last.`,
  sizes: { full: { records: 1_000_000, inserts: 10 }, quick: { records: 400_000, inserts: 3 } },
  measure: ({ records, inserts }) =>
    withKafka(async (kafka) => {
      for (const name of [topic, 'gatetrail-records']) await kafka.createTopic(name, partitions);
      await produce(kafka.brokers, { topic, partitions, records });
      const before = measureParse({ records });
      const insert = await withStore((store) => measureInsert(store, { inserts }));
      const fullPath = await measureOurs(kafka, { topic, records });
      // Before and after: the machine may have become busier.
      return summary({ parse: middle(before, measureParse({ records })), insert, fullPath });
    }),
};

function middle(one, other) {
  return { cpuPerMillion: (one.cpuPerMillion + other.cpuPerMillion) / 2, bytesPerRecord: one.bytesPerRecord };
}

function summary({ parse, insert, fullPath: { recordsPerSecond, cpuPerMillion, cpu } }) {
  const values = {
    'bytes per record': parse.bytesPerRecord,
    'JSON.parse alone, CPU s per million': parse.cpuPerMillion,
    'full path, records per second': recordsPerSecond,
    'full path, CPU s per million': cpuPerMillion,
    'full path, CPU s per million, ingest': cpu.ingest,
    'full path, CPU s per million, engine': cpu.engine,
    'JSON.parse, share of the CPU of ingest': parse.cpuPerMillion / cpu.ingest,
    'insert, rows per second': insert.rowsPerSecond,
    'insert, engine CPU s per million': insert.engineCpuPerMillion,
  };
  const ratios = {
    'full path CPU / JSON.parse CPU': cpuPerMillion / parse.cpuPerMillion,
    'ingest CPU / JSON.parse CPU': cpu.ingest / parse.cpuPerMillion,
    'insert CPU of the engine / JSON.parse CPU': insert.engineCpuPerMillion / parse.cpuPerMillion,
  };
  return { values, ratios };
}
