/**
 * What the pages of gateways tell people to configure is right as far as we can tell: it parses, our own settings are settings, and a
 * record that a gateway writes by it is recognised and read.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Config, loadConfig } from '../../app/config.ts';
import { deriveKey } from '../../core/keys.ts';
import { createDecoder, loadGateways } from '../../ingest/pipeline.ts';
import type { CanonicalEvent } from '../../schemas/event.ts';
import { recordOf, request, type Snippet, snippets } from '../support/snippets.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-setups-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const all = snippets();
const ours = all.filter(({ text }) => text.startsWith('# gatetrail.yaml\n'));
const templates = all.filter(({ reads }) => reads !== '');
const named = (list: readonly Snippet[]) =>
  list.map((snippet, at) => [`${snippet.page}, ${snippet.language}, number ${at + 1}`, snippet] as const);

let gateways: Awaited<ReturnType<typeof loadGateways>>;
beforeAll(async () => {
  gateways = await loadGateways();
});

function load(text: string): ReturnType<typeof loadConfig> {
  const file = join(folder, 'gatetrail.yaml');
  writeFileSync(file, text);
  return loadConfig({ flags: { config: file }, env: { GATETRAIL_KAFKA_PASSWORD: 'connection string' }, cwd: folder });
}

const sourcesOn = (page: string): Config['sources'] =>
  ours.filter((each) => each.page === page).flatMap(({ text }) => load(text).config?.sources ?? []);

/** The one event of a record, or why there is none. */
function decode(record: string, source: Config['sources'][number]): Partial<CanonicalEvent> & { readonly why?: string } {
  const seen: (Partial<CanonicalEvent> & { why?: string })[] = [];
  createDecoder({
    gateways,
    sources: [source],
    defaultTenant: 'default',
    intakeTopic: 'intake',
    allowedQueryKeys: new Set(),
    pseudonyms: deriveKey('a secret of the tests', 'pseudonyms'),
    credentials: deriveKey('a secret of the tests', 'credentials'),
    version: 'test',
  }).decode({ offset: 0, timestamp: -1, value: Buffer.from(record), headers: {} }, source.topic, request.startMs + 60_000, {
    event: (event) => seen.push({ ...event }),
    rejected: ({ code, message }) => seen.push({ why: `${code}: ${message}` }),
    skipped: (_offset, _index, reason) => seen.push({ why: reason }),
  });
  return seen.length === 1 ? (seen[0] ?? {}) : { why: `${seen.length} elements came` };
}

describe('a snippet', () => {
  test.each(named(all.filter(({ language }) => language === 'yaml')))('of YAML parses: %s', (_, { text }) => {
    expect(parseAllDocuments(text).flatMap(({ errors }) => errors)).toEqual([]);
  });

  test.each(named(all.filter(({ language }) => language === 'json')))('of JSON parses: %s', (_, { text }) => {
    expect(JSON.parse(text)).toBeTypeOf('object');
  });
});

describe('our own settings', () => {
  test.each(named(ours))('are without a fault, and name formats that there are: %s', (_, { text }) => {
    const { config, faults } = load(text);
    expect(faults).toEqual([]);
    expect(config?.sources.length).toBeGreaterThan(0);
    for (const { format } of config?.sources ?? []) expect([...gateways.keys()]).toContain(format);
  });

  test('stand on each page that has a set-up, for its format', () => {
    const pages = new Set(all.map(({ page }) => page).filter((page) => gateways.has(page)));
    for (const page of pages) expect(sourcesOn(page).map(({ format }) => format)).toContain(page);
  });
});

describe('a record made by a template', () => {
  const expected = {
    http_request_method: request.method,
    url_path: request.path,
    http_response_status_code: request.status,
    client_address: request.client,
    outcome: 'success',
  };

  test.each(named(templates))('is recognised and read, with the settings of its page and without a format: %s', (_, snippet) => {
    const record = recordOf(snippet);
    const source = sourcesOn(snippet.page).find(({ format }) => format === snippet.reads) ?? { topic: 'edge' };
    for (const given of [source, { ...source, format: undefined }]) {
      const event = decode(record, given);
      expect(event).toMatchObject({ ...expected, source_format: snippet.reads });
      // Whole seconds are what some of them have, and of the end.
      expect(Math.abs(Number(event.timestamp) / 1000 - request.startMs)).toBeLessThan(1_000);
    }
  });

  test('fails where a variable is not known, so that a new one is thought of', () => {
    const unknown = { page: 'x', language: 'nginx', reads: 'nginx-json', text: `log_format x escape=json '{"a":"$nonsense"}';` };
    expect(() => recordOf(unknown)).toThrow('nonsense');
  });

  test.each(['nginx', 'apache', 'haproxy', 'yaml', 'json', 'text'])('is made of every notation there is, also %s', (language) => {
    expect(templates.map((snippet) => snippet.language)).toContain(language);
  });
});
