/**
 * What breaches make of alerts: a pure function of what was remembered, the breaches and how far data is judged. A replay
 * gives the same transitions with the same ids. Steps that are not judged yet never end anything.
 */
import type { AlertChange, AlertFacts, AlertSelection, AlertState, FindingRow, TransitionRow } from '../schemas/alert.ts';
import { severities } from '../schemas/rule.ts';
import type { Rule, Selection } from '../sigma/document.ts';
import { hash, transition } from '../storage/alert-changes.ts';
import { stepMs } from './compile/rule.ts';
import type { Breach } from './evaluate.ts';

/** One alert of a group. Once it is over it only says which steps are its own: late breaches come, and steps are judged again. */
type Remembered = Span & (Open | Over);
interface Span {
  /** When it is over unless the condition comes back; once it is over, when it was. */
  readonly until: number;
  /** The last breach that was seen in time: what is judged again up to here is not late. */
  readonly seenTo: number;
}
interface Open {
  readonly alert: AlertFacts;
  readonly state: 'PENDING' | 'FIRING';
}
interface Over {
  readonly alert: Pick<AlertFacts, 'id' | 'startedAt' | 'late'>;
  readonly state: 'INACTIVE' | 'RESOLVED';
}
/** The alerts of each group, by the time at which they began. */
export type Memory = Readonly<Record<string, readonly Remembered[]>>;
export interface Advance {
  readonly memory: Memory;
  readonly transitions: readonly TransitionRow[];
  readonly findings: readonly FindingRow[];
}

/** How long an alert that is over is remembered: late breaches are judged this far back. */
const forgetAfterMs = 24 * 3_600_000;
/** In a day of a condition that comes and goes all the time there would be thousands. */
const maxOver = 200;

export function advance(rule: Rule, before: Memory, breaches: readonly Breach[], range: { judgedFrom: number; judgedTo: number }): Advance {
  const memory: Record<string, readonly Remembered[]> = { ...before };
  const transitions: TransitionRow[] = [];
  const findings: FindingRow[] = [];
  const change = (alert: AlertFacts, at: number, kind: AlertChange, states: readonly [AlertState, AlertState], reason: string) =>
    transitions.push(transition(alert, { at, kind, from: states[0], to: states[1], reason, actor: '', note: '' }));

  /** Ends what is over by `time`: lapses a pending alert, resolves a firing one. */
  const settled = (known: Remembered, time: number): Remembered => {
    if (!isOpen(known) || known.until > time) return known;
    const { until, seenTo } = known;
    const { id, startedAt, late } = known.alert;
    const end = { alert: { id, startedAt, late }, until, seenTo };
    if (known.state === 'FIRING') {
      change(known.alert, until, 'RESOLVED', ['FIRING', 'RESOLVED'], 'the condition has ended');
      return { ...end, state: 'RESOLVED' };
    }
    // Whatever is still pending did not fire: only a breach at or after `for` shows that the condition held so long.
    change(known.alert, until, 'LAPSED', ['PENDING', 'INACTIVE'], 'the condition ended before it had held long enough');
    return { ...end, state: 'INACTIVE' };
  };

  /** The alert of the breach as it is with it, `known` where it had one. */
  const taken = (breach: Breach, known: Remembered | undefined, late: boolean): Remembered => {
    const { bucket } = breach;
    const isHeld = bucket - (known?.alert.startedAt ?? bucket) >= rule.forMs;
    const seenTo = Math.max(known?.seenTo ?? bucket, late ? 0 : bucket);
    // That it is over was told: late breaches do not bring it back.
    if (known?.state === 'RESOLVED') return { ...known, seenTo };
    const until = (state: Remembered['state']) => Math.max(known?.until ?? 0, bucket + reachOf(rule, state));
    if (known && (known.state === 'FIRING' || !isHeld)) return { ...known, seenTo, until: until(known.state) };
    // What lapsed stays so: where late data shows that it held long enough, that is an alert of its own.
    const alert = known?.state === 'PENDING' ? known.alert : open(rule, breach, late);
    const state = isHeld ? 'FIRING' : 'PENDING';
    const reason = late ? 'late data showed the condition' : 'the condition held';
    if (isHeld) change(alert, bucket + stepMs, 'FIRED', [known?.state === 'PENDING' ? 'PENDING' : 'INACTIVE', 'FIRING'], reason);
    else change(alert, bucket, 'OPENED', ['INACTIVE', 'PENDING'], 'the condition began to hold');
    return { alert, state, until: until(state), seenTo };
  };

  for (const breach of breaches.toSorted((a, b) => a.bucket - b.bucket || (a.group < b.group ? -1 : 1))) {
    const key = JSON.stringify([breach.tenant, breach.group]);
    const alerts = (memory[key] ?? []).map((each) => settled(each, breach.bucket));
    const known = ownerOf(rule, alerts, breach.bucket);
    // A minute may be judged again only because newer rows fell into it: what was seen then is not late.
    const late = breach.bucket < range.judgedFrom && !(known && wasSeen(known, breach.bucket));
    const next = taken(breach, known, late);
    memory[key] = bounded([...alerts.filter(({ alert }) => alert.id !== next.alert.id), next]);
    findings.push(finding(rule, breach, next.alert.id, late));
  }
  for (const key of Object.keys(memory).toSorted()) {
    const alerts = (memory[key] ?? []).map((each) => settled(each, range.judgedTo));
    memory[key] = alerts.filter((each) => isOpen(each) || each.until + forgetAfterMs >= range.judgedTo);
    if (memory[key].length === 0) delete memory[key];
  }
  return { memory, transitions, findings };
}

