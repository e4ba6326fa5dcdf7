import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeEventId, encodeEventId } from '../../../core/event-id.ts';
import { deriveKey } from '../../../core/keys.ts';
import { readLink, signLink } from '../../../core/link-token.ts';

const position = fc.record({
  sourceEpoch: fc.integer({ min: 0, max: 65_535 }),
  topic: fc.string({ minLength: 1, maxLength: 100 }),
  partition: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  offset: fc.maxSafeNat(),
  index: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
});

test('an id leads back to its position', () => {
  fc.assert(
    fc.property(position, (one) => {
      expect(decodeEventId(encodeEventId(one))).toEqual(one);
    }),
  );
});

test('text that is no id is no position, and never an error', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const decoded = decodeEventId(text);
      return decoded === null || encodeEventId(decoded) === text;
    }),
  );
});

const key = deriveKey('secret', 'links');
const link = { alertId: 'a', title: 't', tenant: 'acme', filter: { status: { eq: 401 } }, from: 1, to: 2, expiresAt: 1000 };

test('a link opens what was signed until it ends', () => {
  expect(readLink([key], signLink(key, link), 999)).toEqual(link);
  expect(readLink([key], signLink(key, link), 1000)).toBeNull();
});

test('a changed link, or one of another secret, opens nothing', () => {
  const token = signLink(key, link);
  const [, signature] = token.split('.');
  const body = Buffer.from(JSON.stringify({ ...link, tenant: 'globex' })).toString('base64url');
  expect(readLink([key], `${body}.${signature}`, 0)).toBeNull();
  expect(readLink([deriveKey('other', 'links')], token, 0)).toBeNull();
  fc.assert(fc.property(fc.string(), (text) => readLink([key], text, 0) === null));
});
