/**
 * Typed reading of unknown JSON, for readers of records: a value of a wrong type reads as absent. Readers name each key where
 * they read it, `textOf(record['method'])`: such a place learns the shape of the records, which a shared function cannot.
 */
export type Json = Readonly<Record<string, unknown>>;

const none: Json = Object.freeze({});

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** By a key that somebody else chose. What JSON never holds is inherited: functions, and the prototype itself; asking the object costs ten times as much. */
export function own(from: Json, key: string): unknown {
  const value = from[key];
  return typeof value === 'function' || key === '__proto__' ? undefined : value;
}

/** An empty object where there is none, so that paths can be read without looking. */
export const objectOf = (value: unknown): Json => (isObject(value) ? value : none);

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** A text; a finite number as its digits; of a list the first text. '' when it is none of these. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return Array.isArray(value) && typeof value[0] === 'string' ? value[0] : '';
}

/** A number, also where a writer put it into a string. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'string' && value.trim() === '') return null;
  const read = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isFinite(read) ? read : null;
}

/** A number that is not negative: writers say -1 where there is none. */
export function durationOf(value: unknown): number | null {
  const read = numberOf(value);
  return read === null || read < 0 ? null : read;
}

/** A whole number from 0 to `most`; anything else is absent. */
export function countOf(value: unknown, most = Number.MAX_SAFE_INTEGER): number | null {
  const read = numberOf(value);
  return read !== null && Number.isInteger(read) && read >= 0 && read <= most ? read : null;
}

/** A status that HTTP knows; writers put 0, -1 or '-' where none was sent. */
export const statusOf = (value: unknown): number | null => toStatus(numberOf(value));

export function toStatus(value: number | null): number | null {
  return value !== null && Number.isInteger(value) && value >= 100 && value <= 999 ? value : null;
}
