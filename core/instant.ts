/** Instants as people and callers write them: ISO 8601 with an offset, `2026-11-22T10:00:00Z`. */
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** Milliseconds since the epoch, or null when the text is no instant. */
export function parseInstant(text: string): number | null {
  const ms = instant.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}
