import { expect, test } from 'vitest';
import type { Channel, Delivery, Message } from '../../../alerts/channel.ts';
import { rowsFor, sendDue } from '../../../alerts/outbox.ts';
import { silentLogger } from '../../../core/logger.ts';
import type { AlertFacts, OutboxRow } from '../../../schemas/alert.ts';

/** Mails of `count` rules are due, and each try takes `tookMs` of a clock that only mails move. */
function outbox(count: number, tookMs: number, delivery: Delivery) {
  const tried: string[] = [];
  let time = 1;
  const channel: Channel = {
    name: 'email',
    recipients: ['oncall@example.com'],
    async send({ subject }) {
      tried.push(subject);
      time += tookMs;
      return delivery;
    },
    check: async () => {},
    close() {},
  };
  const rowsOf = (at: number) => {
    const alert = { id: `alert-${at}`, tenant: 'default', ruleId: `rule-${at}` } as AlertFacts; // what a row takes of it
    return rowsFor(alert, `cause-${at}`, 'FIRING', [channel], { now: 0, dueAt: 0 });
  };
  const rows = new Map(Array.from({ length: count }, (_, at) => rowsOf(at)).flatMap((some) => some.map((row) => [row.id, row])));
  const store = {
    open: async () => [...rows.values()].filter(({ status }) => status === 'QUEUED' || status === 'RETRYING'),
    putOutbox: async (changed: readonly OutboxRow[]) => changed.forEach((each) => rows.set(each.id, each)),
  };
  const message = (subject: string): Message => ({
    messageId: '',
    thread: '',
    listId: '',
    listName: '',
    to: '',
    text: '',
    html: '',
    subject,
  });
  const tick = () =>
    sendDue({
      store: store as never, // the two of its verbs that are asked here
      channels: [channel],
      mayAct: async () => true,
      compose: async ([lead]) => message(`${lead?.ruleId} ${lead?.kind}`),
      now: () => time,
      logger: silentLogger,
    });
  const repeat = () => {
    const alert = { id: 'alert-0', tenant: 'default', ruleId: 'rule-0' } as AlertFacts; // what a row takes of it
    for (const row of rowsFor(alert, 'again-0', 'REPEAT', [channel], { now: 0, dueAt: 0 })) rows.set(row.id, row);
  };
  return { tick, tried, repeat };
}

test('no repeat overtakes the first mail of its alert to the same recipient', async () => {
  const { tick, tried, repeat } = outbox(1, 10, { outcome: 'again', error: 'away' });
  repeat();
  await tick();
  expect(tried).toEqual(['rule-0 FIRING']);
});

test('a mail server that is away holds back the next judgement no longer than a round of sending lasts, and nobody waits behind the others', async () => {
  const { tick, tried } = outbox(6, 10_000, { outcome: 'again', error: 'away' });
  expect(await tick()).toBe(0);
  expect(tried).toEqual(['rule-0 FIRING', 'rule-1 FIRING', 'rule-2 FIRING']);
  await tick();
  expect(tried.slice(3)).toEqual(['rule-3 FIRING', 'rule-4 FIRING', 'rule-5 FIRING']);
});

test('a mail server that answers gets all that is due in one round', async () => {
  const { tick, tried } = outbox(100, 100, { outcome: 'sent' });
  expect(await tick()).toBe(100);
  expect(tried).toHaveLength(100);
});
