/** The records of gateways and shippers that were worked out from their documentation, each with what must come of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { Source } from '../../ingest/source.ts';
import type { Expected } from './traffic.ts';

export interface Fixture {
  /** Where the layout is described. */
  readonly source: string;
  readonly message: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the configuration says of the source. */
  readonly settings?: Omit<Source, 'topic'> & { readonly fields?: unknown };
  readonly expected: readonly Expected[];
}

const folder = join(import.meta.dirname, '../fixtures');

/** Of all formats, and of the wrappers. */
export const fixtureFiles = [...readdirSync(join(folder, 'gateways')).map((format) => join('gateways', format)), 'wrappers']
  .flatMap((name) => readdirSync(join(folder, name)).map((file) => join(name, file)))
  .toSorted();

export const readFixture = (file: string): Fixture => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Fixture; // the contract test reads each

/** A text as its bytes, anything else as JSON; `{"gzip": …}` compressed. */
export function bytesOf(message: unknown): Buffer {
  if (typeof message === 'object' && message !== null && 'gzip' in message) return gzipSync(bytesOf(message.gzip));
  return Buffer.from(typeof message === 'string' ? message : JSON.stringify(message));
}

/** A raw key is hashed under a key that a test of the whole product does not have; a fixture names it, `<hash of key>`. */
export function withAnyHash(element: Expected): Expected {
  if (element.kind !== 'event' || !String(element.row['credential_hash'] ?? '').startsWith('<hash of ')) return element;
  return { kind: 'event', row: { ...element.row, credential_hash: expect.stringMatching(/^[\w:.-]{16,40}$/) } };
}

/** What was seen, cut down to the columns that are expected. */
export function comparable(seen: readonly Expected[], expected: readonly Expected[]): Expected[] {
  return seen.map((element, index) => {
    const wanted = expected[index];
    if (element.kind === 'rejected' && wanted?.kind === 'rejected' && !('path' in wanted)) return { kind: 'rejected', code: element.code };
    if (element.kind === 'skipped' && wanted?.kind === 'skipped') return wanted;
    if (element.kind !== 'event' || wanted?.kind !== 'event') return element;
    return { kind: 'event', row: Object.fromEntries(Object.keys(wanted.row).map((column) => [column, element.row[column]])) };
  });
}
