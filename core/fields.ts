/** Typed reading of unknown JSON, for readers of records: own properties only, and a value of a wrong type reads as absent. */
export type Json = Readonly<Record<string, unknown>>;

const none: Json = Object.freeze({});

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What JSON never holds is inherited: functions, and the prototype itself. Asking the object whether a key is its own costs ten times as much. */
export function own(from: Json, key: string): unknown {
  const value = from[key];
  return typeof value === 'function' || key === '__proto__' ? undefined : value;
}

/** An empty object where there is none, so that paths can be read without looking. */
export function objectAt(from: Json, key: string): Json {
  const value = own(from, key);
  return isObject(value) ? value : none;
}

export function listAt(from: Json, key: string): readonly unknown[] {
  const value = own(from, key);
  return Array.isArray(value) ? value : [];
}

/** A text; a finite number as its digits; of a list the first text. '' when it is none of these. */
export function textAt(from: Json, key: string): string {
  const value = own(from, key);
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return Array.isArray(value) && typeof value[0] === 'string' ? value[0] : '';
}

/** A number, also where a writer put it into a string. */
export function numberAt(from: Json, key: string): number | null {
  const value = own(from, key);
  if (typeof value === 'string' && value.trim() === '') return null;
  const read = typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isFinite(read) ? read : null;
}

/** A number that is not negative: writers say -1 where there is none. */
export function durationAt(from: Json, key: string): number | null {
  const value = numberAt(from, key);
  return value === null || value < 0 ? null : value;
}

/** A whole number from 0 to `most`; anything else is absent. */
export function countAt(from: Json, key: string, most = Number.MAX_SAFE_INTEGER): number | null {
  const value = numberAt(from, key);
  return value !== null && Number.isInteger(value) && value >= 0 && value <= most ? value : null;
}

/** A status that HTTP knows; writers put 0, -1 or '-' where none was sent. */
export function statusAt(from: Json, key: string): number | null {
  return toStatus(numberAt(from, key));
}

export function toStatus(value: number | null): number | null {
  return value !== null && Number.isInteger(value) && value >= 100 && value <= 999 ? value : null;
}
