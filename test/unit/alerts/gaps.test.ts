/** Alerts about what the log lost, on a store that only keeps what it is given; the tables and the mail are in test/faults/replay.test.ts. */
import { expect, test } from 'vitest';
import type { Channel } from '../../../alerts/channel.ts';
import { gapRule, raiseGaps } from '../../../alerts/gaps.ts';
import { renderMail } from '../../../alerts/render.ts';
import { noRequests } from '../../../alerts/evidence.ts';
import type { CursorRow, FindingRow, OutboxRow, TransitionRow } from '../../../schemas/alert.ts';
import { eventFilter } from '../../../storage/alert-changes.ts';
import type { AlertStore } from '../../../storage/alerts.ts';
import type { ClickHouse } from '../../../storage/clickhouse.ts';

const t0 = Date.UTC(2026, 10, 26, 12);
const minute = 60_000;

interface Gap {
  readonly topic: string;
  readonly first: number;
  readonly last: number;
}

function place(gaps: readonly Gap[]) {
  const written = {
    findings: [] as FindingRow[],
    transitions: [] as TransitionRow[],
    outbox: [] as OutboxRow[],
    cursors: [] as CursorRow[],
  };
  const state = { gaps: [...gaps], failsAt: '' };
  const keep =
    <Row>(name: string, rows: Row[]) =>
    async (more: readonly Row[]) => {
      if (state.failsAt === name) throw new Error('killed');
      rows.push(...more);
    };
  const store = {
    cursors: async () => written.cursors.slice(-1),
    lastQueued: async () => new Map(),
    addFindings: keep('findings', written.findings),
    addTransitions: keep('transitions', written.transitions),
    putOutbox: keep('outbox', written.outbox),
    saveCursor: async (row: CursorRow) => keep('cursor', written.cursors)([row]),
  } as unknown as AlertStore; // what raiseGaps asks of it
  const rows = () =>
    state.gaps.map(({ topic, first, last }) => ({
      logId: 'log',
      epoch: 1,
      topic,
      partition: 3,
      first: String(first),
      last: String(last),
      at: String(t0),
    }));
  const clickhouse = { rows: async () => rows() } as unknown as ClickHouse; // as ClickHouse answers the one question
  const channels = [{ name: 'mail', recipients: ['oncall@example.org'] }] as unknown as Channel[]; // nothing is sent here
  const tenantOf = (topic: string) => (topic === 'acme-edge' ? 'acme' : 'default');
  const look = (now: number) => raiseGaps({ clickhouse, store, channels, tenantOf }, { now, groupWaitMs: 0 });
  return { written, state, look };
}

test('each lost range fires once, for the tenant of its topic, with what it lost', async () => {
  const { written, state, look } = place([{ topic: 'acme-edge', first: 10, last: 24 }]);
  await look(t0 + minute);
  await look(t0 + 2 * minute);
  state.gaps.push({ topic: 'other', first: 0, last: 0 });
  await look(t0 + 3 * minute);
  expect(written.transitions.map(({ kind, alert }) => [kind, alert.tenant, alert.subject.value, alert.value])).toEqual([
    ['FIRED', 'acme', 'acme-edge/3', 15],
    ['FIRED', 'default', 'other/3', 1],
  ]);
  expect(written.outbox.map(({ kind, recipient, alertId }) => [kind, recipient, alertId])).toEqual(
    written.transitions.map(({ alert }) => ['FIRING', 'oncall@example.org', alert.id]),
  );
});

test.each(['transitions', 'outbox', 'cursor'])(
  'a crash before the %s are written loses no mail: the same rows are written again',
  async (step) => {
    const { written, state, look } = place([{ topic: 't', first: 10, last: 24 }]);
    state.failsAt = step;
    await expect(look(t0)).rejects.toThrow('killed');
    state.failsAt = '';
    await look(t0 + minute);
    expect(new Set(written.outbox.map(({ id }) => id)).size).toBe(1);
    expect(new Set(written.transitions.map(({ id }) => id)).size).toBe(1);
    expect(new Set(written.findings.map(({ id }) => id)).size).toBe(1);
  },
);

test('without news the cursor is saved once a minute, so that the rule is seen to be judged', async () => {
  const { written, look } = place([]);
  for (const seconds of [0, 10, 59, 60, 70]) await look(t0 + seconds * 1_000);
  expect(written.cursors.map(({ savedAt, ruleId }) => [savedAt - t0, ruleId])).toEqual([
    [0, gapRule.id],
    [minute, gapRule.id],
  ]);
});

test('the mail says which offsets of which partition are gone, why, and what to do, and speaks of no requests', async () => {
  const { written, look } = place([{ topic: 'edge', first: 10, last: 24 }]);
  await look(t0);
  const [fired] = written.transitions;
  if (!fired) throw new Error('nothing fired');
  const facts = {
    ...fired.alert,
    state: 'FIRING',
    firedAt: t0,
    resolvedAt: null,
    lastSeenAt: t0,
    acknowledgedBy: '',
    acknowledgedAt: null,
  } as const;
  const alerts = [{ facts, evidence: noRequests, link: 'https://audit.example.org/evidence?t=x' }];
  const mail = renderMail({ kind: 'FIRING', rule: gapRule, alerts, rowId: 'r'.repeat(64), recipient: 'a@b', prefix: 'prod', domain: 'd' });
  expect(mail.subject).toBe('[FIRING] prod: Lost records of edge/3 - 15 offsets');
  for (const body of [mail.text, mail.html]) {
    expect(body).toContain('The log no longer had offsets 10 to 24 of edge/3 when they were to be stored (RETENTION_OVERRUN).');
    expect(body).toContain('retention.ms');
    expect(body).not.toContain('requests so far');
  }
});

test('the events around it are those of its topic', () => {
  expect(eventFilter({ subject: { name: 'topic', value: 'edge/logs/3' } })).toEqual({ topic: { in: ['edge/logs'] } });
});
