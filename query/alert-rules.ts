/** Rules as the API shows them: as loaded, or as an alert remembers one that has changed or gone since; and how each is doing. */
import type { AlertFacts, CursorRow, RuleState, Severity } from '../schemas/alert.ts';

/** What is shown of a rule document; whoever loads rules gives them as they are. */
export interface RuleDocument {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly kind: 'DETECTION' | 'CORRELATION' | 'ANOMALY';
  readonly level: 'informational' | 'low' | 'medium' | 'high' | 'critical';
  readonly status: string;
  readonly author: string;
  readonly owner: string;
  readonly tags: readonly string[];
  readonly references: readonly string[];
  readonly falsePositives: readonly string[];
  readonly source: string;
  readonly version: string;
  readonly document: string;
}

export interface RuleHealth {
  readonly state: RuleState;
  readonly detail: string | null;
  readonly missingFields: readonly string[];
  readonly lastEvaluatedTo: number | null;
  readonly lagSeconds: number | null;
  readonly lastDurationMs: number | null;
}

const severities: Readonly<Record<RuleDocument['level'], Severity>> = {
  informational: 'INFO',
  low: 'LOW',
  medium: 'MEDIUM',
  high: 'HIGH',
  critical: 'CRITICAL',
};
const orNull = (text: string) => (text === '' ? null : text);

export function viewRule(rule: RuleDocument) {
  const { description, author, owner, level, ...rest } = rule;
  return {
    ...rest,
    description: orNull(description),
    author: orNull(author),
    owner: orNull(owner),
    severity: severities[level],
    enabled: true,
  };
}

/** The rule as it stood: of a version that is not loaded its alert knows title, severity and version. */
export function ruleBehind(alert: AlertFacts, rules: readonly RuleDocument[]) {
  const loaded = rules.find(({ id }) => id === alert.ruleId);
  if (loaded?.version === alert.ruleVersion) return viewRule(loaded);
  const nothing = {
    description: null,
    author: null,
    owner: null,
    status: 'unsupported',
    tags: [],
    references: [],
    falsePositives: [],
    source: '',
  };
  const kind = alert.measure.startsWith('auth failures') ? 'ANOMALY' : 'CORRELATION';
  const known = loaded ? viewRule(loaded) : { ...nothing, kind, enabled: false };
  return { ...known, id: alert.ruleId, title: alert.title, severity: alert.severity, version: alert.ruleVersion, document: null };
}

/** A rule is judged every few seconds: not for this long means that nobody judges it. */
const stalledAfterMs = 300_000;

/** The worst that holds, in this order. `silent`: tenants that sent nothing lately. */
export function healthOf(cursor: CursorRow | undefined, silent: readonly string[], now: number): RuleHealth {
  if (!cursor) return { state: 'NO_DATA', detail: 'it was not judged yet', ...unjudged };
  const { evaluatedTo, savedAt, durationMs } = cursor;
  const known = {
    missingFields: [],
    lastEvaluatedTo: evaluatedTo,
    lagSeconds: Math.max(0, now - evaluatedTo) / 1000,
    lastDurationMs: durationMs,
  };
  if (cursor.state === 'FAILING') return { state: 'FAILING', detail: orNull(cursor.detail), ...known };
  if (now - savedAt > stalledAfterMs) return { state: 'LAGGING', detail: 'nobody judged it lately: look at the role alerts', ...known };
  if (cursor.state === 'LAGGING') return { state: 'LAGGING', detail: orNull(cursor.detail), ...known };
  if (silent.length > 0) return { state: 'NO_DATA', detail: `nothing came lately from ${silent.join(', ')}`, ...known };
  return { state: cursor.state, detail: orNull(cursor.detail), ...known };
}

const unjudged = { missingFields: [], lastEvaluatedTo: null, lagSeconds: null, lastDurationMs: null };
