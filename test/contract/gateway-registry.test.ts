/**
 * Adding a gateway is one file and its fixture: both are put into a copy of the built product, nothing else there is touched, and
 * the product finds, recognises and reads it, and gives it a page.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cleanEnvironment } from '../support/gatetrail.ts';
import { root } from '../support/sources.ts';

const copy = mkdtempSync(join(tmpdir(), 'gatetrail-registry-'));
afterAll(() => rmSync(copy, { recursive: true, force: true }));

/** JavaScript and TypeScript alike, so that it is its own build. */
const reader = `/** Planted, a gateway of the tests. Durations are milliseconds. Source: this test. */
const format = {
  order: 65,
  test: 'text \`planted_at\`',
  recognises: (record) => typeof record.planted_at === 'string',
  skips: (record) => (record.kind === 'note' ? 'not a request: a note' : ''),
  read(record, event) {
    event.gateway_kind = 'planted';
    event.timestamp = Date.parse(record.planted_at) * 1000;
    event.http_request_method = record.verb;
    event.url_path = record.asked;
    event.http_response_status_code = record.answered;
    event.client_address = record.from;
    event.duration_ms = record.took;
  },
};
export default { json: format };
`;
const record = { planted_at: '2026-11-24T11:00:00.123Z', verb: 'GET', asked: '/v1/seeds/7', answered: 401, from: '203.0.113.7', took: 46 };
const fixture = { source: 'this test', message: record, expected: [{ kind: 'event', row: { http_request_method: 'GET' } }] };

let before: Readonly<Record<string, string>>;
beforeAll(() => {
  for (const part of ['dist', 'scripts', 'docs', 'ingest/gateways', 'test/fixtures/gateways'])
    cpSync(join(root, part), join(copy, part), { recursive: true });
  mkdirSync(join(copy, 'bench'));
  cpSync(join(root, 'bench/baseline.json'), join(copy, 'bench/baseline.json'));
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  before = files();
  writeFileSync(join(copy, 'ingest/gateways/planted.ts'), reader);
  writeFileSync(join(copy, 'dist/ingest/gateways/planted.js'), reader);
  mkdirSync(join(copy, 'test/fixtures/gateways/planted'));
  writeFileSync(join(copy, 'test/fixtures/gateways/planted/first.json'), JSON.stringify(fixture));
});

/** Hash of each file of the copy, by its path. */
function files(): Record<string, string> {
  const paths = readdirSync(copy, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('node_modules'));
  return Object.fromEntries(
    paths.map((file) => [file.slice(copy.length + 1), createHash('sha256').update(readFileSync(file)).digest('hex')]),
  );
}

function recognise(
  records: readonly object[],
  ...flags: string[]
): { readonly code: number | null; readonly out: string; readonly log: string } {
  const file = join(copy, 'records.json');
  writeFileSync(file, records.map((each) => JSON.stringify(each)).join('\n'));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(copy, 'dist/main.js'), 'recognise', file, '--json', '--data', join(copy, 'data'), ...flags],
    { encoding: 'utf8', env: cleanEnvironment(), cwd: copy },
  );
  rmSync(file);
  return { code: status, out: stdout, log: stderr };
}

const lines = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);

test('a new gateway is found by its file name, recognised among the others, and read', () => {
  const { code, out } = recognise([record, { ...record, kind: 'note' }]);
  expect(code).toBe(0);
  const [event, note] = lines(out);
  expect(event).toMatchObject({
    format: 'planted',
    event: {
      timestamp: '2026-11-24T11:00:00.123Z',
      gateway_kind: 'planted',
      source_format: 'planted',
      http_request_method: 'GET',
      url_path: '/v1/seeds/7',
      http_response_status_code: 401,
      outcome: 'auth_failure',
      client_address: '203.0.113.7',
      duration_ms: 46,
    },
  });
  expect(note).toMatchObject({ skipped: 'not a request: a note' });
});

test('its name is one of --format and of the messages that list the formats', () => {
  expect(lines(recognise([record], '--format', 'planted').out)[0]).toMatchObject({ format: 'planted' });
  expect(recognise([record], '--format', 'nonsense').log).toContain('planted');
  const unread = recognise([{ nothing: 'known' }]);
  expect(unread.code).toBe(3);
  expect(lines(unread.out)[0]).toMatchObject({ code: 'UNKNOWN_FORMAT' });
  expect(unread.out).toContain('planted');
});

test('npm run docs gives it a page and a row, and leaves the hand-written part of the others', () => {
  execFileSync(process.execPath, [join(copy, 'scripts/docs.mjs')]);
  const page = readFileSync(join(copy, 'docs/gateways/planted.md'), 'utf8');
  expect(page).toContain('Planted, a gateway of the tests. Durations are milliseconds.');
  expect(page).toContain('recognised by: text `planted_at`. Tried behind [');
  expect(page).toContain('- Neither consumer nor credential: ');
  expect(page).not.toContain('## Set-up');
  expect(readFileSync(join(copy, 'docs/gateways/README.md'), 'utf8')).toContain('| [planted](planted.md) | JSON | yes | yes | – |');
  const setUp = (folder: string) => readFileSync(join(folder, 'docs/gateways/kong.md'), 'utf8').split('## Set-up')[1];
  expect(setUp(copy)).toBe(setUp(root));
});

test('nothing else was touched but pages that name a neighbour in the order', () => {
  const after = files();
  const changed = Object.keys(after).filter((file) => after[file] !== before[file] && !file.includes('planted'));
  expect(Object.keys(before).filter((file) => after[file] === undefined)).toEqual([]);
  expect(changed.length).toBeLessThanOrEqual(3);
  expect(changed.filter((file) => !file.startsWith('docs/gateways/'))).toEqual([]);
});
