/** `gatetrail positions list|reset|new-epoch`: where ingest stands; leaves out a range; accepts a topic that was made anew. */
import { AuditError } from '../../core/errors.ts';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { openBatchStore } from '../../storage/batch-store.ts';
import { openLedger } from '../../storage/ledger.ts';
import { beginEpoch, createDatabaseClock } from '../../storage/positions.ts';
import type { Config } from '../settings.ts';
import { resetPosition, type Stores } from '../reset.ts';
import { holderName, openLog } from '../stores.ts';
import { configOf, type Flags, print, text, type Verb } from '../verb.ts';
import { closedReader } from '../watermark.ts';
import { withClickHouse } from '../with-clickhouse.ts';

interface Position {
  readonly topic: string;
  readonly sourceEpoch: number;
  readonly partition: number;
  readonly position: number;
  readonly isOpen: boolean;
}

/** What is asked is read first: a wrong argument must not cost the start of an engine. */
type Action = (flags: Flags) => (stores: Stores) => Promise<readonly Position[]>;

const actions: Readonly<Record<string, Action>> = {
  list:
    () =>
    async ({ clickhouse }) =>
      (await closedReader(clickhouse, systemClock).read()).partitions,
  reset: (flags) => {
    const reset = {
      topic: needed(flags, 'topic', 'NAME'),
      partition: whole(flags, 'partition'),
      to: whole(flags, 'to'),
      reason: needed(flags, 'reason', 'TEXT'),
    };
    return async (stores) => {
      await assertUnread(stores);
      return [await resetPosition(reset, stores)];
    };
  },
  'new-epoch': (flags) => {
    const [topic, reason] = [needed(flags, 'topic', 'NAME'), needed(flags, 'reason', 'TEXT')];
    return async (stores) => {
      await assertUnread(stores);
      return newEpoch(stores, topic, reason);
    };
  },
};

const positions: Verb = {
  description: 'shows where ingest stands, leaves out a range, or accepts a topic that was made anew',
  arguments: ['<list|reset|new-epoch>'],
  options: {
    '--topic <NAME>': 'the topic',
    '--partition <N>': 'the partition to reset',
    '--to <OFFSET>': 'the offset that is read next; what lies before it and is not stored is left out',
    '--reason <TEXT>': 'why, for the record',
  },
  async run(flags, [what = '']) {
    const action = actions[what]?.(flags);
    if (action === undefined) throw new AuditError('BAD_USER_INPUT', `expected positions list, reset or new-epoch, ${what} came`);
    await withStores(configOf(flags), async (stores) => {
      for (const place of await action(stores)) print(flags['json'] === true ? lineOf(place) : sentenceOf(place));
    });
  },
};
export default positions;

const lineOf = ({ topic, sourceEpoch, partition, position, isOpen }: Position): Position => ({
  topic,
  sourceEpoch,
  partition,
  position,
  isOpen,
});

const sentenceOf = ({ topic, sourceEpoch, partition, position, isOpen }: Position) =>
  `${topic}/${partition} epoch ${sourceEpoch}: goes on at offset ${position}${isOpen ? ', the batch there is being stored' : ''}`;

async function withStores(config: Config, work: (stores: Stores) => Promise<void>): Promise<void> {
  await withClickHouse(config, async (clickhouse) => {
    const log = openLog(config, silentLogger);
    await work({ config, clickhouse, log }).finally(() => log.close());
  });
}

/** A reader would go on from where it is, and meet what is changed here as another's work. */
async function assertUnread({ config, log }: Stores): Promise<void> {
  const readers = await log.readers(config.kafka.groupId);
  if (readers.length === 0) return;
  throw new AuditError(
    'NOT_READY',
    `Ingest reads now: ${readers.join(', ')}. Positions change only while none does: stop it and try again. Kafka lets go of a killed one after ${config.kafka.sessionTimeout / 1000} s`,
  );
}

async function newEpoch({ clickhouse, log }: Stores, topic: string, reason: string): Promise<Position[]> {
  const bounds = (await log.bounds([topic])).toSorted((a, b) => a.partition - b.partition);
  const starts = bounds.map(({ partition, low }) => ({ partition, start: low }));
  const place = { logId: await log.id(), topic };
  const clock = createDatabaseClock(openBatchStore(clickhouse), systemClock);
  await clock.measure();
  const facts = { starts, receivedAt: clock.now(), writer: holderName('positions'), note: reason };
  const sourceEpoch = await beginEpoch(openLedger(clickhouse), place, facts);
  return starts.map(({ partition, start }) => ({ topic, sourceEpoch, partition, position: start, isOpen: false }));
}

function needed(flags: Flags, name: string, what: string): string {
  const value = text(flags, name);
  if (value === undefined || value.trim() === '') throw new AuditError('BAD_USER_INPUT', `expected --${name} ${what}, nothing came`);
  return value;
}

function whole(flags: Flags, name: string): number {
  const value = needed(flags, name, 'N');
  if (!/^\d{1,15}$/.test(value)) throw new AuditError('BAD_USER_INPUT', `--${name}: expected a whole number from 0 on, got ${value}`);
  return Number(value);
}
