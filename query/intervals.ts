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
  readonly maxPoints: number;
}

/**
 * Starts of all intervals; those of whole days, weeks and months follow the calendar of the zone.
 * @throws BAD_USER_INPUT, for a zone that is none and for more than `maxPoints` too
 */
export function intervals({ range, interval, timeZone, maxPoints }: Asked): Intervals {
  const zone = calendarOf(timeZone);
  const asked = interval ?? fitting(range.to - range.from);
  const span = parseDuration(asked);
  if (span === null || span < 1_000 || !Number.isInteger(span))
    throw new AuditError('BAD_USER_INPUT', `Expected an interval of a second or more, in whole milliseconds, got ${asked}`);
  const step = stepOf(asked, span);
  if (step === null) {
    const first = Math.floor(range.from / span) * span;
    const length = Math.ceil((range.to - first) / span);
    if (length > maxPoints) throw tooMany(length, maxPoints);
    const starts = Array.from({ length }, (_, index) => first + index * span);
    return { starts, end: first + length * span, span, interval: formatDuration(span) };
  }
  const starts: number[] = [];
  let at = zone.startOf(range.from, step);
  for (; at < range.to; at = zone.next(at, step)) if (starts.push(at) > maxPoints) throw tooMany(`more than ${maxPoints}`, maxPoints);
  return { starts, end: at, span: null, interval: typeof step === 'number' ? formatDuration(span) : asked };
}

const tooMany = (count: number | string, maxPoints: number) =>
  new AuditError('BAD_USER_INPUT', `The range has ${count} intervals, ${maxPoints} are allowed: ask for longer ones`);

/** Where nobody says it: some hundred points, days for up to three years, then months. */
function fitting(width: number): string {
  const span = nice.find((ms) => width / ms <= 120);
  return span === undefined ? (width > 1_100 * day ? 'P1M' : 'P1D') : formatDuration(span);
}

/** Number of the interval in which an event lies, from 0: arithmetic where it can be, else a search. */
export function intervalOf({ starts, span }: Intervals): string {
  const first = starts[0] ?? 0;
  if (span !== null) return `intDiv(toUnixTimestamp64Micro(timestamp) - ${first * 1_000}, ${span * 1_000})`;
  const [known, numbers] = [starts.join(', '), [...starts.keys()].join(', ')];
  return `transform(roundDown(toUnixTimestamp64Milli(timestamp), [${known}]), [${known}], [${numbers}])`;
}

/** A number of days, a week from Monday, or a month. */
type Step = number | 'week' | 'month';

/** null for what no calendar is asked about. */
function stepOf(interval: string, span: number): Step | null {
  if (interval === 'P1M') return 'month';
  if (span === 7 * day) return 'week';
  return span % day === 0 ? span / day : null;
}

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
  /** The first instant at which the clocks of the zone show `local`; where they leap over it, the instant at which they leap. */
  const instant = (local: number) => {
    const [before = 0, after = 0] = [local - day, local + day].map((at) => wall(at) - at);
    return [local - before, local - after].toSorted((a, b) => a - b).find((at) => wall(at) === local) ?? local - before;
  };
  const midnight = (local: number, step: Step, ahead: number) => {
    const date = new Date(local);
    const back = step === 'week' ? (date.getUTCDay() + 6) % 7 : 0;
    const [days, months] = step === 'month' ? [1, ahead] : [date.getUTCDate() - back + ahead * (step === 'week' ? 7 : step), 0];
    return instant(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, days));
  };
  return {
    startOf: (at: number, step: Step) => midnight(wall(at), step, 0),
    next: (at: number, step: Step) => midnight(wall(at), step, 1),
  };
}
