/** Times on the command line: an instant with an offset, or a span back from now. */
import { parseDuration } from '../core/duration.ts';
import { AuditError } from '../core/errors.ts';
import { parseInstant } from '../core/instant.ts';
import type { Range } from '../storage/scope.ts';
import { type Flags, text } from './verb.ts';

export const rangeOptions = {
  '--from <T>': 'where the range begins: an instant such as 2026-11-22T10:00:00Z, or a span back from now such as P7D',
  '--to <T>': 'where it ends, not included; now when left out',
};

/** Milliseconds; without --from everything there is. @throws BAD_USER_INPUT */
export function rangeIn(flags: Flags, now: number): Range {
  const [from, to] = [timeIn(flags, 'from', now) ?? 0, timeIn(flags, 'to', now) ?? now];
  if (from >= to) throw new AuditError('BAD_USER_INPUT', '--from must lie before --to');
  return { from, to };
}

function timeIn(flags: Flags, name: string, now: number): number | null {
  const given = text(flags, name);
  if (given === undefined) return null;
  const at = parseInstant(given) ?? now - (parseDuration(given) ?? Number.NaN);
  if (Number.isNaN(new Date(at).getTime()))
    throw new AuditError('BAD_USER_INPUT', `--${name}: expected an instant with an offset or a span, got ${given}`);
  return at;
}
