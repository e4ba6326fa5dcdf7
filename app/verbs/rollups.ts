/** `gatetrail rollups verify|rebuild [--from T] [--to T]`: compares rollups with the events they sum up; makes them again. */
import { systemClock } from '../../core/clock.ts';
import { AuditError } from '../../core/errors.ts';
import { type Drift, findDrift } from '../../storage/rollup-drift.ts';
import { rebuild, rollUp } from '../../storage/rollups.ts';
import { rangeIn, rangeOptions } from '../time-range.ts';
import { configOf, exitCodes, type Flags, note, print, type Verb } from '../verb.ts';
import { closedReader } from '../watermark.ts';
import { withClickHouse } from '../with-clickhouse.ts';

const rollups: Verb = {
  description: 'compares the rollups with the events they sum up (verify), or makes them again (rebuild)',
  arguments: ['<verify|rebuild>'],
  options: rangeOptions,
  async run(flags, [what = '']) {
    if (what !== 'verify' && what !== 'rebuild') throw new AuditError('BAD_USER_INPUT', `expected rollups verify or rebuild, ${what} came`);
    const range = rangeIn(flags, systemClock.now());
    return withClickHouse(configOf(flags), async (clickhouse) => {
      // What the job has not come to yet is no finding.
      await rollUp({ clickhouse, closed: closedReader(clickhouse, systemClock) });
      const drifts = await findDrift(clickhouse, range);
      for (const drift of drifts) print(flags['json'] === true ? lineOf(drift) : sentenceOf(drift));
      if (what === 'verify') return drifts.length === 0 ? 0 : exitCodes.findings;
      const hours = await rebuild({ clickhouse }, range);
      tell(flags, `made ${hours} hours again, ${drifts.length} of which differed`);
      return (await findDrift(clickhouse, range)).length === 0 ? 0 : exitCodes.findings;
    });
  },
};
export default rollups;

const tell = (flags: Flags, line: string) => (flags['json'] === true ? undefined : note(line));

const lineOf = ({ hour, ...drift }: Drift) => ({ hour: new Date(hour).toISOString(), ...drift });

function sentenceOf({ table, hour, arrived, events, rollup }: Drift): string {
  const requests =
    events === rollup ? `${events} requests in both, other figures differ` : `${events} requests in events, ${rollup} in ${table}`;
  return `${new Date(hour).toISOString()} ${table}, arrived ${arrived}: ${requests}`;
}