/** By the time at which they began. Each breach looks at all of its group, so of what is over the newest are kept. */
function bounded(alerts: readonly Remembered[]): readonly Remembered[] {
  let surplus = alerts.filter((each) => !isOpen(each)).length - maxOver;
  return alerts.toSorted((a, b) => a.alert.startedAt - b.alert.startedAt).filter((each) => isOpen(each) || surplus-- <= 0);
}

/** As it was saved with the cursor. A group may stand there as one alert, which says when its last breach was. */
export function readMemory(rule: Rule, text: string): Memory {
  const saved = JSON.parse(text) as Record<string, SavedAlert | readonly SavedAlert[]>; // the cursor is saved by the pipeline alone
  const alertOf = ({ lastBreach, ...alert }: SavedAlert): Remembered =>
    lastBreach === undefined ? alert : { ...alert, seenTo: lastBreach, until: lastBreach + reachOf(rule, alert.state) };
  return Object.fromEntries(Object.entries(saved).map(([key, alerts]) => [key, [alerts].flat().map(alertOf)]));
}
type SavedAlert = Remembered & { readonly lastBreach?: number };

const isOpen = (known: Remembered): known is Span & Open => known.state === 'PENDING' || known.state === 'FIRING';
const hasFired = ({ state }: Pick<Remembered, 'state'>) => state === 'FIRING' || state === 'RESOLVED';
const wasSeen = ({ alert, seenTo }: Remembered, bucket: number) => !alert.late && bucket >= alert.startedAt && bucket <= seenTo;

/** From the begin of the last step in which the condition held to the end of its alert, milliseconds. */
function reachOf(rule: Rule, state: Remembered['state']): number {
  return stepMs + (hasFired({ state }) ? rule.keepFiringForMs : stepMs);
}

/** The alert that a breach belongs to. What fired goes first, so that a step judged again stays with its alert. */
function ownerOf(rule: Rule, alerts: readonly Remembered[], bucket: number): Remembered | undefined {
  const holds = ({ alert, until }: Remembered) => bucket >= alert.startedAt && bucket < until;
  const beginsBefore = ({ alert, state }: Remembered) => bucket < alert.startedAt && bucket + reachOf(rule, state) > alert.startedAt;
  return (
    alerts.findLast((each) => hasFired(each) && holds(each)) ??
    // The earliest: late data may join what seemed to be two runs, and together they may be long enough.
    alerts.find((each) => !hasFired(each) && holds(each)) ??
    // Late data often shows that the condition began a little earlier: that is no news.
    alerts.find((each) => hasFired(each) && beginsBefore(each))
  );
}

function open(rule: Rule, breach: Breach, late: boolean): AlertFacts {
  const fingerprint = fingerprintOf(rule, breach);
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
    selection: countedBy(rule),
    startedAt: breach.bucket,
    measure: `${rule.type === 'ratio' ? 'auth failures' : 'requests'} in ${span}`,
    value: breach.value,
    threshold: breach.threshold,
    eventsFrom: breach.firstEvent,
    late,
  };
}

/** Which requests the rule counts, in the words of AuditEventFilter. */
function countedBy({ selections }: Rule): AlertSelection {
  const valuesOf = (column: Selection['column']) => selections.find((each) => each.column === column && !each.values.includes('*'))?.values;
  const [statuses, methods] = [valuesOf('http_response_status_code'), valuesOf('http_request_method')];
  return { ...(statuses && { status: { in: statuses.map(Number) } }), ...(methods && { method: { in: methods } }) };
}

const fingerprintOf = (rule: Rule, { tenant, group }: Breach) => hash([rule.id, tenant, group]).slice(0, 32);

function finding(rule: Rule, breach: Breach, alertId: string, late: boolean): FindingRow {
  return {
    id: hash([rule.id, rule.version, breach.tenant, breach.group, breach.bucket]),
    alertId,
    fingerprint: fingerprintOf(rule, breach),
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
