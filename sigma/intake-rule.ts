/**
 * Rules with `gw: {at: intake, signal: CLASS}`: judged on a request before it is redacted, and only their class is stored.
 * Nothing can judge them again over stored events.
 */
import { listOf } from '../core/fields.ts';
import type { RuleDocument } from '../schemas/rule.ts';
import { readDetection } from './detection.ts';
import { createMatcher, type Lookup } from './match.ts';
import { type Witnesses, witnessesOf } from './witness.ts';
import { generalKeys, headOf, isMapping, mapping, onlyKeys, openDocuments, type Opened, refusal } from './yaml.ts';

export interface IntakeRule extends RuleDocument {
  readonly signal: string;
  /** One of these stands in each request that the rule is about. */
  readonly witnesses: Witnesses;
  readonly matches: (lookup: Lookup) => boolean;
  readonly tests: readonly unknown[];
}

/** Of the rules of one file those that are judged at intake; the others are for stored events. @throws AuditError with one of `refusalCodes` and the place in the document */
export const readIntakeRules = (text: string, source: string): IntakeRule[] =>
  openDocuments(text, source).filter(isAtIntake).map(readIntakeRule);

export const isAtIntake = ({ fields: { gw } }: Opened): boolean => isMapping(gw) && gw['at'] === 'intake';

export function readIntakeRule(opened: Opened): IntakeRule {
  const { fields, source } = opened;
  const gw = mapping(fields['gw'], source, '/gw');
  if (!('detection' in fields)) throw refusal(source, '/gw/at', 'UNKNOWN_KEY', 'only a rule with a detection is judged at intake');
  onlyKeys(fields, [...generalKeys, 'logsource', 'detection', 'gw'], source, '');
  onlyKeys(gw, ['at', 'signal', 'owner', 'tests'], source, '/gw');
  const logsource = mapping(fields['logsource'], source, '/logsource');
  if (logsource['category'] !== 'webserver') throw refusal(source, '/logsource', 'LOGSOURCE_UNSUPPORTED', 'expected category webserver');
  const { signal } = gw;
  if (typeof signal !== 'string' || !/^[a-z\d]+(?:-[a-z\d]+)*$/.test(signal) || signal.length > 64)
    throw refusal(source, '/gw/signal', 'UNKNOWN_KEY', `expected a class such as sql-injection, found ${JSON.stringify(signal)}`);
  const detection = readDetection(fields['detection'], source);
  const witnesses = witnessesOf(detection);
  if (witnesses === null)
    throw refusal(
      source,
      '/gw/at',
      'UNKNOWN_KEY',
      'every request would be judged: expected texts of two characters or more, as of a contains, one of which each match holds',
    );
  return {
    ...headOf(opened, gw, null),
    kind: 'DETECTION',
    signal,
    witnesses,
    matches: createMatcher(detection),
    tests: listOf(gw['tests']),
  };
}
