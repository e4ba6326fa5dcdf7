/** `gatetrail recognise FILE --json` shows each fixture's events, dead letters and skipped elements as they are documented. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import recognise from '../../app/verbs/recognise.ts';
import { grouped } from '../../core/grouped.ts';
import { emptyEvent } from '../../schemas/event.ts';
import {
  asGiven,
  bytesOf,
  comparable,
  type Fixture,
  fixtureFiles,
  formatsOf,
  readFixture,
  sourceOf,
  withAnyHash,
} from '../support/fixtures.ts';
import type { Expected } from '../support/traffic.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-recognise-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-11-24T12:00:00Z') }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A file has no headers. */
const files = fixtureFiles.filter((file) => readFixture(file).headers?.['ce_specversion'] === undefined);

interface Line {
  readonly file: string;
  readonly format?: string;
  readonly event?: Readonly<Record<string, unknown>>;
  readonly code?: string;
  readonly path?: string;
  readonly skipped?: string;
}

/** What the verb prints of files whose topic has these settings, by file; its exit code. */
async function shown(fixtures: ReadonlyMap<string, Fixture>): Promise<{ lines: Map<string, Line[]>; code: number | void }> {
  const paths = new Map([...fixtures].map(([file, { message }]) => [write(file.replaceAll('/', '-'), bytesOf(message)), file]));
  const [one] = [...fixtures.values()];
  const sources = [{ topic: 'gatetrail-records', ...sourceOf(one ?? {}) }];
  const formats = [...fixtures.values()].flatMap(formatsOf);
  const config = write('gatetrail.yaml', JSON.stringify({ dataDir: folder, formats, sources })); // JSON is YAML
  let printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  const code = await recognise.run({ config, json: true }, [...paths.keys()]);
  vi.mocked(process.stdout.write).mockRestore();
  const lines = printed.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]));
  return { code, lines: grouped(lines, ({ file }) => paths.get(file) ?? '') };
}

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const address = (value: unknown) => (typeof value === 'string' && !value.includes(':') ? `::ffff:${value}` : (value ?? null));

/** As the table would show it. */
function asExpected({ event, code, path = '', skipped }: Line): Expected {
  if (skipped !== undefined) return { kind: 'skipped' };
  if (event === undefined) return { kind: 'rejected', code: code ?? '', path: path === '$' ? '' : path } as Expected;
  const time = String(event['timestamp']).slice(0, -1).replace('T', ' ');
  const row = {
    ...emptyEvent(),
    ...asGiven(event),
    timestamp: time.padEnd('2026-11-24 11:00:00.000000'.length, '0'),
    client_address: address(event['client_address']),
    network_peer_address: address(event['network_peer_address']),
  };
  return { kind: 'event', row };
}

/** A `#Fields:` line of a file is no message: it goes along with those behind it. */
function inFile({ message, expected }: Fixture): Expected[] {
  const lines = typeof message === 'string' ? message.split('\n').filter((line) => line.trim() !== '') : [];
  return expected.filter((_, at) => lines[at]?.startsWith('#Fields:') !== true).map(withAnyHash);
}

describe('recognise', () => {
  const settings = [...grouped(files, (file) => JSON.stringify(readFixture(file).settings ?? {}))];

  test.each(settings)('shows what is in each file of a source with %s', async (_, ofThem) => {
    const fixtures = new Map(ofThem.map((file) => [file, readFixture(file)]));
    const { lines, code } = await shown(fixtures);
    for (const [file, fixture] of fixtures) {
      const wanted = inFile(fixture);
      expect(comparable((lines.get(file) ?? []).map(asExpected), wanted), file).toEqual(wanted);
    }
    expect(code).toBe([...fixtures.values()].flatMap(inFile).some(({ kind }) => kind === 'rejected') ? 3 : 0);
  });

  test('names the format of each event, and prints bare events that can be imported again', async () => {
    const file = 'gateways/kong/consumer-names.json';
    const ofFile = async (fixture: Fixture) => (await shown(new Map([[file, fixture]]))).lines.get(file) ?? [];
    const lines = await ofFile(readFixture(file));
    expect(lines.map(({ format }) => format)).toEqual(lines.map(() => 'kong'));
    const message = lines.map(({ event }) => JSON.stringify(event)).join('\n');
    const again = await ofFile({ source: '', expected: [], message });
    expect(again.map(({ event }) => event?.['url_path'])).toEqual(lines.map(({ event }) => event?.['url_path']));
  });
});
