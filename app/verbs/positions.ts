/** `gatetrail positions list|new-epoch`: where ingest stands; accepts a topic that was made anew. */
import { AuditError } from '../../core/errors.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { openLedger } from '../../storage/ledger.ts';
import { beginEpoch } from '../../storage/positions.ts';
import type { Config } from '../config.ts';
import { holderName, openClickHouse, openLog } from '../stores.ts';
import { configOf, type Flags, print, text, type Verb } from '../verb.ts';
import { closedReader } from '../watermark.ts';

const positions: Verb = {
  description: 'shows where ingest stands, or accepts a topic that was made anew',
  arguments: ['<list|new-epoch>'],
  options: { '--topic <NAME>': 'the topic that was made anew', '--reason <TEXT>': 'why, for the record' },
  async run(flags, [what]) {
    const config = configOf(flags);
    if (what === 'list') return list(config, flags['json'] === true);
    if (what === 'new-epoch') return newEpoch(config, flags);
    throw new AuditError('BAD_USER_INPUT', `expected positions list or positions new-epoch, ${what} came`);
  },
};
export default positions;

async function list(config: Config, json: boolean): Promise<void> {
  const clickhouse = openClickHouse(config, 'jobs');
  try {
    for (const { topic, sourceEpoch, partition, position, isOpen } of (await closedReader(clickhouse, systemClock).read()).partitions) {
      const line = { topic, sourceEpoch, partition, position, isOpen };
      print(
        json
          ? line
          : `${topic}/${partition} epoch ${sourceEpoch}: goes on at offset ${position}${isOpen ? ', the batch there is being stored' : ''}`,
      );
    }
  } finally {
    await clickhouse.close();
  }
}

async function newEpoch(config: Config, flags: Flags): Promise<void> {
  const [topic, reason] = [text(flags, 'topic'), text(flags, 'reason')];
  if (topic === undefined || reason === undefined)
    throw new AuditError('BAD_USER_INPUT', 'positions new-epoch needs --topic NAME and --reason TEXT');
  const clickhouse = openClickHouse(config, 'jobs');
  const log = openLog(config, silentLogger);
  try {
    const starts = (await log.bounds([topic])).map(({ partition, low }) => ({ partition, start: low }));
    const place = { logId: await log.id(), topic };
    const sourceEpoch = await beginEpoch(openLedger(clickhouse), place, {
      starts,
      receivedAt: Date.now(),
      writer: holderName('positions'),
      note: reason,
    });
    print(
      flags['json'] === true ? { topic, sourceEpoch } : `${topic} goes on as epoch ${sourceEpoch}, from its start. Start ingest again.`,
    );
  } finally {
    await Promise.allSettled([clickhouse.close(), log.close()]);
  }
}
