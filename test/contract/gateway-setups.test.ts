/**
 * What the pages of gateways tell people to configure is right as far as we can tell: it parses, our own settings are settings, and a
 * record that a gateway writes by it is recognised and read.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../app/config.ts';
import type { Config } from '../../app/settings.ts';
import { makeDecoder } from '../../app/decoder.ts';
import { loadGateways } from '../../ingest/pipeline.ts';
import { recordOf, request, type Snippet, snippets } from '../support/snippets.ts';
import { root } from '../support/sources.ts';

const script = pathToFileURL(join(root, 'scripts/gateway-coverage.mjs')).href;
const { coverages } = (await import(script)) as { coverages(): Promise<readonly Covered[]> };

interface Covered {
  readonly name: string;
  readonly forms: Readonly<Record<string, { readonly given: Readonly<Record<string, string>> }>>;
}

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-setups-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const all = snippets();
const ours = all.filter(({ text }) => text.startsWith('# gatetrail.yaml\n'));
const templates = all.filter(({ reads }) => reads !== '');
const named = (list: readonly Snippet[]) =>
  list.map((snippet, at) => [`${snippet.page}, ${snippet.language}, number ${at + 1}`, snippet] as const);

let gateways: Awaited<ReturnType<typeof loadGateways>>;
let covered: readonly Covered[];
beforeAll(async () => {
  gateways = await loadGateways();
  covered = await coverages();
});

function load(text: string): ReturnType<typeof loadConfig> {
  const file = join(folder, 'gatetrail.yaml');
  writeFileSync(file, text);
  const env = { GATETRAIL_KAFKA_PASSWORD: 'connection string', GATETRAIL_SECRET: 'a secret of the tests, long enough to pass' };
  return loadConfig({ flags: { config: file }, env, cwd: folder });
}

/** What the pages' settings of a gateway say, or the defaults where they say nothing. */
const configOn = (page: string): Config => {
  const { config } = load(ours.find((each) => each.page === page)?.text ?? '');
  if (config === null) throw new Error(`the settings on the page of ${page} have faults`);
  return config;
};

/** As a source of the page that is pinned to the format says, or one without settings. */
const sourceOf = ({ page, reads }: Snippet): Config['sources'][number] =>
  configOn(page).sources.find(({ format }) => format === reads) ?? { topic: 'edge' };

/** The one event of a record, or why there is none. */
async function decode(record: string, source: Config['sources'][number]): Promise<Readonly<Record<string, unknown>>> {
  const seen: Readonly<Record<string, unknown>>[] = [];
  const decoder = await makeDecoder({ ...configOn(''), sources: [source] });
  const message = { offset: 0, timestamp: -1, value: Buffer.from(record), headers: {} };
  decoder.decode(message, source.topic, request.startMs + 60_000, {
    event: (event) => seen.push({ ...event }),
    rejected: ({ code, message: why }) => seen.push({ code, why }),
    skipped: (_offset, _index, why) => seen.push({ why }),
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
    for (const page of pages) expect(configOn(page).sources.map(({ format }) => format)).toContain(page);
  });

  test('have the columns of CloudFront in the order of its files', () => {
    const file = readFileSync(join(root, 'test/fixtures/gateways/w3c/cloudfront.json'), 'utf8');
    const { message } = JSON.parse(file) as { readonly message: string };
    const columns = /^#Fields: (.*)$/m.exec(message)?.[1]?.split(' ');
    expect(configOn('w3c').sources.find(({ topic }) => topic === 'cloudfront')?.columns).toEqual(columns);
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

  test.each(named(templates))('is recognised and read, with the settings of its page and without a format: %s', async (_, snippet) => {
    const record = recordOf(snippet);
    const source = sourceOf(snippet);
    for (const given of [source, { ...source, format: undefined }]) {
      const event = await decode(record, given);
      expect(event).toMatchObject({ ...expected, source_format: snippet.reads });
      // Whole seconds are what some of them have, and of the end.
      expect(Math.abs(Number(event['timestamp']) / 1000 - request.startMs)).toBeLessThan(1_000);
    }
  });

  // The canonical event can give everything, and a record of it need not.
  const whole = templates.filter(({ page, reads }) => page === reads && page !== 'gatetrail');
  test.each(named(whole))('gives at least what most records of its gateway give: %s', async (_, snippet) => {
    const record = recordOf(snippet);
    const event = await decode(record, sourceOf(snippet));
    const form = covered.find(({ name }) => name === snippet.page)?.forms[record[0] === '{' ? 'json' : 'text'];
    const usual = Object.entries(form?.given ?? {}).flatMap(([field, level]) => (level === 'most' ? [field] : []));
    expect(usual.length).toBeGreaterThan(5);
    expect(usual.filter((field) => event[field] === '' || event[field] === null)).toEqual([]);
  });

  test('fails where a variable is not known, so that a new one is thought of', () => {
    const unknown = { page: 'x', language: 'nginx', reads: 'nginx-json', text: `log_format x escape=json '{"a":"$nonsense"}';` };
    expect(() => recordOf(unknown)).toThrow('nonsense');
  });

  test.each(['nginx', 'apache', 'haproxy', 'yaml', 'json', 'text'])('is made of every notation there is, also %s', (language) => {
    expect(templates.map((snippet) => snippet.language)).toContain(language);
  });
});
