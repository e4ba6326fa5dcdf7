/**
 * What breaches make of alerts: a pure function of what was remembered, the breaches and how far data is judged. A replay
 * gives the same transitions with the same ids. Steps that are not judged yet never end anything.
 */
import type { AlertChange, AlertFacts, AlertState, FindingRow, TransitionRow } from '../schemas/alert.ts';
import { severities } from '../schemas/rule.ts';
import type { Rule } from '../sigma/document.ts';
import { hash, transition } from '../storage/alert-changes.ts';
import { stepMs } from './compile/rule.ts';
import type { Breach } from './evaluate.ts';

/** One group of a rule. Its alert is over once `over`; then it only says up to when late breaches belong to it. */
export interface Remembered {
  readonly alert: AlertFacts;
  readonly state: 'PENDING' | 'FIRING' | 'RESOLVED';
  readonly lastBreach: number;
}
export type Memory = Readonly<Record<string, Remembered>>;
export interface Advance {
  readonly memory: Memory;
  readonly transitions: readonly TransitionRow[];
  readonly findings: readonly FindingRow[];
}

/** How long a group that is over is remembered: late breaches are judged this far back. */
const forgetAfterMs = 24 * 3_600_000;

export function advance(rule: Rule, before: Memory, breaches: readonly Breach[], range: { judgedFrom: number; judgedTo: number }): Advance {
  const memory: Record<string, Remembered> = { ...before };
  const transitions: TransitionRow[] = [];
  const findings: FindingRow[] = [];
  const change = (alert: AlertFacts, at: number, kind: AlertChange, states: readonly [AlertState, AlertState], reason: string) =>
    transitions.push(transition(alert, { at, kind, from: states[0], to: states[1], reason, actor: '', note: '' }));

  /** Ends what is over by `time`: lapses a pending alert, resolves a firing one. */
  const settle = (key: string, time: number) => {
    const known = memory[key];
    if (!known || known.state === 'RESOLVED') return;
    const end = known.lastBreach + stepMs;
    if (known.state === 'PENDING') {
      if (end + stepMs > time) return;
      // Whatever is still pending did not fire: only a breach at or after `for` shows that the condition held so long.
      change(known.alert, end + stepMs, 'LAPSED', ['PENDING', 'INACTIVE'], 'the condition ended before it had held long enough');
      delete memory[key];
      return;
    }
    if (end + rule.keepFiringForMs > time) return;
    memory[key] = { ...known, state: 'RESOLVED' };
    change(known.alert, end + rule.keepFiringForMs, 'RESOLVED', ['FIRING', 'RESOLVED'], 'the condition has ended');
  };

  for (const breach of breaches.toSorted((a, b) => a.bucket - b.bucket || (a.group < b.group ? -1 : 1))) {
    const key = JSON.stringify([breach.tenant, breach.group]);
    settle(key, breach.bucket);
    let known = memory[key];
    // A minute may be judged again only because newer rows fell into it: what was seen then is not late.
    const seen = known !== undefined && breach.bucket >= known.alert.startedAt && breach.bucket <= known.lastBreach;
    const late = breach.bucket < range.judgedFrom && !seen;
    const belongs = known && known.state === 'RESOLVED' && breach.bucket <= known.lastBreach + rule.keepFiringForMs;
    if (known && (known.state !== 'RESOLVED' || belongs)) {
      known = { ...known, lastBreach: Math.max(known.lastBreach, breach.bucket) };
    } else {
      const alert = open(rule, breach, late);
      known = { alert, state: 'PENDING', lastBreach: breach.bucket };
      if (rule.forMs > 0) change(alert, breach.bucket, 'OPENED', ['INACTIVE', 'PENDING'], 'the condition began to hold');
    }
    if (known.state === 'PENDING' && breach.bucket - known.alert.startedAt >= rule.forMs) {
      const from = rule.forMs > 0 ? 'PENDING' : 'INACTIVE';
      change(
        known.alert,
        breach.bucket + stepMs,
        'FIRED',
        [from, 'FIRING'],
        late ? 'late data showed the condition' : 'the condition held',
      );
      known = { ...known, state: 'FIRING' };
    }
    memory[key] = known;
    findings.push(finding(rule, breach, known.alert, late));
  }
  for (const key of Object.keys(memory).toSorted()) {
    settle(key, range.judgedTo);
    const known = memory[key];
    if (known?.state === 'RESOLVED' && known.lastBreach + rule.keepFiringForMs + forgetAfterMs < range.judgedTo) delete memory[key];
  }
  return { memory, transitions, findings };
}

function open(rule: Rule, breach: Breach, late: boolean): AlertFacts {
  const fingerprint = hash([rule.id, breach.tenant, breach.group]).slice(0, 32);
  const name = rule.groupBy === 'client_address' ? 'clientAddress' : 'consumer';
  const span = spanText(rule.timespanMs);
  const subject = rule.groupBy === 'client_address' ? 'address' : 'consumer';
  return {
    id: hash([fingerprint, rule.version, breach.bucket]).slice(0, 32),
    fingerprint,
    tenant: breach.tenant,
    ruleId: rule.id,
    ruleVersion: rule.version,
    severity: severities[rule.level],
    title: rule.title,
    summary: `${rule.title} of ${subject} ${breach.group}: ${breach.value} in ${span} (limit ${breach.threshold}). ${rule.description}`,
    subject: { name, value: breach.group },
    startedAt: breach.bucket,
    measure: `${rule.type === 'ratio' ? 'auth failures' : 'requests'} in ${span}`,
    value: breach.value,
    threshold: breach.threshold,
    eventsFrom: breach.firstEvent,
    late,
  };
}

function finding(rule: Rule, breach: Breach, alert: AlertFacts, late: boolean): FindingRow {
  return {
    id: hash([rule.id, rule.version, breach.tenant, breach.group, breach.bucket]),
    alertId: alert.id,
    fingerprint: alert.fingerprint,
    tenant: breach.tenant,
    ruleId: rule.id,
    ruleVersion: rule.version,
    group: breach.group,
    bucket: breach.bucket,
    firstEvent: breach.firstEvent,
    value: breach.value,
    threshold: breach.threshold,
    events: breach.value,
    late,
  };
}

export function spanText(ms: number): string {
  return ms % 3_600_000 === 0 ? `${ms / 3_600_000}h` : ms % 60_000 === 0 ? `${ms / 60_000}m` : `${ms / 1000}s`;
}
