/** Judges one request by a detection, in memory: for signals at intake, and beside the compiled SQL. */
import { isIP, isIPv6 } from 'node:net';
import { numberOf } from '../core/fields.ts';
import { linearPattern } from '../core/linear-pattern.ts';
import type { Detection, Test } from './detection.ts';
import type { FieldName } from './fields.ts';
import { containsOneOf, escaped, folded } from './literals.ts';
import { anyOne, anyRun, type Glob, type NumberOperator, type Value } from './value.ts';

/** A field of one request: an absent text is '', an absent number null. */
export type Lookup = (field: FieldName) => string | number | null;
type Judge = (lookup: Lookup) => boolean;

export function createMatcher(detection: Detection): Judge {
  if (detection.kind === 'test') return judgeOf(detection.test);
  if (detection.kind === 'not') {
    const negated = createMatcher(detection.part);
    return (lookup) => !negated(lookup);
  }
  const words = detection.kind === 'any' ? wordsOf(detection.parts) : null;
  if (words) {
    const { fields, literals } = words;
    const contains = containsOneOf(literals);
    return (lookup) => fields.some((field) => contains(textOf(lookup(field))));
  }
  const judges = detection.parts.map(createMatcher);
  return detection.kind === 'all' ? (lookup) => judges.every((judge) => judge(lookup)) : (lookup) => judges.some((judge) => judge(lookup));
}

/** Of parts that all ask whether the same fields contain a text: one pass finds any of them. */
function wordsOf(parts: readonly Detection[]): { readonly fields: readonly FieldName[]; readonly literals: readonly string[] } | null {
  const tests = parts.flatMap((part) => (part.kind === 'test' ? [part.test] : []));
  const fields = tests[0]?.fields ?? [];
  const literals = tests.map(({ value }) => (value.kind === 'text' && !value.cased ? contained(value.glob) : null));
  const isOne = tests.length === parts.length && tests.every((test) => test.fields.join() === fields.join());
  return isOne && literals.every((literal) => literal !== null) ? { fields, literals: literals.map(folded) } : null;
}

/** The text of `*text*`; null of any other. */
function contained([from, text, to, ...rest]: Glob): string | null {
  return from === anyRun && typeof text === 'string' && to === anyRun && rest.length === 0 ? text : null;
}

function judgeOf({ fields, value }: Test): Judge {
  const holds = holding(value);
  return (lookup) => fields.some((field) => holds(lookup(field)));
}

const textOf = (value: string | number | null): string => (value === null ? '' : String(value));

const compare: Readonly<Record<NumberOperator, (value: number, bound: number) => boolean>> = {
  lt: (value, bound) => value < bound,
  lte: (value, bound) => value <= bound,
  gt: (value, bound) => value > bound,
  gte: (value, bound) => value >= bound,
};

function holding(value: Value): (found: string | number | null) => boolean {
  switch (value.kind) {
    case 'exists':
      return (found) => (textOf(found) !== '') === value.expected;
    case 'pattern':
      return (found) => value.test(textOf(found));
    case 'number':
      return (found) => {
        const number = numberOf(found);
        return number !== null && compare[value.operator](number, value.bound);
      };
    case 'network':
      return (found) => isIP(textOf(found)) !== 0 && value.network.check(textOf(found), isIPv6(textOf(found)) ? 'ipv6' : 'ipv4');
    case 'text': {
      const form = value.cased ? (text: string) => text : folded;
      const fits = fitting(value.glob.map((piece) => (typeof piece === 'string' ? form(piece) : piece)));
      return (found) => fits(form(textOf(found)));
    }
  }
}

/** Most texts have no wildcard, or one at an end. */
function fitting(glob: Glob): (text: string) => boolean {
  const literal = glob.find((piece) => typeof piece === 'string') ?? '';
  const shape = glob.map((piece) => (typeof piece === 'string' ? 'x' : piece === anyRun ? '*' : '?')).join('');
  if (shape === '*') return () => true;
  if (shape === 'x' || shape === '') return (text) => text === literal;
  if (shape === 'x*') return (text) => text.startsWith(literal);
  if (shape === '*x') return (text) => text.endsWith(literal);
  if (shape === '*x*') return (text) => text.includes(literal);
  const source = glob.map((piece) => (typeof piece === 'string' ? escaped(piece) : piece === anyOne ? '.' : '.*')).join('');
  return linearPattern(`^${source}$`, 's').test;
}
