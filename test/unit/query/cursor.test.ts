import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deriveKey } from '../../../core/keys.ts';
import { questionOf, readCursor, writeCursor, type Cursor } from '../../../query/cursor.ts';

const key = deriveKey('s', 'cursors');
const cursor: Cursor = { key: ['1', 2, 'gw', 3, 4, 5], range: { from: 1, to: 2 }, bound: [['gw', 1, [10, null, 12]]] };
const question = questionOf(['acme', { status: { eq: 1 } }]);
const invalid = expect.objectContaining({ code: 'CURSOR_INVALID' });

test('a cursor is read back as it was written, after a rotation of the secret too', () => {
  const text = writeCursor(key, question, cursor);
  expect(readCursor([key], question, text)).toEqual(cursor);
  expect(readCursor([deriveKey('new', 'cursors'), key], question, text)).toEqual(cursor);
  expect(() => readCursor([deriveKey('new', 'cursors')], question, text)).toThrowError(invalid);
});

test('a cursor serves the question it was made for and no other', () => {
  const text = writeCursor(key, question, cursor);
  for (const other of [
    ['globex', { status: { eq: 1 } }],
    ['acme', { status: { eq: 2 } }],
    ['acme', null],
  ]) {
    expect(() => readCursor([key], questionOf(other), text)).toThrowError(invalid);
  }
});

test('a cursor that was changed anywhere is refused', () => {
  const text = writeCursor(key, question, cursor);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.constantFrom('A', 'z', '0', '9', '-', '_', '.'), (at, letter) => {
      fc.pre(text[at] !== letter);
      const changed = text.slice(0, at) + letter + text.slice(at + 1);
      expect(() => readCursor([key], question, changed)).toThrowError(invalid);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (noise) => {
      expect(() => readCursor([key], question, noise)).toThrowError(invalid);
    }),
  );
});
