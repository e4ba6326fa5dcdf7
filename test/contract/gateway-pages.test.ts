/** The pages of gateways say what the fixtures say, and what is missing means for detections what the one table says. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { eventFields, type TimeSource } from '../../schemas/event.ts';
import { root } from '../support/sources.ts';
import type { Expected } from '../support/traffic.ts';

type Level = 'most' | 'some' | 'never';
interface Coverage {
  readonly records: number;
  readonly timeSources: readonly TimeSource[];
  readonly given: Readonly<Record<string, Level>>;
}
interface Covered {
  readonly name: string;
  readonly forms: { readonly json?: Coverage; readonly text?: Coverage };
}
interface Meaning {
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly ours: readonly string[];
  readonly asked: Readonly<Record<string, readonly string[]>>;
  consequencesOf(coverage: Pick<Coverage, 'given' | 'timeSources'>): readonly string[];
}
const script = async (name: string): Promise<unknown> => import(pathToFileURL(join(root, 'scripts', name)).href);
const { coverages } = (await script('gateway-coverage.mjs')) as { coverages(): Promise<readonly Covered[]> };
const { gatewayPages } = (await script('gateway-pages.mjs')) as { gatewayPages(): Promise<Readonly<Record<string, string>>> };
const { groups, ours, asked, consequencesOf } = (await script('gateway-meaning.mjs')) as Meaning;

const fixtures = join(root, 'test/fixtures/gateways');
const pageOf = (name: string) => readFileSync(join(root, 'docs/gateways', `${name}.md`), 'utf8');

let all: readonly Covered[];
beforeAll(async () => {
  all = await coverages();
});

describe('the pages', () => {
  test('are one for each format and the table of all, as npm run docs writes them', async () => {
    const pages = await gatewayPages();
    const files = readdirSync(join(root, 'docs/gateways')).map((file) => `gateways/${file}`);
    expect(files.toSorted()).toEqual(Object.keys(pages).toSorted());
    for (const [file, text] of Object.entries(pages)) expect(readFileSync(join(root, 'docs', file), 'utf8'), file).toBe(text);
  });

  test.each(readdirSync(fixtures))('%s gives, by its page, whatever one of its fixtures expects of it', (name) => {
    const forms: readonly Coverage[] = Object.values(all.find((each) => each.name === name)?.forms ?? {});
    expect(forms.length).toBeGreaterThan(0);
    const never = Object.keys(eventFields).filter((field) => forms.every(({ given }) => given[field] === 'never'));
    const wrong = expectedRows(name).flatMap((row) => never.filter((field) => row[field] !== undefined && isGiven(row[field])));
    expect([...new Set(wrong)].filter((field) => !ours.includes(field))).toEqual([]);
  });

  test('tell how a record is recognised, and link to what the fields mean', () => {
    expect(pageOf('kong')).toContain('recognised by: `started_at`, objects `request` and `response`');
    expect(pageOf('kong')).toMatch(/Tried behind \[[\w-]+\]\([\w-]+\.md\) and before \[/);
    expect(pageOf('kong')).toContain('](../reference/events.md)');
  });

  test('that read two forms have a table for each', () => {
    expect(pageOf('envoy').match(/^\| Request \|/gm)).toHaveLength(2);
    expect(pageOf('kong').match(/^\| Request \|/gm)).toHaveLength(1);
  });
});

/** Of records in the gateway's own layout. */
function expectedRows(name: string): Readonly<Record<string, unknown>>[] {
  return readdirSync(join(fixtures, name))
    .map((file) => JSON.parse(readFileSync(join(fixtures, name, file), 'utf8')) as { settings?: object; expected: readonly Expected[] })
    .filter(({ settings = {} }) => !('fields' in settings) && !('formats' in settings))
    .flatMap(({ expected }) => expected.flatMap((each) => (each.kind === 'event' ? [each.row] : [])))
    .filter((row) => (row['source_format'] ?? name) === name);
}

function isGiven(value: unknown): boolean {
  return value !== null && value !== '' && !(typeof value === 'object' && Object.keys(value).length === 0);
}

describe('the groups', () => {
  test('hold every canonical field that a record can give, once', () => {
    expect([...Object.values(groups).flat(), ...ours].toSorted()).toEqual(Object.keys(eventFields).toSorted());
  });

  test('and what detections ask for are fields that there are', () => {
    for (const field of Object.values(asked).flat()) expect(Object.keys(eventFields)).toContain(field);
  });
});

describe('what is missing means', () => {
  const every = (level: Level) => Object.fromEntries(Object.keys(eventFields).map((field) => [field, level]));
  const of = (given: Readonly<Record<string, Level>>, timeSources: readonly TimeSource[] = ['start']) =>
    consequencesOf({ given: { ...every('most'), ...given }, timeSources }).map((each) => each.split(/[:,.]/)[0]);

  test('nothing where nothing is missing', () => {
    expect(of({})).toEqual([]);
  });

  test.each([
    [['http_response_status_code'], 'No status'],
    [['client_address'], 'No client address'],
    [['consumer_id', 'consumer_name', 'consumer_group', 'credential_id', 'credential_hash'], 'Neither consumer nor credential'],
    [['consumer_name'], 'No name of a consumer'],
    [['duration_ms', 'upstream_duration_ms'], 'No duration'],
    [['upstream_duration_ms'], 'No duration of the upstream'],
    [['http_response_size', 'http_response_body_size'], 'No size of responses'],
    [['http_request_size', 'http_request_body_size'], 'No size of requests'],
    [['http_route', 'gateway_route_id', 'gateway_route_name', 'operation_id'], 'No route'],
    [['url_query'], 'No query'],
    [['user_agent_original'], 'No user agent'],
    [['request_id', 'trace_id'], 'Neither request id nor trace id'],
  ] as const)('that without %j there is: %s', (fields, said) => {
    expect(of(Object.fromEntries(fields.map((field) => [field, 'never'])))).toEqual([said]);
  });

  test('nothing where another field will do', () => {
    expect(of({ http_response_size: 'never', http_request_size: 'never', trace_id: 'never', http_route: 'never' })).toEqual([]);
  });

  test('less where there is some of it', () => {
    expect(of({ user_agent_original: 'some' })).toEqual(['A user agent in some records alone']);
    expect(of({ http_response_size: 'some', http_response_body_size: 'never' })).toEqual([]);
  });

  test('that windows shift where the time is the end and no duration is known', () => {
    expect(of({}, ['end'])).toEqual(['The time is the end']);
    expect(of({}, ['end', 'end_minus_duration'])).toEqual(['Where there is no duration the time is the end']);
    expect(of({}, ['end_minus_duration'])).toEqual([]);
  });
});
