/** `gatetrail recognise FILE --json` shows each fixture's events, dead letters and skipped elements as they are documented. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import recognise from '../../app/verbs/recognise.ts';
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
  readonly format?: string;
  readonly event?: Readonly<Record<string, unknown>>;
  readonly code?: string;
  readonly path?: string;
  readonly skipped?: string;
}

/** What the verb prints of a file whose topic has these settings; its exit code. */
async function shown(file: string, fixture: Fixture): Promise<{ lines: Line[]; code: number | void }> {
  const path = join(folder, file.replaceAll('/', '-'));
  const config = `${path}.yaml`;
  writeFileSync(path, bytesOf(fixture.message));
  const sources = [{ topic: 'gatetrail-records', ...sourceOf(fixture) }];
  writeFileSync(config, JSON.stringify({ dataDir: folder, formats: formatsOf(fixture), sources })); // JSON is YAML
  let printed = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  const code = await recognise.run({ config, json: true }, [path]);
  vi.mocked(process.stdout.write).mockRestore();
  return { code, lines: printed.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line])) };
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
  test.each(files)('shows what is in %s', async (file) => {
    const fixture = readFixture(file);
    const { lines, code } = await shown(file, fixture);
    const wanted = inFile(fixture);
    expect(comparable(lines.map(asExpected), wanted)).toEqual(wanted);
    expect(code).toBe(wanted.some(({ kind }) => kind === 'rejected') ? 3 : 0);
  });

  test('names the format of each event, and prints bare events that can be imported again', async () => {
    const file = 'gateways/kong/consumer-names.json';
    const { lines } = await shown(file, readFixture(file));
    expect(lines.map(({ format }) => format)).toEqual(lines.map(() => 'kong'));
    const message = lines.map(({ event }) => JSON.stringify(event)).join('\n');
    const again = await shown('bare', { source: '', expected: [], message });
    expect(again.lines.map(({ event }) => event?.['url_path'])).toEqual(lines.map(({ event }) => event?.['url_path']));
  });
});
