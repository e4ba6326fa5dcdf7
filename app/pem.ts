/** Certificates and keys that the configuration names. */
import { readFileSync } from 'node:fs';
import { AuditError, messageOf } from '../core/errors.ts';

/** @throws CONFIG_INVALID with the setting */
export function readPem(setting: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new AuditError('CONFIG_INVALID', `${setting}: expected the path of a file that can be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
