// JSON.parse alone: the floor below which no consumer of JSON can go.
import { kongValues } from './records.mjs';

export function measureParse({ records }) {
  const values = kongValues(Math.min(records, 40_000));
  const bytes = values.reduce((sum, value) => sum + value.length, 0);
  const runs = [];
  let seen = 0;
  for (let run = 0; run < 6; run += 1) {
    const before = process.cpuUsage();
    for (const value of values) if (JSON.parse(value.toString()).response.status > 0) seen += 1;
    const { user, system } = process.cpuUsage(before);
    if (run > 0) runs.push((user + system) / values.length); // the first run warms up
  }
  if (seen !== 6 * values.length) throw new Error('not every record was parsed');
  return { cpuPerMillion: runs.toSorted((a, b) => a - b)[2], bytesPerRecord: Math.round(bytes / values.length) };
}
