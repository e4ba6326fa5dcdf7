/** Typed reading of unknown JSON, for readers of records: own properties only, a wrong type reads as absent. */
export type Json = Readonly<Record<string, unknown>>;

const none: Json = Object.freeze({});

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function own(from: Json, key: string): unknown {
  return Object.hasOwn(from, key) ? from[key] : undefined;
}

export function objectAt(from: Json, key: string): Json {
  const value = own(from, key);
  return isObject(value) ? value : none;
}

export function textAt(from: Json, key: string): string {
  const value = own(from, key);
  return typeof value === 'string' ? value : '';
}

/** A number, also where a writer put it into a string. */
export function numberAt(from: Json, key: string): number | null {
  const value = own(from, key);
  if (typeof value === 'string' && value.trim() === '') return null;
  const read = typeof value === 'number' || typeof value === 'string' ? Number(value) : NaN;
  return Number.isFinite(read) ? read : null;
}

/** A whole number from 0 to `most`; anything else is absent. */
export function countAt(from: Json, key: string, most = Number.MAX_SAFE_INTEGER): number | null {
  const value = numberAt(from, key);
  return value !== null && Number.isInteger(value) && value >= 0 && value <= most ? value : null;
}
