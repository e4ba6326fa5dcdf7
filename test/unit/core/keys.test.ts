/** Keys drawn from one secret: the same for every process, another for every purpose. */
import { createHmac, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { deriveKey, keyedHash, type Purpose } from '../../../core/keys.ts';

const secret = 'a secret of at least thirty-two bytes';
const purposes: readonly Purpose[] = ['api-keys', 'credentials', 'pseudonyms', 'cursors', 'links', 'journal'];

describe('a key', () => {
  it('is HKDF-SHA-256 of the secret for its purpose: whatever was stored under it stays readable', () => {
    const { key, id } = deriveKey(secret, 'cursors');
    expect(key).toEqual(Buffer.from(hkdfSync('sha256', secret, 'gatetrail', 'cursors', 32)));
    expect(id).toMatch(/^[0-9a-f]{4}$/);
    expect(deriveKey(secret, 'cursors')).toEqual({ key, id });
  });

  it('differs by purpose and by secret', () => {
    const keys = purposes.flatMap((purpose) => [deriveKey(secret, purpose), deriveKey(`${secret}!`, purpose)]);
    expect(new Set(keys.map(({ key }) => key.toString('hex'))).size).toBe(purposes.length * 2);
  });
});

describe('a keyed hash', () => {
  const key = deriveKey(secret, 'credentials');

  it('is HMAC-SHA-256, cut where fewer digits are asked for', () => {
    const whole = createHmac('sha256', key.key).update('alice').digest('hex');
    expect(keyedHash(key, 'alice')).toBe(whole);
    expect(keyedHash(key, 'alice', 16)).toBe(whole.slice(0, 16));
  });

  it('of another value or key is another', () => {
    const all = [keyedHash(key, 'alice'), keyedHash(key, 'bob'), keyedHash(deriveKey(secret, 'links'), 'alice')];
    expect(new Set(all).size).toBe(3);
  });
});
