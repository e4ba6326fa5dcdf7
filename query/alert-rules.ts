/** Rules as the API shows them: as loaded, or as an alert remembers one that has changed or gone since; and how each is doing. */
import type { AlertFacts, CursorRow, RuleState } from '../schemas/alert.ts';
import type { RuleKind } from '../schemas/api.ts';
import { severities, type RuleDocument } from '../schemas/rule.ts';

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
  const kind: RuleKind = alert.measure.startsWith('auth failures') ? 'ANOMALY' : 'CORRELATION';
  const known = loaded ? viewRule(loaded) : { ...nothing, kind, enabled: false };
  return { ...known, id: alert.ruleId, title: alert.title, severity: alert.severity, version: alert.ruleVersion, document: null };
}

/** A rule is judged every few seconds: not for this long means that nobody judges it. */
const stalledAfterMs = 300_000;

/** The worst that holds, in this order. `silent`: tenants that sent nothing lately. */
export function healthOf(cursor: CursorRow | undefined, silent: readonly string[], now: number) {
  const { evaluatedTo: lastEvaluatedTo = null, durationMs: lastDurationMs = null } = cursor ?? {};
  const lagSeconds = lastEvaluatedTo === null ? null : Math.max(0, now - lastEvaluatedTo) / 1000;
  const health = (state: RuleState, detail: string) => ({
    state,
    detail: orNull(detail),
    missingFields: [],
    lastEvaluatedTo,
    lagSeconds,
    lastDurationMs,
  });
  if (!cursor) return health('NO_DATA', 'it was not judged yet');
  if (cursor.state === 'FAILING') return health('FAILING', cursor.detail);
  if (now - cursor.savedAt > stalledAfterMs) return health('LAGGING', 'nobody judged it lately: look at the role alerts');
  if (cursor.state === 'LAGGING') return health('LAGGING', cursor.detail);
  if (silent.length > 0) return health('NO_DATA', `nothing came lately from ${silent.join(', ')}`);
  return health(cursor.state, cursor.detail);
}
