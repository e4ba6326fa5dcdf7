/** Records as they came, secrets included, under AES-256-GCM: in the journal, and where dead letters are kept whole. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AuditError, messageOf } from '../../core/errors.ts';
import type { PurposeKey } from '../../core/keys.ts';
import type { NewMessage } from '../log.ts';

export interface Sealed {
  readonly keyId: string;
  /** nonce (12) | tag (16) | sealed; inside: the length of the headers, the headers as JSON, the value. */
  readonly sealed: Buffer;
}

export interface Content {
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Sealer {
  close(message: NewMessage): Sealed;
  /** @throws CONFIG_INVALID when none of the keys opens it */
  open(stored: Sealed): Content;
}

export interface SealOptions {
  readonly key: PurposeKey;
  /** Keys of before a rotation: what they sealed can still be read. */
  readonly previousKeys?: readonly PurposeKey[];
}

/** `what` was sealed, for the message of an error. */
export function createSealer({ key, previousKeys = [] }: SealOptions, what: string): Sealer {
  const keys = new Map([...previousKeys, key].map((each) => [each.id, each.key]));
  return {
    close({ value, headers = {} }) {
      const head = Buffer.from(JSON.stringify(headers));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(head.length);
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key.key, nonce);
      const sealed = [cipher.update(length), cipher.update(head), cipher.update(value), cipher.final()];
      return { keyId: key.id, sealed: Buffer.concat([nonce, cipher.getAuthTag(), ...sealed]) };
    },
    open({ keyId, sealed }) {
      const secret = keys.get(keyId);
      try {
        if (secret === undefined) throw new Error(`it was sealed under key ${keyId}`);
        const decipher = createDecipheriv('aes-256-gcm', secret, sealed.subarray(0, 12)).setAuthTag(sealed.subarray(12, 28));
        const content = Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
        const headEnd = 4 + content.readUInt32LE(0);
        return { headers: JSON.parse(content.subarray(4, headEnd).toString()) as Record<string, string>, value: content.subarray(headEnd) };
      } catch (error) {
        const message = `${what} cannot be opened with this secret: ${messageOf(error)}. Start with the secret it was written with, or add that one to secret.previous`;
        throw new AuditError('CONFIG_INVALID', message, { cause: error });
      }
    },
  };
}
