/** A canonical event as JSON: the form of the format `gatetrail`, which `import` takes again, all but what enrichment works out anew. Absent values are left out. */
import type { CanonicalEvent } from '../schemas/event.ts';

export function toEventJson({ subject: _, timestamp, sunset_at, ...event }: CanonicalEvent): Record<string, unknown> {
  const given = Object.entries(event).filter(([, value]) => value !== '' && value !== null && !isEmpty(value));
  const sunset = sunset_at === null ? {} : { sunset_at: toIsoMicros(sunset_at * 1e6) };
  return { timestamp: toIsoMicros(timestamp), ...Object.fromEntries(given), ...sunset };
}

/** `2026-11-22T10:00:00.123456Z`; whole milliseconds have three digits. */
function toIsoMicros(micros: number): string {
  const below = micros % 1000;
  const iso = new Date(Math.floor(micros / 1000)).toISOString();
  return below === 0 ? iso : `${iso.slice(0, -1)}${String(below).padStart(3, '0')}Z`;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
