/** The role `alerts`: rules, evaluator, life cycle, outbox and mail, put together for `app`. */
import { sleep, type Clock } from '../core/clock.ts';
import { AuditError, messageOf } from '../core/errors.ts';
import type { PurposeKey } from '../core/keys.ts';
import { signLink } from '../core/link-token.ts';
import type { Logger } from '../core/logger.ts';
import type { AlertFacts, OutboxRow } from '../schemas/alert.ts';
import { readRules, type Rule } from '../sigma/document.ts';
import { readRuleFolders } from '../sigma/folder.ts';
import { eventFilter } from '../storage/alert-changes.ts';
import { openAlertStore, type AlertStore, type AlertView } from '../storage/alerts.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import type { Lease } from '../storage/lease.ts';
import type { Channel, Message } from './channel.ts';
import { stepMs } from './compile/rule.ts';
import { type Evidence, noRequests, readEvidence } from './evidence.ts';
import { gapRule, raiseGaps } from './gaps.ts';
import { rowsFor, sendDue } from './outbox.ts';
import { firstPartyRules } from './pack.ts';
import { judgeRules, type Watermark } from './pipeline.ts';
import { renderMail } from './render.ts';
import { startScheduler, type Scheduler } from './scheduler.ts';

export interface AlertsOptions {
  /** As the user `jobs`. */
  readonly clickhouse: ClickHouse;
  readonly rules: readonly Rule[];
  readonly channels: readonly Channel[];
  readonly watermark: Watermark;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly latenessMs: number;
  readonly groupWaitMs: number;
  /** Default 10; shorter where lateness is. */
  readonly wakeSeconds?: number;
  /** Limits of consumers by name for a span of time, from the catalogue. */
  readonly limitsFor: (spanMs: number) => ReadonlyMap<string, number>;
  /** Whose records a topic holds: who is told of those that were lost. */
  readonly tenantOf: (topic: string) => string;
  readonly publicUrl: string;
  readonly linkKey: PurposeKey;
  /** First word of subjects, for instance prod. */
  readonly subjectPrefix?: string;
}

export interface Alerts {
  start(): void;
  stop(): Promise<void>;
  tick(): Promise<void>;
  status(): { readonly holdsLease: boolean; readonly lastTickAt: number | null };
}

/** A mail server that hangs must not hold back a stop. */
const patienceMs = 1_000;
const repeatMs = 4 * 3_600_000;
const linkLastsMs = 30 * 24 * 3_600_000;

export function createAlerts(options: AlertsOptions): Alerts {
  const { clickhouse, clock, lease, rules } = options;
  const store = openAlertStore(clickhouse);
  const now = () => clock.now();
  const none: ReadonlyMap<string, number> = new Map();
  const limitsFor = (rule: Rule) => (rule.limitFromPlan ? options.limitsFor(rule.timespanMs) : none);
  const queuedRepeats = new Set<string>();
  let scheduler: Scheduler | null = null;
  let stopping = false;
  let holdsLease = false;
  let lastTickAt: number | null = null;
  const mayAct = async () => !stopping && (await lease.isHeld());

  async function tick(): Promise<void> {
    if (stopping) return;
    lastTickAt = now();
    const done = await lease.during(async () => {
      holdsLease = true;
      await judgeRules({ ...options, store, limitsFor, now, mayAct }, rules);
      if (await mayAct()) await watchGaps();
      await repeat(store, options.channels, now(), queuedRepeats);
      return sendDue({ store, channels: options.channels, mayAct, compose, now, logger: options.logger });
    });
    holdsLease = done !== null;
  }

  /** What is queued already must go out whatever fails here. */
  async function watchGaps(): Promise<void> {
    try {
      await raiseGaps({ ...options, store }, { now: now(), groupWaitMs: options.groupWaitMs });
    } catch (error) {
      options.logger.error({ rule: gapRule.id, detail: messageOf(error) }, 'a rule failed and will be tried again');
    }
  }

  async function evidenceOf(view: AlertView): Promise<Evidence> {
    const rule = rules.find(({ id }) => id === view.ruleId);
    return rule ? readEvidence(clickhouse, rule, view) : noRequests;
  }

  async function compose(rows: readonly OutboxRow[]): Promise<Message> {
    const [lead] = rows;
    const rule = lead?.ruleId === gapRule.id ? gapRule : rules.find(({ id }) => id === lead?.ruleId);
    if (!lead || !rule) throw new AuditError('NOT_FOUND', `The rule ${lead?.ruleId} of a queued mail is not loaded`);
    const found = await Promise.all(rows.map((row) => store.one([row.tenant], row.alertId)));
    const views = found.filter((view) => view !== null);
    const alerts = await Promise.all(
      views.map(async (view) => ({ facts: view, evidence: await evidenceOf(view), link: linkTo(options, view) })),
    );
    const { hostname } = new URL(options.publicUrl);
    const { kind, recipient, id: rowId } = lead;
    return renderMail({ kind, rule, alerts, rowId, recipient, prefix: options.subjectPrefix ?? '', domain: hostname });
  }

  return {
    start() {
      scheduler = startScheduler(tick, { job: 'alerts', everySeconds: options.wakeSeconds ?? 10, logger: options.logger });
    },
    tick,
    status: () => ({ holdsLease, lastTickAt }),
    async stop() {
      stopping = true;
      const ended = scheduler?.stop();
      await Promise.race([ended, sleep(patienceMs)]);
      for (const channel of options.channels) channel.close();
      await ended;
      if (holdsLease) await lease.release();
    },
  };
}

/** Rules over stored events, of every folder. @throws AuditError as `readRuleFolders` and `readRules` do */
export const loadRules = (folders: readonly string[] = [firstPartyRules]): Promise<Rule[]> => readRuleFolders(folders, readRules);

/** Every four hours since somebody was told, while nobody took it: the number of the repeat makes the id. */
async function repeat(store: AlertStore, channels: readonly Channel[], now: number, queuedBefore: Set<string>): Promise<void> {
  const firing = await store.firing(now - repeatMs);
  const rows = firing.flatMap(({ alert, toldAt }) => {
    const count = Math.floor((now - toldAt) / repeatMs);
    return rowsFor(alert, `${alert.id}:repeat:${count}`, 'REPEAT', channels, { now, dueAt: now });
  });
  // Again would change nothing, but the rule would no longer count as quiet.
  const fresh = rows.filter(({ id }) => !queuedBefore.has(id));
  await store.putOutbox(fresh);
  for (const { id } of fresh) queuedBefore.add(id);
}

function linkTo(options: AlertsOptions, alert: AlertFacts): string {
  const token = signLink(options.linkKey, {
    alertId: alert.id,
    title: alert.title,
    tenant: alert.tenant,
    filter: eventFilter(alert),
    from: alert.eventsFrom,
    to: alert.startedAt + stepMs,
    // From the alert, not from the clock: a resent mail is the same mail.
    expiresAt: alert.startedAt + linkLastsMs,
  });
  return `${options.publicUrl.replace(/\/$/, '')}/evidence?t=${token}`;
}
