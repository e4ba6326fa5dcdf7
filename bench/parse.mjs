// JSON.parse alone: the floor below which no consumer of JSON can go.
import { kongValues } from './records.mjs';
import { median } from './steady.mjs';

export function measureParse({ records }) {
  const values = kongValues(Math.min(records, 40_000));
  const bytes = values.reduce((sum, value) => sum + value.length, 0);
  const runs = [];
  let seen = 0;
  for (let run = 0; run < 6; run += 1) {
    const [startedAt, before] = [performance.now(), process.cpuUsage()];
    for (const value of values) if (JSON.parse(value.toString()).response.status > 0) seen += 1;
    const { user, system } = process.cpuUsage(before);
    const seconds = (performance.now() - startedAt) / 1000;
    if (run > 0) runs.push({ cpu: (user + system) / values.length, rate: values.length / seconds }); // the first run warms up
  }
  if (seen !== 6 * values.length) throw new Error('not every record was parsed');
  return {
    cpuPerMillion: median(runs.map(({ cpu }) => cpu)),
    recordsPerSecond: median(runs.map(({ rate }) => rate)),
    bytesPerRecord: Math.round(bytes / values.length),
  };
}
