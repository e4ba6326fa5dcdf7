/** Every key of the product is drawn from one `secret`, one per purpose, so that none of them tells anything about another. */
import { createHmac, hkdfSync } from 'node:crypto';

export type Purpose = 'api-keys' | 'credentials' | 'pseudonyms' | 'cursors' | 'links' | 'journal' | 'dead-letters';

export interface PurposeKey {
  /** 4 hex digits that stand beside what the key made, so that a rotation does not make two consumers of one. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** HKDF-SHA-256 of the secret with the purpose as info. */
export function deriveKey(secret: string, purpose: Purpose): PurposeKey {
  const key = Buffer.from(hkdfSync('sha256', secret, 'gatetrail', purpose, 32));
  const id = Buffer.from(hkdfSync('sha256', secret, 'gatetrail', `${purpose}:id`, 2)).toString('hex');
  return { id, key };
}

/** HMAC-SHA-256 as hex, cut to `digits`. */
export function keyedHash({ key }: PurposeKey, value: string, digits = 64): string {
  return createHmac('sha256', key).update(value).digest('hex').slice(0, digits);
}

/** What stands in the store for a raw key of a consumer: `a1b2-` and 16 hex digits. */
export const credentialHash = (key: PurposeKey, raw: string): string => `${key.id}-${keyedHash(key, raw, 16)}`;

/** Every hash that a raw key can have in the store, the one of the current key first. */
export const credentialHashes = (keys: readonly PurposeKey[], raw: string): readonly string[] =>
  keys.map((key) => credentialHash(key, raw));
