/**
 * One tick: judge what is new, turn it into alerts, queue and send. Each step is written before the next one acts on it,
 * and the cursor last, so that a crash anywhere repeats the same rows.
 */
import type { Logger } from '../core/logger.ts';
import { messageOf } from '../core/errors.ts';
import type { CursorRow, TransitionRow } from '../schemas/alert.ts';
import type { Rule } from '../sigma/document.ts';
import type { AlertStore } from '../storage/alerts.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import type { Channel } from './channel.ts';
import { stepMs } from './compile/rule.ts';
import { evaluate, floorToStep, type Breach } from './evaluate.ts';
import { advance, readMemory } from './life-cycle.ts';
import { queued } from './outbox.ts';

/** What is stored and closed. */
export interface Watermark {
  /** Event time, milliseconds, up to which every active partition is stored; null before there is anything. */
  eventTime(): Promise<number | null>;
  /** Minutes (their begin, ms) of events in claims that closed after `mark`, and the new mark. An empty mark is the start. */
  newMinutes(mark: string): Promise<{ readonly minutes: readonly number[]; readonly mark: string }>;
}

export interface Pipeline {
  readonly clickhouse: ClickHouse;
  readonly store: AlertStore;
  readonly channels: readonly Channel[];
  readonly watermark: Watermark;
  readonly limitsFor: (rule: Rule) => ReadonlyMap<string, number>;
  readonly latenessMs: number;
  readonly groupWaitMs: number;
  readonly now: () => number;
  readonly mayAct: () => Promise<boolean>;
  readonly logger: Logger;
}

/** Event time that one query judges at most. */
const chunkMs = 3_600_000;
/** How far back late data is judged again, and how far a new rule looks back. */
const lateForMs = 24 * 3_600_000;
const firstLookMs = 3_600_000;

/** A rule that fails keeps its cursor; the others go on. */
export async function judgeRules(pipeline: Pipeline, rules: readonly Rule[]): Promise<void> {
  const eventTime = await pipeline.watermark.eventTime();
  if (eventTime === null) return;
  const cursors = new Map((await pipeline.store.cursors()).map((cursor) => [cursor.ruleId, cursor]));
  for (const rule of rules) {
    if (!(await pipeline.mayAct())) return;
    const cursor = cursors.get(rule.id) ?? firstCursor(rule, eventTime);
    try {
      await judgeRule(pipeline, rule, cursor, floorToStep(eventTime - (rule.latenessMs ?? pipeline.latenessMs)));
    } catch (error) {
      const detail = messageOf(error).slice(0, 500);
      pipeline.logger.error({ rule: rule.id, detail }, 'a rule failed and will be tried again');
      await pipeline.store.saveCursor({ ...cursor, state: 'FAILING', detail, savedAt: pipeline.now(), version: cursor.version + 1 });
    }
  }
}

function firstCursor(rule: Rule, eventTime: number): CursorRow {
  const evaluatedTo = floorToStep(eventTime - firstLookMs);
  return {
    ruleId: rule.id,
    ruleVersion: rule.version,
    evaluatedTo,
    mark: '',
    memory: '{}',
    state: 'OK',
    detail: '',
    durationMs: 0,
    savedAt: 0,
    version: 0,
  };
}

async function judgeRule(pipeline: Pipeline, rule: Rule, cursor: CursorRow, closedTo: number): Promise<void> {
  const { clickhouse, store } = pipeline;
  const startedAt = performance.now();
  const limits = pipeline.limitsFor(rule);
  const from = cursor.evaluatedTo;
  const to = Math.max(from, Math.min(closedTo, from + chunkMs));
  // The mark is taken before reading: what closes meanwhile is dirty next time.
  const fresh = await pipeline.watermark.newMinutes(cursor.mark);
  const late = cursor.mark === '' ? [] : await judgeLate(clickhouse, rule, { minutes: fresh.minutes, judgedTo: from }, limits);
  const breaches = await evaluate(clickhouse, rule, { from, to }, limits);
  const result = advance(rule, readMemory(rule, cursor.memory), [...late, ...breaches], { judgedFrom: from, judgedTo: to });
  await store.addFindings(result.findings);
  await publish(pipeline, result.transitions);
  await store.saveCursor({
    ruleId: rule.id,
    ruleVersion: rule.version,
    evaluatedTo: to,
    mark: fresh.mark,
    memory: JSON.stringify(result.memory),
    state: closedTo - to > 2 * chunkMs ? 'LAGGING' : 'OK',
    detail: '',
    durationMs: performance.now() - startedAt,
    savedAt: pipeline.now(),
    version: cursor.version + 1,
  });
}

/** Steps whose window a dirty minute touches, below what was judged, once each. */
async function judgeLate(
  clickhouse: ClickHouse,
  rule: Rule,
  dirty: { minutes: readonly number[]; judgedTo: number },
  limits: ReadonlyMap<string, number>,
): Promise<Breach[]> {
  const found: Breach[] = [];
  let done = dirty.judgedTo - lateForMs;
  for (const minute of dirty.minutes.toSorted((a, b) => a - b)) {
    const from = Math.max(done, minute);
    const to = Math.min(dirty.judgedTo, minute + 60_000 + Math.ceil(rule.timespanMs / stepMs) * stepMs);
    if (to <= from) continue;
    found.push(...(await evaluate(clickhouse, rule, { from, to }, limits)));
    done = to;
  }
  return found;
}

async function publish(pipeline: Pipeline, transitions: readonly TransitionRow[]): Promise<void> {
  if (transitions.length === 0) return;
  const { store } = pipeline;
  await store.addTransitions(transitions);
  const times = { now: pipeline.now(), groupWaitMs: pipeline.groupWaitMs };
  await store.putOutbox(queued(transitions, pipeline.channels, await store.lastQueued(), times));
}
