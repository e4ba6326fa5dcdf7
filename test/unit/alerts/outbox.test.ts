import { expect, test } from 'vitest';
import type { Channel, Delivery, Message } from '../../../alerts/channel.ts';
import { sendDue } from '../../../alerts/outbox.ts';
import { silentLogger } from '../../../core/logger.ts';
import type { OutboxRow } from '../../../schemas/alert.ts';

const row = (number: number): OutboxRow => ({
  id: `row-${number}`,
  transitionId: `t-${number}`,
  alertId: `alert-${number}`,
  tenant: 'default',
  ruleId: `rule-${number}`,
  kind: 'FIRING',
  channel: 'email',
  recipient: 'oncall@example.com',
  status: 'QUEUED',
  queuedAt: 0,
  dueAt: 0,
  sentAt: null,
  attempts: 0,
  messageId: '',
  lastError: '',
  reason: '',
  lead: '',
  version: 0,
});

/** Mails of `count` rules are due, and each try takes `tookMs` of a clock that only mails move. */
function outbox(count: number, tookMs: number, delivery: Delivery) {
  const rows = new Map(Array.from({ length: count }, (_, at) => [`row-${at}`, row(at)]));
  const tried: string[] = [];
  let time = 1;
  const channel: Channel = {
    name: 'email',
    recipients: [],
    async send({ subject }) {
      tried.push(subject);
      time += tookMs;
      return delivery;
    },
    check: async () => {},
    close() {},
  };
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
      compose: async ([lead]) => message(lead?.ruleId ?? ''),
      now: () => time,
      logger: silentLogger,
    });
  return { tick, tried };
}

test('a mail server that is away holds back the next judgement no longer than a round of sending lasts, and nobody waits behind the others', async () => {
  const { tick, tried } = outbox(6, 10_000, { outcome: 'again', error: 'away' });
  expect(await tick()).toBe(0);
  expect(tried).toEqual(['rule-0', 'rule-1', 'rule-2']);
  await tick();
  expect(tried.slice(3)).toEqual(['rule-3', 'rule-4', 'rule-5']);
});

test('a mail server that answers gets all that is due in one round', async () => {
  const { tick, tried } = outbox(100, 100, { outcome: 'sent' });
  expect(await tick()).toBe(100);
  expect(tried).toHaveLength(100);
});
