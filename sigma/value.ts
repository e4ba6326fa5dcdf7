/** One value of a detection with the modifiers of its key. Sigma specification 2.1: texts have wildcards, and no case unless they say so. */
import { BlockList, isIPv6 } from 'node:net';
import { linearPattern } from '../core/linear-pattern.ts';
import { numberOf } from '../core/fields.ts';
import { messageOf } from '../core/errors.ts';
import { refusal } from './yaml.ts';

export const anyRun = Symbol('*');
export const anyOne = Symbol('?');
/** Texts and the wildcards between them; the whole of a field must fit. */
export type Glob = readonly (string | typeof anyRun | typeof anyOne)[];

export type Value =
  | { readonly kind: 'text'; readonly glob: Glob; readonly cased: boolean }
  | { readonly kind: 'pattern'; readonly test: (text: string) => boolean }
  | { readonly kind: 'network'; readonly network: BlockList }
  | { readonly kind: 'number'; readonly operator: NumberOperator; readonly bound: number }
  /** Whether the field is there; `null` in a rule asks that it is not. */
  | { readonly kind: 'exists'; readonly expected: boolean };

const numberOperators = ['lt', 'lte', 'gt', 'gte'] as const;
export type NumberOperator = (typeof numberOperators)[number];
const positions = ['contains', 'startswith', 'endswith'];
const flags = ['i', 'm', 's'];
/** What a key may say besides `all` and `neq`, which join values and are no one value's. */
const combinations: readonly (readonly [string, readonly string[]])[] = [
  ['re', flags],
  ['cidr', []],
  ['exists', []],
  ...numberOperators.map((operator) => [operator, []] as const),
  ['', [...positions, 'cased']],
];

export interface Place {
  readonly source: string;
  readonly place: string;
}

/** @throws AuditError for a modifier that is not read, a pair that has no meaning together, and a value that is none of its kind */
export function readValue(value: unknown, modifiers: readonly string[], { source, place }: Place): Value {
  const refused = (code: 'UNKNOWN_KEY' | 'REGEX_UNSUPPORTED', expected: string) =>
    refusal(source, place, code, `${expected}, found ${JSON.stringify(value)}`);
  const [kind, others] = combinations.find(([name]) => name === '' || modifiers.includes(name)) ?? ['', []];
  const wrong = modifiers.find((each) => each !== kind && !others.includes(each));
  if (wrong !== undefined)
    throw refusal(source, place, 'UNKNOWN_KEY', `the modifier ${wrong} is not read${kind === '' ? '' : ` beside ${kind}`}`);
  if (kind === '') return readText(value, modifiers, refused);
  if (kind === 'exists') {
    if (typeof value !== 'boolean') throw refused('UNKNOWN_KEY', 'expected true or false');
    return { kind: 'exists', expected: value };
  }
  if (kind === 're') {
    if (typeof value !== 'string') throw refused('REGEX_UNSUPPORTED', 'expected a pattern');
    try {
      return { kind: 'pattern', test: linearPattern(value, modifiers.filter((each) => flags.includes(each)).join('')).test };
    } catch (error) {
      throw refusal(source, place, 'REGEX_UNSUPPORTED', messageOf(error));
    }
  }
  if (kind === 'cidr') {
    const network = networkOf(String(value));
    if (network === null) throw refused('UNKNOWN_KEY', 'expected a network such as 10.0.0.0/8');
    return { kind: 'network', network };
  }
  const bound = numberOf(value);
  if (bound === null) throw refused('UNKNOWN_KEY', 'expected a number');
  return { kind: 'number', operator: kind as NumberOperator, bound }; // the kinds that are left
}

function readText(value: unknown, modifiers: readonly string[], refused: (code: 'UNKNOWN_KEY', expected: string) => Error): Value {
  if (typeof value === 'object' || value === undefined) throw refused('UNKNOWN_KEY', 'expected a text or a number');
  const where = modifiers.filter((each) => positions.includes(each));
  if (where.length > 1) throw refused('UNKNOWN_KEY', `expected one of ${where.join(', ')}`);
  const glob = globOf(String(value));
  const from: Glob = where[0] === 'contains' || where[0] === 'endswith' ? [anyRun] : [];
  const to: Glob = where[0] === 'contains' || where[0] === 'startswith' ? [anyRun] : [];
  return { kind: 'text', glob: [...from, ...glob, ...to], cased: modifiers.includes('cased') };
}

/** A backslash takes the meaning of `*`, `?` and of another backslash; in front of anything else it stands for itself. */
function globOf(text: string): Glob {
  return [...text.matchAll(/((?:\\[\\*?]|[^*?])+)|\*+|\?/g)].map(([whole, plain]): Glob[number] =>
    plain === undefined ? (whole === '?' ? anyOne : anyRun) : plain.replaceAll(/\\([\\*?])/g, '$1'),
  );
}

function networkOf(text: string): BlockList | null {
  const [address = '', prefix = '', ...rest] = text.split('/');
  const list = new BlockList();
  try {
    if (!/^\d+$/.test(prefix) || rest.length > 0) return null;
    list.addSubnet(address, Number(prefix), isIPv6(address) ? 'ipv6' : 'ipv4');
    return list;
  } catch {
    return null;
  }
}
