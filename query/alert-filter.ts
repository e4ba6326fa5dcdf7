/** A value of AlertFilter as a condition over the rows of alerts. Values become bound parameters, never text of the statement. */
import type { AlertFilter, MatcherInput } from '../schemas/api.ts';
import { regex, type Condition } from './filter.ts';

const fact = (name: string) => `JSONExtractString(alert, '${name}')`;

export function compileAlertFilter(filter: AlertFilter | null | undefined): Condition {
  const parameters: Record<string, unknown> = {};
  const bind = (value: unknown, type: string) => {
    const name = `a${Object.keys(parameters).length}`;
    parameters[name] = value;
    return `{${name}:${type}}`;
  };
  const among = (values: readonly string[] | null | undefined, column: string) =>
    values ? [`has(${bind(values, 'Array(String)')}, ${column})`] : [];
  const { severities, ruleIds, fingerprints, matchers, verdicts, silenced, inhibited, search } = filter ?? {};
  const conditions = [
    ...among(severities, fact('severity')),
    ...among(ruleIds, 'toString(rule_id)'),
    ...among(fingerprints, 'fingerprint'),
    ...(matchers ?? []).map((matcher) => matcherCondition(matcher, bind)),
    ...(search == null ? [] : [contains(bind(search, 'String'))]),
    // Nobody gives verdicts, silences or inhibits yet: no alert has any of them.
    ...(verdicts || silenced === true || inhibited === true ? ['0'] : []),
  ];
  return { sql: conditions.length === 0 ? '1' : conditions.join(' AND '), parameters };
}

const contains = (phrase: string) => `position(lower(concat(${fact('title')}, '\\n', ${fact('summary')})), lower(${phrase})) > 0`;

/** A label that an alert lacks is ''. Patterns are anchored, and RE2 runs them: a pattern of a caller cannot stall us. */
function matcherCondition({ name, value, operator }: MatcherInput, bind: (value: unknown, type: string) => string): string {
  const fixed: Readonly<Record<string, string>> = {
    rule: 'toString(rule_id)',
    tenant: 'toString(tenant)',
    severity: `lower(${fact('severity')})`,
  };
  const label =
    fixed[name] ??
    `if(JSONExtractString(alert, 'subject', 'name') = ${bind(name, 'String')}, JSONExtractString(alert, 'subject', 'value'), '')`;
  const isPattern = operator === 'MATCHES' || operator === 'NOT_MATCHES';
  const given = name === 'severity' && !isPattern ? value.toLowerCase() : value;
  const test = isPattern ? `match(${label}, ${bind(`^(?:${regex(value)})$`, 'String')})` : `${label} = ${bind(given, 'String')}`;
  return operator === 'NOT_EQUALS' || operator === 'NOT_MATCHES' ? `NOT (${test})` : `(${test})`;
}
