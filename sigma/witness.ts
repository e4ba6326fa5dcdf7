/** What a detection cannot hold without: literals of which one must stand in a field. They tell most requests from those to be judged. */
import type { Detection } from './detection.ts';
import type { FieldName } from './fields.ts';
import { folded } from './literals.ts';

/** Folded literals by field. A question mark is in none: path and query can be searched apart. */
export type Witnesses = ReadonlyMap<FieldName, readonly string[]>;

/** A single sign stands nearly everywhere; a quote and what follows it do not. */
const shortest = 2;

/** Null where nothing can be told without judging: of negations, patterns, numbers and networks. */
export function witnessesOf(detection: Detection): Witnesses | null {
  if (detection.kind === 'not') return null;
  if (detection.kind === 'test') {
    const { fields, value } = detection.test;
    if (value.kind !== 'text') return null;
    const pieces = value.glob.flatMap((piece) => (typeof piece === 'string' ? folded(piece).split('?') : []));
    const literal = pieces.toSorted((one, other) => other.length - one.length)[0] ?? '';
    return literal.length < shortest ? null : new Map(fields.map((field) => [field, [literal]]));
  }
  const parts = detection.parts.map(witnessesOf);
  const found = parts.filter((each) => each !== null);
  if (detection.kind === 'all') return found.toSorted((one, other) => strength(other) - strength(one))[0] ?? null;
  return found.length < parts.length ? null : merged(found);
}

/** The longer the shortest of them, the rarer they are. */
const strength = (witnesses: Witnesses): number => Math.min(...[...witnesses.values()].flat().map((literal) => literal.length));

function merged(all: readonly Witnesses[]): Witnesses {
  const fields = new Set(all.flatMap((each) => [...each.keys()]));
  return new Map([...fields].map((field) => [field, [...new Set(all.flatMap((each) => each.get(field) ?? []))]]));
}
