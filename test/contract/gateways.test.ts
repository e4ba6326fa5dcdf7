/**
 * Every format is read as its gateway's documentation says: fixtures worked out from the documented layouts, and the
 * tests' own traffic. Rows are compared as ClickHouse would show them.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { requireConfig } from '../../app/config.ts';
import { gatewaysOf, type SampledFormat } from '../../app/formats.ts';
import { credentialHash, deriveKey } from '../../core/keys.ts';
import { createDecoder, loadGateways } from '../../ingest/pipeline.ts';
import type { Decoder } from '../../ingest/decoder.ts';
import type { Source } from '../../ingest/source.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { asGiven, bytesOf, comparable, type Fixture, fixtureFiles, formatsOf, readFixture, sourceOf } from '../support/fixtures.ts';
import { type Expected, traffic } from '../support/traffic.ts';

const receivedAt = Date.parse('2026-11-24T12:00:00Z');
const formats = readdirSync(join(import.meta.dirname, '../fixtures/gateways')).toSorted();
const folder = mkdtempSync(join(tmpdir(), 'gatetrail-formats-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const credentials = deriveKey('a secret of the tests', 'credentials');

/** Formats and source as a configuration file says them. */
function configOf(fixture: Pick<Fixture, 'settings' | 'message'>) {
  const file = { formats: formatsOf(fixture), sources: [{ topic: 'edge', ...sourceOf(fixture) }] };
  if (file.formats.length === 0) return file;
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

function decode(decoder: Decoder, value: Buffer, headers: Fixture['headers'] = {}): Expected[] {
  const seen: Expected[] = [];
  decoder.decode({ offset: 0, timestamp: -1, value, headers }, 'edge', receivedAt, {
    event: (event, _offset, index) => (seen[index] = { kind: 'event', row: shown(event) }),
    rejected: ({ index, code, path }) => (seen[index] = { kind: 'rejected', code, path } as Expected),
    skipped: (_offset, index) => (seen[index] = { kind: 'skipped' }),
  });
  return seen;
}

const asItsFormatSays = (element: Expected): Expected =>
  element.kind === 'event' ? { kind: 'event', row: asGiven(element.row) } : element;

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

describe('formats', () => {
  test('each one has fixtures, and each fixture a format', async () => {
    expect([...(await loadGateways()).keys()]).toEqual(formats);
  });

  test.each(fixtureFiles)('%s is read as documented', (file) => {
    const fixture = readFixture(file);
    expect(fixture.source).not.toBe('');
    const seen = decode(decoderOf(configOf(fixture)), bytesOf(fixture.message), fixture.headers).map(asItsFormatSays);
    expect(comparable(seen, fixture.expected)).toEqual(fixture.expected.map(hashed));
  });
});

describe("the tests' own traffic", () => {
  const given = { records: 3000, startMs: receivedAt - 3_600_000, malformed: 0.05 };

  test.each(['kong', 'apisix', 'combined', 'gatetrail'] as const)('of %s comes out as the rows it was made from', (format) => {
    const decoder = decoderOf({ formats: [], sources: [] });
    for (const { value, expected } of traffic({ ...given, seed: 3, formats: [format] }).messages)
      expect(comparable(decode(decoder, value), expected)).toEqual(expected);
  });

  test('is the same for the same seed, and counts every element', () => {
    const [once, again] = [1, 2].map(() => traffic({ ...given, seed: 4, formats: ['kong', 'apisix', 'combined', 'gatetrail'] }).messages);
    expect(again?.map(({ value }) => value.toString('latin1'))).toEqual(once?.map(({ value }) => value.toString('latin1')));
    expect(once?.flatMap(({ expected }) => expected)).toHaveLength(given.records);
  });
});
