/** Spans of time as people write them: ISO 8601 (`PT5M`, `P7D`) or short (`5m`, `7d`). Inside the product they are milliseconds. */
import { parse } from 'tinyduration';

const shortUnits: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** The parser finds a span inside of other text too, so the whole is looked at first. */
const whole = /^-?P(?!$)(?:[\d.,]+[YMWD])*(?:T(?:[\d.,]+[HMS])+)?$/;

/** Milliseconds, or null when the text is no span. A year counts 365 days and a month 30: no calendar is asked. */
export function parseDuration(text: string): number | null {
  const short = /^(\d+)(ms|s|m|h|d|w)$/.exec(text);
  if (short) return Number(short[1]) * (shortUnits[short[2] ?? ''] ?? Number.NaN);
  if (!whole.test(text)) return null;
  try {
    const span = parse(text);
    const days = (span.years ?? 0) * 365 + (span.months ?? 0) * 30 + (span.weeks ?? 0) * 7 + (span.days ?? 0);
    const seconds = (span.hours ?? 0) * 3_600 + (span.minutes ?? 0) * 60 + (span.seconds ?? 0);
    return (days * 86_400 + seconds) * 1_000 * (span.negative ? -1 : 1);
  } catch {
    return null;
  }
}

/** ISO 8601 in the largest units that fit: 300000 is PT5M, 604800000 is P7D. */
export function formatDuration(ms: number): string {
  if (ms === 0) return 'PT0S';
  const parts: [string, number][] = [];
  let rest = ms;
  for (const [unit, size] of [
    ['D', 86_400_000],
    ['H', 3_600_000],
    ['M', 60_000],
  ] as const) {
    parts.push([unit, Math.floor(rest / size)]);
    rest %= size;
  }
  parts.push(['S', rest / 1_000]);
  const [days, ...time] = parts;
  const clock = time
    .filter(([, count]) => count > 0)
    .map(([unit, count]) => `${count}${unit}`)
    .join('');
  return `P${days && days[1] > 0 ? `${days[1]}D` : ''}${clock && `T${clock}`}`;
}
