/** Time ranges as callers give them, resolved once against the clock and the limits. */
import { parseDuration } from '../core/duration.ts';
import { AuditError } from '../core/errors.ts';
import type { TimeRange } from '../schemas/api.ts';
import type { Range } from '../storage/scope.ts';

export interface RangeLimits {
  readonly retentionMs: number;
  readonly maxRangeMs: number;
  /** Event time of the oldest event there may be, milliseconds, where it is older than retention alone would say. */
  readonly oldestEvent?: number;
}

export function resolveRange(input: TimeRange, now: number, limits: RangeLimits): Range {
  const range = input.absolute ?? relativeRange(input.relative, now);
  if (range.to <= range.from) throw new AuditError('BAD_USER_INPUT', 'A range begins before it ends');
  const maxSeconds = limits.maxRangeMs / 1_000;
  if (range.to - range.from > limits.maxRangeMs) {
    throw new AuditError('RANGE_TOO_WIDE', `The range is wider than the ${maxSeconds} s that are allowed`, { facts: { maxSeconds } });
  }
  const oldest = Math.min(now - limits.retentionMs, limits.oldestEvent ?? Infinity);
  if (range.to <= oldest) {
    const facts = { oldest: new Date(oldest).toISOString() };
    throw new AuditError('OLDER_THAN_RETENTION', 'The range ends before the oldest data that is kept', { facts });
  }
  return { from: range.from, to: range.to };
}

function relativeRange(text: string, now: number): Range {
  const span = Math.round(parseDuration(text) ?? 0);
  if (span <= 0) throw new AuditError('BAD_USER_INPUT', `Expected a duration such as PT1H, got ${JSON.stringify(text)}`);
  return { from: now - span, to: now };
}
