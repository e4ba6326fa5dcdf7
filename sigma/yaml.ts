/** What the readers of rule documents share: the documents of a file, the shapes of their values, and refusals that name their place. */
import { createHash } from 'node:crypto';
import { type Document, parseAllDocuments } from 'yaml';
import { AuditError, type ErrorCode } from '../core/errors.ts';
import type { Level, RuleDocument } from '../schemas/rule.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** One document of a file. */
export interface Opened {
  readonly fields: Fields;
  readonly source: string;
  readonly text: string;
}

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

/** @throws AuditError YAML_INVALID */
export function openDocuments(text: string, source: string): Opened[] {
  const documents = parseAllDocuments(text);
  // An empty stream has the type of its own that yaml gives instead of a list.
  return Array.isArray(documents) ? documents.map((document: Document) => open(document, source)) : [];
}

function open(document: Document, source: string): Opened {
  const [fault] = document.errors;
  if (fault) throw refusal(source, '/', 'YAML_INVALID', fault.message);
  return { fields: mapping(document.toJS(), source, '/'), source, text: document.toString() };
}

/** Keys of every document that say what it is about, not what it looks for. */
export const generalKeys = [
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

const levels: readonly string[] = ['informational', 'low', 'medium', 'high', 'critical'];

/** What a rule says of itself. `meaning`: what decides beside the document whether it holds. */
export function headOf({ fields, source, text }: Opened, gw: Fields, meaning: unknown): Omit<RuleDocument, 'kind'> {
  const words = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);
  const word = (value: unknown): string => (value === undefined ? '' : String(value));
  return {
    id: required(fields['id'], source, '/id'),
    title: required(fields['title'], source, '/title'),
    description: word(fields['description']),
    level: oneOf<Level>(fields['level'] ?? 'medium', levels, source, '/level'),
    status: word(fields['status']),
    author: word(fields['author']),
    owner: word(gw['owner']),
    tags: words(fields['tags']),
    references: words(fields['references']),
    falsePositives: words(fields['falsepositives']),
    source,
    version: createHash('sha256')
      .update(JSON.stringify([fields, meaning]))
      .digest('hex')
      .slice(0, 16),
    document: text,
  };
}

export function refusal(source: string, place: string, code: (typeof refusalCodes)[number], message: string): AuditError {
  return new AuditError(code, `${source} at ${place}: ${message}`, { facts: { source, place } });
}

export function mapping(value: unknown, source: string, place: string): Fields {
  if (!isMapping(value)) throw refusal(source, place, 'UNKNOWN_KEY', `expected a mapping, found ${JSON.stringify(value)}`);
  return value;
}

export const isMapping = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

export function onlyKeys(fields: Fields, known: readonly string[], source: string, place: string): void {
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  if (unknown !== undefined) throw refusal(source, `${place}/${unknown}`, 'UNKNOWN_KEY', `expected one of ${known.join(', ')}`);
}

export function required(value: unknown, source: string, place: string): string {
  if (typeof value !== 'string' || value === '') throw refusal(source, place, 'UNKNOWN_KEY', 'expected a text');
  return value;
}

export function oneOf<Value extends string>(value: unknown, known: readonly string[], source: string, place: string): Value {
  if (!known.includes(String(value)))
    throw refusal(source, place, 'FIELD_UNKNOWN', `expected one of ${known.join(', ')}, found ${JSON.stringify(value)}`);
  return String(value) as Value; // one of `known`, which lists the values of the type
}
