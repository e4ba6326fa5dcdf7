/**
 * Reads rule files: Sigma detections, event_count correlations and ratio anomalies, with their `gw:` block. What cannot be
 * judged exactly is refused with a code and its place; a rule never loads in part.
 */
import { parseDuration } from '../core/duration.ts';
import { listOf } from '../core/fields.ts';
import type { RuleDocument } from '../schemas/rule.ts';
import { notLogged } from './fields.ts';
import { isAtIntake, readIntakeRule } from './intake-rule.ts';
import { generalKeys, headOf, mapping, oneOf, onlyKeys, openDocuments, type Opened, refusal } from './yaml.ts';

export type Operator = 'gt' | 'gte' | 'lt' | 'lte' | 'eq' | 'neq';
/** A request matches when one of the values fits; `*` alone fits any. */
export interface Selection {
  readonly column: 'http_response_status_code' | 'http_request_method';
  readonly values: readonly string[];
}
export interface Bound {
  readonly operator: Operator;
  readonly value: number;
}
export type GroupField = 'consumer_name' | 'client_address';

export interface Rule extends RuleDocument {
  readonly type: 'event_count' | 'ratio';
  readonly groupBy: GroupField;
  readonly timespanMs: number;
  /** Requests that count; for a ratio its numerator. */
  readonly selections: readonly Selection[];
  readonly count: Bound;
  /** Ratio only. */
  readonly share: Bound | null;
  readonly minDenominator: number;
  readonly forMs: number;
  readonly keepFiringForMs: number;
  readonly latenessMs: number | null;
  readonly limitFromPlan: boolean;
  readonly tests: readonly unknown[];
}

const operators: readonly string[] = ['gt', 'gte', 'lt', 'lte', 'eq', 'neq'];
const groupFields: readonly string[] = ['consumer_name', 'client_address'];
const columns: Readonly<Record<string, Selection['column']>> = {
  'cs-method': 'http_request_method',
  'sc-status': 'http_response_status_code',
};
const gwKeys = ['for', 'keep-firing-for', 'lateness', 'limit', 'owner', 'tests'];

/** Rules of one file; detections only serve the rules beside them. @throws AuditError with one of `refusalCodes` and the place in the document */
export function readRules(text: string, source: string): Rule[] {
  const opened = openDocuments(text, source);
  const all = opened.filter((each) => !isAtIntake(each));
  const detections = new Map(
    all
      .filter(({ fields }) => 'detection' in fields)
      .flatMap((each) => {
        const selections = readDetection(each);
        return namesOf(each).map((key) => [key, selections] as const);
      }),
  );
  const others = opened.filter(isAtIntake);
  // Not for this list, but a fault in one is told whoever loads the file.
  others.forEach(readIntakeRule);
  const atIntake = new Set(others.flatMap(namesOf));
  return all.filter(({ fields }) => !('detection' in fields)).map((each) => readRule(each, detections, atIntake));
}

const namesOf = ({ fields }: Opened): string[] => [fields['id'], fields['name']].filter((key) => typeof key === 'string');

function readDetection({ fields, source }: Opened): Selection[] {
  onlyKeys(fields, [...generalKeys, 'logsource', 'detection'], source, '');
  const logsource = mapping(fields['logsource'], source, '/logsource');
  if (logsource['category'] !== 'webserver') throw refusal(source, '/logsource', 'LOGSOURCE_UNSUPPORTED', 'expected category webserver');
  const detection = mapping(fields['detection'], source, '/detection');
  onlyKeys(detection, ['selection', 'condition'], source, '/detection');
  if (detection['condition'] !== 'selection') {
    throw refusal(source, '/detection/condition', 'CORRELATION_UNSUPPORTED', 'expected the condition "selection"');
  }
  return Object.entries(mapping(detection['selection'], source, '/detection/selection')).map(([field, value]) => {
    const place = `/detection/selection/${field}`;
    const column = columns[field];
    if (notLogged.includes(field)) throw refusal(source, place, 'FIELD_NOT_LOGGED', 'no record of a gateway holds it');
    if (!column) throw refusal(source, place, 'FIELD_UNKNOWN', `expected one of ${Object.keys(columns).join(', ')}`);
    const values = Array.isArray(value) ? value : [value];
    if (values.includes(null)) throw refusal(source, place, 'NULL_IN_LIST', 'null is no value to compare with');
    if (values.length === 0) throw refusal(source, place, 'UNKNOWN_KEY', 'expected at least one value');
    return { column, values: values.map((each) => readValue(each, column, source, place)) };
  });
}

