/** What needs no broker: Kafka itself is asked in test/integration/log and test/faults. */
import { expect, test } from 'vitest';
import { silentLogger } from '../../../../core/logger.ts';
import { openKafka } from '../../../../ingest/logs/kafka.ts';

test('keeps the negative timers of kafkajs out of what Node warns of, and nothing else', async () => {
  const warned: string[] = [];
  const listener = ({ name, message }: Error) => warned.push(`${name}: ${message}`);
  process.on('warning', listener);
  for (let times = 0; times < 2; times += 1) openKafka({ brokers: ['127.0.0.1:1'], clientId: 'test', logger: silentLogger });
  setTimeout(() => {}, -5); // newer Node warns of it
  process.emitWarning('-5 is a negative number', 'TimeoutNegativeWarning');
  process.emitWarning('of something else', 'OtherWarning');
  process.emitWarning('with options', { type: 'ThirdWarning' });
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.off('warning', listener);
  expect(warned).toEqual(['OtherWarning: of something else', 'ThirdWarning: with options']);
});
