/**
 * Every format is read as its gateway's documentation says: fixtures worked out from the documented layouts, and the
 * tests' own traffic. Rows are compared as ClickHouse would show them.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { requireConfig } from '../../app/config.ts';
import { gatewaysOf, type SampledFormat } from '../../app/formats.ts';
import { credentialHash, deriveKey } from '../../core/keys.ts';
import { createDecoder, loadGateways } from '../../ingest/pipeline.ts';
import type { Decoder } from '../../ingest/decoder.ts';
import type { Source } from '../../ingest/source.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { type Expected, traffic } from '../support/traffic.ts';

interface Fixture {
  /** Where the layout is described. */
  readonly source: string;
  readonly message: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the configuration says of the source. */
  readonly settings?: Omit<Source, 'topic'> & { readonly formats?: readonly Omit<SampledFormat, 'sample'>[] };
  readonly expected: readonly Expected[];
}

const fixtureFolder = join(import.meta.dirname, '../fixtures');
const receivedAt = Date.parse('2026-11-24T12:00:00Z');
const formats = readdirSync(join(fixtureFolder, 'gateways')).toSorted();
const folders = [...formats.map((format) => join('gateways', format)), 'wrappers'];
const fixtures = folders.flatMap((folder) => readdirSync(join(fixtureFolder, folder)).map((file) => join(folder, file)));
const read = (file: string) => JSON.parse(readFileSync(join(fixtureFolder, file), 'utf8')) as Fixture;

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-formats-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const credentials = deriveKey('a secret of the tests', 'credentials');

/** Formats and source as a configuration file says them; of a format of its own the first record is the sample. */
function configOf({ formats = [], ...source }: NonNullable<Fixture['settings']>, value: Buffer) {
  if (formats.length === 0) return { formats: [], sources: [{ topic: 'edge', ...source }] };
  const message = JSON.parse(value.toString()) as unknown;
  const sample = Array.isArray(message) ? (message[0] as unknown) : message;
  const file = { formats: formats.map((format) => ({ ...format, sample })), sources: [{ topic: 'edge', ...source }] };
  writeFileSync(join(folder, 'gatetrail.yaml'), JSON.stringify(file)); // JSON is YAML
  return requireConfig({ flags: {}, env: {}, cwd: folder });
}

const decoderOf = ({ formats, sources }: { formats: readonly SampledFormat[]; sources: readonly Source[] }): Decoder =>
  createDecoder({
    gateways: gatewaysOf(formats),
    sources,
    defaultTenant: 'default',
    intakeTopic: 'intake',
    allowedQueryKeys: new Set(),
    pseudonyms: deriveKey('a secret of the tests', 'pseudonyms'),
    credentials,
    version: 'test',
  });

/** A text as its bytes, anything else as JSON; `{"gzip": …}` compressed. */
function bytesOf(message: unknown): Buffer {
  if (typeof message === 'object' && message !== null && 'gzip' in message) return gzipSync(bytesOf(message.gzip));
  return Buffer.from(typeof message === 'string' ? message : JSON.stringify(message));
}

function decode(value: Buffer, { settings = {}, headers = {} }: Pick<Fixture, 'settings' | 'headers'> = {}, as = asGiven): Expected[] {
  const seen: Expected[] = [];
  decoderOf(configOf(settings, value)).decode({ offset: 0, timestamp: -1, value, headers }, 'edge', receivedAt, {
    event: (event, _offset, index) => (seen[index] = { kind: 'event', row: shown(as(event)) }),
    rejected: ({ index, code, path }) => (seen[index] = { kind: 'rejected', code, path } as Expected),
    skipped: (_offset, index) => (seen[index] = { kind: 'skipped' }),
  });
  return seen;
}

/** With the route that the gateway gave: fixtures say what their format has. */
function asGiven({ attributes, ...event }: CanonicalEvent): CanonicalEvent {
  const { route_source, gateway_path = '', ...others } = attributes;
  return { ...event, attributes: others, http_route: route_source === undefined ? event.http_route : gateway_path };
}

/** A decoded event as the table shows it. */
function shown(event: CanonicalEvent): Record<string, unknown> {
  const micros = Number(event['timestamp']);
  const time = new Date(Math.floor(micros / 1000)).toISOString().slice(0, 19).replace('T', ' ');
  return {
    ...event,
    timestamp: `${time}.${String(micros % 1_000_000).padStart(6, '0')}`,
    client_address: addressShown(event['client_address']),
    network_peer_address: addressShown(event['network_peer_address']),
  };
}

function addressShown(value: unknown): string | null {
  if (value === '') return null;
  return String(value).includes(':') ? String(value) : `::ffff:${String(value)}`;
}

/** A fixture names the raw key that is hashed, `<hash of key>`. */
function hashed(element: Expected): Expected {
  if (element.kind !== 'event') return element;
  const raw = /^<hash of (.*)>$/.exec(String(element.row['credential_hash'] ?? ''))?.[1];
  return raw === undefined ? element : { kind: 'event', row: { ...element.row, credential_hash: credentialHash(credentials, raw) } };
}

/** What was seen, cut down to the columns that are expected. */
function comparable(seen: readonly Expected[], expected: readonly Expected[]): Expected[] {
  return seen.map((element, index) => {
    const wanted = expected[index];
    if (element.kind === 'rejected' && wanted?.kind === 'rejected' && !('path' in wanted)) return { kind: 'rejected', code: element.code };
    if (element.kind === 'skipped' && wanted?.kind === 'skipped') return wanted;
    if (element.kind !== 'event' || wanted?.kind !== 'event') return element;
    return { kind: 'event', row: Object.fromEntries(Object.keys(wanted.row).map((column) => [column, element.row[column]])) };
  });
}

describe('formats', () => {
  test('each one has fixtures, and each fixture a format', async () => {
    expect([...(await loadGateways()).keys()]).toEqual(formats);
  });

  test.each(fixtures)('%s is read as documented', (file) => {
    const { source, message, expected, ...given } = read(file);
    expect(source).not.toBe('');
    expect(comparable(decode(bytesOf(message), given), expected)).toEqual(expected.map(hashed));
  });
});

describe("the tests' own traffic", () => {
  const given = { records: 3000, startMs: receivedAt - 3_600_000, malformed: 0.05 };

  test.each(['kong', 'apisix', 'combined', 'gatetrail'] as const)('of %s comes out as the rows it was made from', (format) => {
    for (const { value, expected } of traffic({ ...given, seed: 3, formats: [format] }).messages)
      expect(
        comparable(
          decode(value, {}, (event) => event),
          expected,
        ),
      ).toEqual(expected);
  });

  test('is the same for the same seed, and counts every element', () => {
    const [once, again] = [1, 2].map(() => traffic({ ...given, seed: 4, formats: ['kong', 'apisix', 'combined', 'gatetrail'] }).messages);
    expect(again?.map(({ value }) => value.toString('latin1'))).toEqual(once?.map(({ value }) => value.toString('latin1')));
    expect(once?.flatMap(({ expected }) => expected)).toHaveLength(given.records);
  });
});
