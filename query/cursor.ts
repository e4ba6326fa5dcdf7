/** Cursors: where a page ended, the range and bound of its first page, and the question it belongs to; signed. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { AuditError } from '../core/errors.ts';
import type { PurposeKey } from '../core/keys.ts';
import type { Range } from '../storage/scope.ts';
import type { Bound } from './bound.ts';

export interface Cursor {
  /** Values of the order key, all as text or number. */
  readonly key: readonly (string | number)[];
  readonly range: Range;
  /** What was stored when the walk began; null where that is not asked. */
  readonly bound: Bound | null;
}

export function writeCursor(key: PurposeKey, question: string, cursor: Cursor): string {
  const body = Buffer.from(JSON.stringify([1, cursor.key, cursor.range.from, cursor.range.to, cursor.bound])).toString('base64url');
  return `${body}.${mac(key, question, body)}`;
}

/** @throws CURSOR_INVALID */
export function readCursor(keys: readonly PurposeKey[], question: string, text: string): Cursor {
  const [body = '', signature = '', ...rest] = text.split('.');
  const given = Buffer.from(signature);
  const genuine = keys.some((key) => {
    const expected = Buffer.from(mac(key, question, body));
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  if (!genuine || rest.length > 0) throw new AuditError('CURSOR_INVALID', 'The cursor is not one of ours, or belongs to another query');
  const [, key, from, to, bound] = JSON.parse(Buffer.from(body, 'base64url').toString()) as [
    1,
    Cursor['key'],
    number,
    number,
    Bound | null,
  ]; // we signed it
  return { key, range: { from, to }, bound };
}

/** The question a cursor is bound to: equal for equal arguments and tenants, whatever the page. */
export function questionOf(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

function mac(key: PurposeKey, question: string, body: string): string {
  return createHmac('sha256', key.key).update(`${question}:${body}`).digest('base64url').slice(0, 22);
}