function readValue(value: unknown, column: Selection['column'], source: string, place: string): string {
  const text = String(value);
  const fits = column === 'http_response_status_code' ? /^\d{3}$/.test(text) : text === '*' || /^[A-Za-z]+$/.test(text);
  if (!fits) throw refusal(source, place, 'REGEX_UNSUPPORTED', `cannot compare with ${JSON.stringify(value)}`);
  return text.toUpperCase();
}

function readRule(opened: Opened, detections: ReadonlyMap<string, readonly Selection[]>, atIntake: ReadonlySet<string>): Rule {
  const { fields, source } = opened;
  const kind = 'correlation' in fields ? 'correlation' : 'anomaly';
  onlyKeys(fields, [...generalKeys, kind, 'gw'], source, '');
  const body = mapping(fields[kind], source, `/${kind}`);
  const gw = mapping(fields['gw'] ?? {}, source, '/gw');
  onlyKeys(gw, gwKeys, source, '/gw');
  const condition = mapping(body['condition'], source, `/${kind}/condition`);
  const ratio = kind === 'anomaly';
  onlyKeys(
    body,
    ratio
      ? ['type', 'of', 'over', 'group-by', 'timespan', 'min-denominator', 'condition']
      : ['type', 'rules', 'group-by', 'timespan', 'condition'],
    source,
    `/${kind}`,
  );
  if (body['type'] !== (ratio ? 'ratio' : 'event_count') || (ratio && body['over'] !== 'all')) {
    throw refusal(source, `/${kind}/type`, 'CORRELATION_UNSUPPORTED', 'expected an event_count correlation, or a ratio over all');
  }
  const base = ratio ? body['of'] : Array.isArray(body['rules']) && body['rules'].length === 1 ? body['rules'][0] : null;
  const selections = typeof base === 'string' ? detections.get(base) : undefined;
  if (!selections) {
    const why = atIntake.has(String(base))
      ? `${String(base)} is judged at intake and never over stored events, which lack what it sees`
      : '';
    throw refusal(source, `/${kind}/${ratio ? 'of' : 'rules'}`, 'REFERENCE_UNKNOWN', why || 'expected one rule of this file');
  }
  const span = (value: unknown, place: string, least = 0): number => {
    const ms = typeof value === 'string' ? parseDuration(value) : null;
    if (ms === null || ms < least)
      throw refusal(source, place, 'UNKNOWN_KEY', `expected a span such as 5m, found ${JSON.stringify(value)}`);
    return ms;
  };
  if (ratio) onlyKeys(condition, ['share', 'current'], source, '/anomaly/condition');
  const minDenominator = body['min-denominator'] ?? 100;
  if (typeof minDenominator !== 'number') throw refusal(source, `/${kind}/min-denominator`, 'UNKNOWN_KEY', 'expected a number');
  const limit = gw['limit'];
  if (limit !== undefined && limit !== 'plan') throw refusal(source, '/gw/limit', 'UNKNOWN_KEY', 'expected plan');
  const share = ratio ? readBound(condition['share'], source, '/anomaly/condition/share') : null;
  return {
    ...headOf(opened, gw, selections),
    kind: ratio ? 'ANOMALY' : 'CORRELATION',
    type: ratio ? 'ratio' : 'event_count',
    groupBy: oneOf<GroupField>(listOf(body['group-by']).join(), groupFields, source, `/${kind}/group-by`),
    timespanMs: span(body['timespan'], `/${kind}/timespan`, 1_000),
    selections,
    count: readBound(ratio ? condition['current'] : condition, source, `/${kind}/condition`),
    share,
    minDenominator,
    forMs: span(gw['for'] ?? '0m', '/gw/for'),
    keepFiringForMs: span(gw['keep-firing-for'] ?? '10m', '/gw/keep-firing-for'),
    latenessMs: gw['lateness'] === undefined ? null : span(gw['lateness'], '/gw/lateness'),
    limitFromPlan: limit === 'plan',
    tests: listOf(gw['tests']),
  };
}

/** Only bounds that more traffic can cross: the exact window is judged at each request that counts. */
function readBound(value: unknown, source: string, place: string): Bound {
  const entries = Object.entries(mapping(value, source, place));
  const [operator, number] = entries[0] ?? [];
  if (entries.length !== 1 || typeof number !== 'number' || !operators.includes(operator ?? '') || !operator?.startsWith('gt')) {
    throw refusal(source, place, 'CORRELATION_UNSUPPORTED', `expected gt or gte with a number, found ${JSON.stringify(value)}`);
  }
  return { operator: operator === 'gt' ? 'gt' : 'gte', value: number };
}
