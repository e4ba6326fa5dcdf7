/** Raw keys of consumers, which are stored as keyed hashes alone. */
import { credentialHashes, type PurposeKey } from '../core/keys.ts';
import { remembered } from '../core/remembered.ts';
import type { CanonicalEvent } from '../schemas/event.ts';

/**
 * All hashes of a raw key, parted by blanks, that of the current secret first. Those of the secrets before it go along, so that a
 * hash which somebody noted before a rotation finds what came after it. What is such a hash already stays: an event that was
 * stored may be read again.
 */
export function hashing(keys: readonly PurposeKey[]): (raw: string) => string {
  const ids = new Set(keys.map(({ id }) => id));
  const isHash = (raw: string) => /^[0-9a-f]{4}-[0-9a-f]{16}$/.test(raw) && ids.has(raw.slice(0, 4));
  return remembered((raw) => (isHash(raw) ? raw : credentialHashes(keys, raw).join(' ')), 100_000);
}

/** The current hash in its column, those before it in an attribute. */
export function partHashes(event: CanonicalEvent): void {
  const blank = event.credential_hash.indexOf(' ');
  if (blank < 0) return;
  event.attributes['credential_hash_before'] = event.credential_hash.slice(blank + 1);
  event.credential_hash = event.credential_hash.slice(0, blank);
}
