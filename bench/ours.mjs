// Our way from a topic into a store of its own, in its steady state.
import { defaultProcesses, withStore } from './place.mjs';
import { rowCounter, sumsOf } from './same-columns.mjs';
import { rates, steadyState } from './steady.mjs';

/** `checks` is given what was stored. */
export const measureOurs = (kafka, { topic, records, processes = defaultProcesses, checks = () => {} }) =>
  withStore(async ({ clickhouse, engine, startIngest }) => {
    const ingest = await startIngest({ brokers: kafka.brokers, topics: [topic] }, processes);
    const pids = { ingest: ingest.pids, engine: [engine.pid] };
    const state = await steadyState({ rows: rowCounter(clickhouse, 'events'), pids, records });
    await ingest.stop();
    checks(await sumsOf(clickhouse, 'events'));
    return rates(state);
  });
