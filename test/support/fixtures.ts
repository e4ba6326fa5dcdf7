/** The records of gateways and shippers that were worked out from their documentation, each with what must come of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import type { SampledFormat } from '../../app/formats.ts';
import type { Source } from '../../ingest/source.ts';
import type { Expected } from './traffic.ts';

export interface Fixture {
  /** Where the layout is described. */
  readonly source: string;
  readonly message: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the configuration says of the source. */
  readonly settings?: Omit<Source, 'topic'> & { readonly formats?: readonly Omit<SampledFormat, 'sample'>[] };
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

/** The formats that a fixture describes, as a configuration says them: its first record is the sample. */
export function formatsOf({ settings, message }: Pick<Fixture, 'settings' | 'message'>): SampledFormat[] {
  const [sample] = (Array.isArray(message) ? message : [message]) as SampledFormat['sample'][];
  return (settings?.formats ?? []).map((format) => ({ ...format, sample: sample ?? '' }));
}

/** What the configuration says of its source. */
export function sourceOf({ settings = {} }: { readonly settings?: Fixture['settings'] | undefined }): Omit<Source, 'topic'> {
  const { formats: _, ...source } = settings;
  return source;
}

/** With the route that the gateway gave: fixtures say what their format has. */
export function asGiven(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { route_source, gateway_path = '', ...attributes } = (row['attributes'] ?? {}) as Readonly<Record<string, string>>;
  return { ...row, attributes, ...(route_source !== undefined && { http_route: gateway_path }) };
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
