import { expect, test } from 'vitest';
import { credentialHash, deriveKey } from '../../../core/keys.ts';
import { hashing, partHashes } from '../../../ingest/credentials.ts';
import { emptyEvent } from '../../../schemas/event.ts';

const [current, before, older] = ['now', 'before', 'older'].map((secret) => deriveKey(secret, 'credentials'));
if (!current || !before || !older) throw new Error('three keys');

function eventOf(hash: string) {
  const event = emptyEvent();
  event.credential_hash = hash;
  partHashes(event);
  return event;
}

test('a raw key is stored as the id of the key and 16 digits, and nothing of it is left', () => {
  const event = eventOf(hashing([current])('raw-key'));
  expect(event.credential_hash).toMatch(new RegExp(`^${current.id}-[0-9a-f]{16}$`));
  expect(event.attributes).toEqual({});
  expect(JSON.stringify(event)).not.toContain('raw');
  expect(hashing([current])('raw-key2')).not.toBe(event.credential_hash);
});

test('after a rotation its hashes of before stand beside it', () => {
  const { credential_hash: hash, attributes } = eventOf(hashing([current, before, older])('raw-key'));
  expect(hash).toBe(credentialHash(current, 'raw-key'));
  expect(attributes).toEqual({ credential_hash_before: `${credentialHash(before, 'raw-key')} ${credentialHash(older, 'raw-key')}` });
});

test('a hash of ours stays when it is read again, and one of others is hashed', () => {
  for (const key of [current, before]) expect(hashing([current, before])(credentialHash(key, 'x'))).toBe(credentialHash(key, 'x'));
  const foreign = credentialHash(older, 'x');
  expect(hashing([current])(foreign)).toBe(credentialHash(current, foreign));
});
