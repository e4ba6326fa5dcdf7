/**
 * Reads rule files: Sigma detections, event_count correlations and ratio anomalies, with their `gw:` block. What cannot be
 * judged exactly is refused with a code and its place; a rule never loads in part.
 */
import { createHash } from 'node:crypto';
import { parseAllDocuments, type Document } from 'yaml';
import { AuditError, type ErrorCode } from '../core/errors.ts';
import { parseDuration } from '../core/duration.ts';
import type { Level, RuleDocument } from '../schemas/rule.ts';

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
type Fields = Readonly<Record<string, unknown>>;

const levels: readonly string[] = ['informational', 'low', 'medium', 'high', 'critical'];
const operators: readonly string[] = ['gt', 'gte', 'lt', 'lte', 'eq', 'neq'];
const groupFields: readonly string[] = ['consumer_name', 'client_address'];
const columns: Readonly<Record<string, Selection['column']>> = {
  'cs-method': 'http_request_method',
  'sc-status': 'http_response_status_code',
};
/** Fields of the Sigma taxonomy that no gateway's record holds. */
const notLogged: readonly string[] = ['cs-cookie', 'client_header_names', 'id.resp_h', 'mime_types'];
const general = [
  'title',
  'id',
  'name',
  'description',
  'status',
  'author',
  'date',
  'modified',
  'tags',
  'references',
  'falsepositives',
  'level',
];
const gwKeys = ['for', 'keep-firing-for', 'lateness', 'limit', 'owner', 'tests'];

/** Why a document is refused. Source of the names: the reference of rules; they stay. */
export const refusalCodes = [
  'YAML_INVALID',
  'UNKNOWN_KEY',
  'LOGSOURCE_UNSUPPORTED',
  'FIELD_NOT_LOGGED',
  'FIELD_UNKNOWN',
  'NULL_IN_LIST',
  'REGEX_UNSUPPORTED',
  'CORRELATION_UNSUPPORTED',
  'REFERENCE_UNKNOWN',
] as const satisfies readonly ErrorCode[];

/** Rules of one file; detections only serve the rules beside them. @throws AuditError with one of `refusalCodes` and the place in the document */
export function readRules(text: string, source: string): Rule[] {
  const documents = parseAllDocuments(text);
  // An empty stream has the type of its own that yaml gives instead of a list.
  const list = Array.isArray(documents) ? documents : [];
  const all = list.map((document) => open(document, source));
  const detections = new Map(
    all
      .filter(({ fields }) => 'detection' in fields)
      .flatMap((each) => {
        const selections = readDetection(each);
        return [each.fields['id'], each.fields['name']].filter((key) => typeof key === 'string').map((key) => [key, selections] as const);
      }),
  );
  return all.filter(({ fields }) => !('detection' in fields)).map((each) => readRule(each, detections));
}

interface Opened {
  readonly fields: Fields;
  readonly source: string;
  readonly text: string;
}

function open(document: Document, source: string): Opened {
  const [fault] = document.errors;
  if (fault) throw refusal(source, '/', 'YAML_INVALID', fault.message);
  return { fields: mapping(document.toJS(), source, '/'), source, text: document.toString() };
}

function readDetection({ fields, source }: Opened): Selection[] {
  onlyKeys(fields, [...general, 'logsource', 'detection'], source, '');
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

function readRule({ fields, source, text }: Opened, detections: ReadonlyMap<string, readonly Selection[]>): Rule {
  const kind = 'correlation' in fields ? 'correlation' : 'anomaly';
  onlyKeys(fields, [...general, kind, 'gw'], source, '');
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
  if (!selections) throw refusal(source, `/${kind}/${ratio ? 'of' : 'rules'}`, 'REFERENCE_UNKNOWN', 'expected one rule of this file');
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
  const words = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
  const word = (key: string): string => (fields[key] === undefined ? '' : String(fields[key]));
  return {
    id: required(fields['id'], source, '/id'),
    title: required(fields['title'], source, '/title'),
    description: word('description'),
    kind: ratio ? 'ANOMALY' : 'CORRELATION',
    type: ratio ? 'ratio' : 'event_count',
    level: oneOf<Level>(fields['level'] ?? 'medium', levels, source, '/level'),
    status: word('status'),
    author: word('author'),
    owner: gw['owner'] === undefined ? '' : String(gw['owner']),
    tags: words(fields['tags']),
    references: words(fields['references']),
    falsePositives: words(fields['falsepositives']),
    source,
    version: createHash('sha256')
      .update(JSON.stringify([fields, selections]))
      .digest('hex')
      .slice(0, 16),
    document: text,
    groupBy: oneOf<GroupField>(words(body['group-by']).join(), groupFields, source, `/${kind}/group-by`),
    timespanMs: span(body['timespan'], `/${kind}/timespan`, 1_000),
    selections,
    count: readBound(ratio ? condition['current'] : condition, source, `/${kind}/condition`),
    share,
    minDenominator,
    forMs: span(gw['for'] ?? '0m', '/gw/for'),
    keepFiringForMs: span(gw['keep-firing-for'] ?? '10m', '/gw/keep-firing-for'),
    latenessMs: gw['lateness'] === undefined ? null : span(gw['lateness'], '/gw/lateness'),
    limitFromPlan: limit === 'plan',
    tests: Array.isArray(gw['tests']) ? gw['tests'] : [],
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

function mapping(value: unknown, source: string, place: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refusal(source, place, 'UNKNOWN_KEY', `expected a mapping, found ${JSON.stringify(value)}`);
  }
  return value as Fields; // an object that is no list: its keys are text
}

function onlyKeys(fields: Fields, known: readonly string[], source: string, place: string): void {
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  if (unknown !== undefined) throw refusal(source, `${place}/${unknown}`, 'UNKNOWN_KEY', `expected one of ${known.join(', ')}`);
}

function required(value: unknown, source: string, place: string): string {
  if (typeof value !== 'string' || value === '') throw refusal(source, place, 'UNKNOWN_KEY', 'expected a text');
  return value;
}

function oneOf<Value extends string>(value: unknown, known: readonly string[], source: string, place: string): Value {
  if (!known.includes(String(value)))
    throw refusal(source, place, 'FIELD_UNKNOWN', `expected one of ${known.join(', ')}, found ${JSON.stringify(value)}`);
  return String(value) as Value; // one of `known`, which lists the values of the type
}

function refusal(source: string, place: string, code: (typeof refusalCodes)[number], message: string): AuditError {
  return new AuditError(code, `${source} at ${place}: ${message}`, { facts: { source, place } });
}
