/**
 * An alert for each range of the log that was gone before it was stored. Nobody can bring it back, so that it fires once
 * and stays until somebody takes it. Ids come from the position alone: a crash anywhere repeats the same rows.
 */
import type { AlertFacts, CursorRow, TransitionRow } from '../schemas/alert.ts';
import { type RuleDocument, severities } from '../schemas/rule.ts';
import { hash, transition } from '../storage/alert-changes.ts';
import type { AlertStore } from '../storage/alerts.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import { lostRanges, type LostRange } from '../storage/gaps.ts';
import type { Channel } from './channel.ts';
import { queued, type Timing } from './outbox.ts';

/** Stands among the rules of documents, for those who look up what is behind an alert. */
export const gapRule: RuleDocument = {
  id: 'gatetrail-log-gap',
  title: 'Lost records',
  description: 'The log deleted records before they were stored. The range is on record as a gap of the partition, with its reason.',
  kind: 'DETECTION',
  level: 'high',
  status: 'stable',
  author: 'Gatetrail',
  owner: 'platform',
  tags: [],
  references: [],
  falsePositives: [],
  source: 'built in',
  version: '1',
  document: '',
};

export interface GapWatch {
  readonly clickhouse: ClickHouse;
  readonly store: AlertStore;
  readonly channels: readonly Channel[];
  /** Whose records a topic holds. */
  readonly tenantOf: (topic: string) => string;
}

/** The cursor is saved last. It is saved without news too, so that the health of the rule says that somebody looks. */
export async function raiseGaps({ clickhouse, store, channels, tenantOf }: GapWatch, times: Timing): Promise<void> {
  const startedAt = performance.now();
  const cursor = (await store.cursors()).find(({ ruleId }) => ruleId === gapRule.id);
  const before = cursor?.memory ?? '[]';
  const known = new Set(JSON.parse(before) as string[]); // our own, written below
  const alerts = (await lostRanges(clickhouse)).map((range) => alertOf(range, tenantOf(range.topic)));
  const fresh = alerts.filter(({ id }) => !known.has(id));
  const memory = JSON.stringify(alerts.map(({ id }) => id));
  if (fresh.length > 0) {
    await store.addFindings(fresh.map(findingOf));
    const transitions = fresh.map(fired);
    await store.addTransitions(transitions);
    await store.putOutbox(queued(transitions, channels, await store.lastQueued(), times));
  } else if (cursor !== undefined && times.now - cursor.savedAt < saveEveryMs) return;
  await store.saveCursor({
    ...healthy,
    evaluatedTo: times.now,
    memory,
    durationMs: performance.now() - startedAt,
    savedAt: times.now,
    version: (cursor?.version ?? 0) + 1,
  });
}

const saveEveryMs = 60_000;
const healthy: Pick<CursorRow, 'ruleId' | 'ruleVersion' | 'mark' | 'state' | 'detail'> = {
  ruleId: gapRule.id,
  ruleVersion: gapRule.version,
  mark: '',
  state: 'OK',
  detail: '',
};

function alertOf({ logId, sourceEpoch, topic, partition, firstOffset, lastOffset, receivedAt }: LostRange, tenant: string): AlertFacts {
  const value = lastOffset - firstOffset + 1;
  return {
    id: hash([gapRule.id, logId, sourceEpoch, topic, partition, firstOffset]).slice(0, 32),
    fingerprint: hash([gapRule.id, logId, topic, partition]).slice(0, 32),
    tenant,
    ruleId: gapRule.id,
    ruleVersion: gapRule.version,
    severity: severities[gapRule.level],
    title: gapRule.title,
    summary: `The log no longer had offsets ${firstOffset} to ${lastOffset} of ${topic}/${partition} when they were to be stored (RETENTION_OVERRUN).`,
    subject: { name: 'topic', value: `${topic}/${partition}` },
    startedAt: receivedAt,
    measure: 'offsets',
    value,
    threshold: 0,
    eventsFrom: receivedAt,
    late: false,
  };
}

const fired = (alert: AlertFacts): TransitionRow =>
  transition(alert, {
    at: alert.startedAt,
    kind: 'FIRED',
    from: 'INACTIVE',
    to: 'FIRING',
    reason: 'the range was put on record as a gap',
    actor: '',
    note: '',
  });

function findingOf({ id, fingerprint, tenant, subject, startedAt, value }: AlertFacts) {
  const { id: ruleId, version: ruleVersion } = gapRule;
  const step = { bucket: startedAt, firstEvent: startedAt, value, threshold: 0, events: 0, late: false };
  return { id, alertId: id, fingerprint, tenant, ruleId, ruleVersion, group: subject.value, ...step };
}
