/** What could not be read, as it is kept: why and where, its size and digest, and its shape with every word masked that could tell something. */
import { createHash } from 'node:crypto';
import type { DeadLetter } from '../storage/dead-letters.ts';
import { ReadFailure } from './gateway.ts';
import { excerptOf } from './excerpt.ts';

export interface Refused extends Pick<DeadLetter, 'offset' | 'index' | 'tenant' | 'detectedFormat'> {
  /** The element as it came; empty where that is not known. */
  readonly text: Buffer;
}

const maxExcerptBytes = 8192;

export function rejectionOf(error: unknown, { text, ...place }: Refused): DeadLetter {
  // A reader that fails otherwise met something that its author did not think of: data all the same.
  const { code, path, message } =
    error instanceof ReadFailure
      ? error
      : new ReadFailure('BAD_FIELD', '', 'a field has a value that the reader of this format cannot take');
  const excerpt = excerptOf(text.subarray(0, maxExcerptBytes).toString());
  const sha256 = text.length === 0 ? '' : createHash('sha256').update(text).digest('hex');
  return { ...place, code, path, message, excerpt, bytes: text.length, sha256 };
}
