/** From transitions to mails: queue, group, send, mark. A row is written before its mail, under an id that data gives. */
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { AlertFacts, NotificationKind, OutboxRow, TransitionRow } from '../schemas/alert.ts';
import { hash } from '../storage/alert-changes.ts';
import type { AlertStore } from '../storage/alerts.ts';
import type { Channel, Message } from './channel.ts';

export interface Timing {
  readonly now: number;
  readonly groupWaitMs: number;
}
const groupIntervalMs = 300_000;
const firstRetryMs = 5_000;
const longestRetryMs = 900_000;
const giveUpAfterMs = 72 * 3_600_000;
/** A mail server that is away must not hold back the next judgement: what is left comes with the next tick. */
const sendingMs = 20_000;

/** The first mail of a group that was quiet goes at once; others wait for company. */
export function queued(
  transitions: readonly TransitionRow[],
  channels: readonly Channel[],
  lastQueued: ReadonlyMap<string, number>,
  { now, groupWaitMs }: Timing,
): OutboxRow[] {
  return transitions.flatMap((transition) => {
    const kind = kindOf(transition);
    if (kind === null) return [];
    const { tenant, ruleId } = transition.alert;
    const quiet = now - (lastQueued.get(`${tenant}\n${ruleId}`) ?? 0) > groupIntervalMs;
    return rowsFor(transition.alert, transition.id, kind, channels, { now, dueAt: quiet || kind === 'RESOLVED' ? now : now + groupWaitMs });
  });
}

export function rowsFor(
  alert: AlertFacts,
  cause: string,
  kind: NotificationKind,
  channels: readonly Channel[],
  times: { now: number; dueAt: number },
): OutboxRow[] {
  return channels.flatMap(({ name, recipients }) =>
    recipients.map((recipient) => ({
      id: hash([cause, kind, name, recipient]),
      transitionId: cause,
      alertId: alert.id,
      tenant: alert.tenant,
      ruleId: alert.ruleId,
      kind,
      channel: name,
      recipient,
      status: 'QUEUED' as const,
      queuedAt: times.now,
      dueAt: times.dueAt,
      sentAt: null,
      attempts: 0,
      messageId: '',
      lastError: '',
      reason: '',
      lead: '',
      version: 0,
    })),
  );
}

function kindOf({ kind }: TransitionRow): NotificationKind | null {
  return kind === 'FIRED' ? 'FIRING' : kind === 'RESOLVED' ? 'RESOLVED' : null;
}

export interface Posting {
  readonly store: AlertStore;
  readonly channels: readonly Channel[];
  /** Asked before each mail: whether this process may still act. */
  readonly mayAct: () => Promise<boolean>;
  readonly compose: (rows: readonly OutboxRow[]) => Promise<Message>;
  readonly now: () => number;
  readonly logger: Logger;
}

export async function sendDue(posting: Posting): Promise<number> {
  const { store, now } = posting;
  let sent = 0;
  const deadline = now() + sendingMs;
  const open = await store.open();
  const due = open.filter((row) => row.dueAt <= now()).toSorted((a, b) => a.dueAt - b.dueAt);
  for (const group of grouped(due)) {
    // A firing mail that still waits must not be overtaken by its own end or repeat.
    const [first] = group;
    if (!first || (first.kind !== 'FIRING' && open.some((row) => group.some((mine) => isEarlierOf(row, mine))))) continue;
    if (now() > deadline || !(await posting.mayAct())) return sent;
    try {
      sent += await sendGroup(group, posting);
    } catch (error) {
      // A mail that cannot be composed now, as when its rule is not loaded, must not hold back the others.
      posting.logger.error({ alert: first.alertId, error: messageOf(error) }, 'a mail could not be made and stays queued');
    }
  }
  return sent;
}

function isEarlierOf(row: OutboxRow, mine: OutboxRow): boolean {
  return row.kind === 'FIRING' && row.alertId === mine.alertId && row.recipient === mine.recipient && row.channel === mine.channel;
}

/** What one mail speaks of: rows of one lead, or rows without one of the same tenant, rule, kind and recipient. */
function grouped(rows: readonly OutboxRow[]): OutboxRow[][] {
  const groups = new Map<string, OutboxRow[]>();
  for (const row of rows) {
    const key = row.lead || JSON.stringify([row.tenant, row.ruleId, row.kind, row.channel, row.recipient]);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()].map((group) =>
    group.toSorted((a, b) => (a.id === a.lead ? -1 : b.id === b.lead ? 1 : a.queuedAt - b.queuedAt || (a.id < b.id ? -1 : 1))),
  );
}

async function sendGroup(group: readonly OutboxRow[], { store, channels, compose, now, logger }: Posting): Promise<number> {
  const [lead] = group;
  const channel = channels.find(({ name }) => name === lead?.channel);
  if (!lead || !channel) return 0;
  const message = await compose(group);
  const bound = group.map((row) => ({ ...row, lead: lead.id, messageId: message.messageId, version: row.version + 1 }));
  await store.putOutbox(bound);
  const delivery = await channel.send(message);
  const at = now();
  if (delivery.outcome !== 'sent') logger.warn({ alert: lead.alertId, channel: channel.name, error: delivery.error }, 'a delivery failed');
  await store.putOutbox(
    bound.map((row) => {
      const next = { ...row, attempts: row.attempts + 1, version: row.version + 1 };
      if (delivery.outcome === 'sent') {
        const grouped = row.id !== lead.id;
        return {
          ...next,
          status: grouped ? ('GROUPED' as const) : ('SENT' as const),
          sentAt: at,
          lastError: '',
          reason: grouped ? `in the mail ${message.messageId}` : '',
        };
      }
      const lost = delivery.outcome === 'never' || at - row.queuedAt > giveUpAfterMs;
      const wait = Math.min(longestRetryMs, firstRetryMs * 2 ** row.attempts);
      return { ...next, status: lost ? ('FAILED' as const) : ('RETRYING' as const), dueAt: at + wait, lastError: delivery.error };
    }),
  );
  return delivery.outcome === 'sent' ? 1 : 0;
}
