/** Stands in for a mail server on one machine: each mail is a file in a folder. The same mail again is the same file. */
import { createHash } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export function openMailbox(folder: string): (raw: Buffer, messageId: string) => Promise<void> {
  return async (raw, messageId) => {
    await mkdir(folder, { recursive: true });
    const name = createHash('sha256').update(messageId).digest('hex').slice(0, 32);
    const unfinished = join(folder, `.${name}.${process.pid}`);
    await writeFile(unfinished, raw, { mode: 0o600 });
    await rename(unfinished, join(folder, `${name}.eml`));
  };
}
