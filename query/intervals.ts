/** Where the intervals of a series begin; days, weeks and months follow the calendar of a time zone. */
import { formatDuration, parseDuration } from '../core/duration.ts';
import { AuditError } from '../core/errors.ts';
import type { Range } from '../storage/scope.ts';

const day = 86_400_000;
const nice = [1_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000, 21_600_000, day];

export interface Intervals {
  readonly starts: readonly number[];
  readonly end: number;
  /** Length of each, milliseconds; null where they follow a calendar. */
  readonly span: number | null;
  readonly interval: string;
}

interface Asked {
  readonly range: Range;
  readonly interval?: string | null;
  readonly timeZone: string;
}

/** Starts of all intervals; those of days, weeks and months follow the calendar of the zone. @throws BAD_USER_INPUT, for a zone that is none too */
export function intervals({ range, interval, timeZone }: Asked): Intervals {
  const zone = calendarOf(timeZone);
  const calendar = interval === 'P1D' || interval === 'P1W' || interval === 'P1M' || interval === 'P7D' ? interval : null;
  const span = interval == null ? (nice.find((ms) => (range.to - range.from) / ms <= 120) ?? day) : parseDuration(interval);
  if (span === null || span < 1_000) throw new AuditError('BAD_USER_INPUT', `Expected an interval of a second or more, got ${interval}`);
  if (calendar === null && span % day !== 0) {
    const first = Math.floor(range.from / span) * span;
    const length = Math.ceil((range.to - first) / span);
    if (length > 1_000_000) throw new AuditError('BAD_USER_INPUT', 'The interval is too short for the range');
    const starts = Array.from({ length }, (_, index) => first + index * span);
    return { starts, end: first + length * span, span, interval: formatDuration(span) };
  }
  const starts: number[] = [];
  const step = calendar === 'P1M' ? 'month' : calendar === 'P1W' || calendar === 'P7D' ? 'week' : 'day';
  let at = zone.startOf(range.from, step);
  for (; at < range.to; at = zone.next(at, step)) starts.push(at);
  return { starts, end: at, span: null, interval: calendar ?? 'P1D' };
}

/** Number of the interval in which an event lies, from 0: arithmetic where it can be, else a search. */
export function intervalOf({ starts, span }: Intervals): string {
  const first = starts[0] ?? 0;
  if (span !== null) return `intDiv(toUnixTimestamp64Micro(timestamp) - ${first * 1_000}, ${span * 1_000})`;
  const [known, numbers] = [starts.join(', '), [...starts.keys()].join(', ')];
  return `transform(roundDown(toUnixTimestamp64Milli(timestamp), [${known}]), [${known}], [${numbers}])`;
}

type Step = 'day' | 'week' | 'month';

function calendarOf(timeZone: string) {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (cause) {
    throw new AuditError('BAD_USER_INPUT', `Expected the name of a time zone, got ${JSON.stringify(timeZone)}`, { cause });
  }
  const wall = (at: number) => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(part['year'] ?? 0, (part['month'] ?? 1) - 1, part['day'], part['hour'], part['minute'], part['second']);
  };
  /** The instant at which the clocks of the zone show `local`; twice is enough around a change of the clocks. */
  const instant = (local: number) => {
    const guess = local - (wall(local) - local);
    return guess - (wall(guess) - local);
  };
  const midnight = (local: number, step: Step, ahead: number) => {
    const date = new Date(local);
    const back = step === 'week' ? (date.getUTCDay() + 6) % 7 : 0;
    const [days, months] = step === 'month' ? [1, ahead] : [date.getUTCDate() - back + ahead * (step === 'week' ? 7 : 1), 0];
    return instant(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, days));
  };
  return {
    startOf: (at: number, step: Step) => midnight(wall(at), step, 0),
    next: (at: number, step: Step) => midnight(wall(at), step, 1),
  };
}
