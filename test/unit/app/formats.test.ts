/** Formats of the configuration: what a description may say, what its sample must show, and that every fault is told with its place. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { afterAll, describe, expect, test } from 'vitest';
import { describeFault, loadConfig } from '../../../app/config.ts';
import { root } from '../../support/sources.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-formats-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Description = Readonly<Record<string, unknown>>;

const faultsOf = (formats: readonly Description[], more: object = {}) => faultsIn(stringify({ formats, ...more }));

function faultsIn(file: string): string[] {
  writeFileSync(join(folder, 'gatetrail.yaml'), file);
  return loadConfig({ flags: {}, env: {}, cwd: folder }).faults.map(describeFault);
}

const json = {
  name: 'edge',
  gateway: 'apisix',
  fields: { timestamp: { path: 'ended', is: 'end' }, http_request_method: 'do', duration_ms: { path: 'took', unit: 's' } },
  sample: { ended: '2026-11-24T11:00:05Z', do: 'GET', took: '0.132' },
};
const lines = {
  name: 'lines',
  gateway: 'nginx',
  pattern: String.raw`(?P<timestamp>\S+) (?P<http_request_method>[A-Z]+) (?P<where>\S+) (?P<took>[\d.]+)`,
  fields: { url_path: 'where', duration_ms: { path: 'took', unit: 's' } },
  sample: '2026-11-24T11:00:05Z GET /a?page=2 0.132',
};
const other = {
  name: 'orders',
  like: 'pino-http',
  keys: { req: 'request', res: 'response' },
  sample: { level: 30, time: 1795518005132, request: { method: 'GET', url: '/' }, response: { statusCode: 200 }, responseTime: 12 },
};

describe('a format of the configuration', () => {
  test.each([
    ['maps the fields of JSON', json, { timestamp: '2026-11-24T11:00:04.868Z', duration_ms: 132, gateway_kind: 'apisix' }],
    ['names the groups of a pattern', lines, { url_path: '/a', url_query: 'page=REDACTED', duration_ms: 132, source_format: 'lines' }],
    ['is a built-in one under other keys', other, { http_response_status_code: 200, gateway_kind: 'express' }],
  ])('%s, and its sample gives what is expected', (_, format, expected) => {
    expect(faultsOf([{ ...format, expect: expected }])).toEqual([]);
  });

  test('takes its sample as an object or as the text that was logged', () => {
    expect(faultsOf([{ ...json, sample: JSON.stringify(json.sample), expect: { duration_ms: 132, url_path: null } }])).toEqual([]);
  });

  test('is one that a source may name, as are the built-in ones', () => {
    const sources = ['edge', 'kong', 'auto'].map((format) => ({ topic: format, format }));
    expect(faultsOf([json], { sources })).toEqual([]);
    expect(faultsOf([json], { sources: [{ topic: 'a', format: 'egde' }] })).toEqual([
      expect.stringMatching(/^sources\.0\.format: expected auto or a format: apisix, .*, edge, got "egde"$/),
    ]);
  });
});

test('the example of README is good as it stands', () => {
  const example = /```yaml\n(formats:\n[^`]*)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1];
  expect(example).toContain('sample:');
  expect(faultsIn(example ?? '')).toEqual([]);
});

describe('the sample', () => {
  test('that is read otherwise than expected says format, field, expected and came, at the line of the file', () => {
    const faults = faultsOf([
      { ...json, expect: { duration_ms: 0.132, http_request_method: 'POST', timestamp: '2026-11-24T11:00:04.868000Z' } },
    ]);
    expect(faults).toEqual([
      expect.stringMatching(/^gatetrail\.yaml:\d+: formats\.0\.expect\.duration_ms: format edge: expected 0\.132 of the sample, got 132$/),
      expect.stringMatching(/formats\.0\.expect\.http_request_method: format edge: expected "POST" of the sample, got "GET"$/),
    ]);
  });

  test.each([
    ['without its time', json, { do: 'GET' }, 'got MISSING_TIME at $.ended'],
    ['with a time that is none', json, { ended: 'soon', do: 'GET' }, 'got BAD_TIME at $.ended'],
    ['with neither method nor status', json, { ended: '2026-11-24T11:00:05Z' }, 'got neither'],
    ['of another line', lines, 'GET /a', 'got BAD_FIELD at $: expected a line that the pattern'],
    ['with more behind the line', lines, `${lines.sample} -`, 'got BAD_FIELD at $'],
    ['that is no request', other, { ...other.sample, response: undefined }, 'got a record that is skipped, not a request'],
    ['of which one record is bad', json, JSON.stringify([json.sample, {}]), 'got MISSING_TIME'],
  ])('%s is refused', (_, format, sample, came) => {
    const [fault, ...more] = faultsOf([{ ...format, sample }]);
    expect(more).toEqual([]);
    expect(fault).toMatch(new RegExp(`formats\\.0\\.sample: format ${format.name}: expected`));
    expect(fault).toContain(came);
  });

  test('must be there', () => {
    expect(faultsOf([{ ...json, sample: undefined }])).toEqual([
      expect.stringMatching(/formats\.0\.sample: expected a record, as an object or as its text, got nothing$/),
    ]);
  });
});

describe('a description', () => {
  const refused: readonly (readonly [string, Description, string, string])[] = [
    ['under the name of a built-in format', { ...json, name: 'kong' }, 'name', 'of a format that is built in, got "kong"'],
    ['with a name that no address can hold', { ...json, name: 'my format' }, 'name', 'expected a name of letters'],
    ['without a gateway', { ...json, gateway: undefined }, 'gateway', 'expected the kind of the gateway'],
    ['without a layout', { ...json, fields: undefined }, '', 'expected fields (of JSON), a pattern (of lines), or like and keys'],
    ['without the time', { ...json, fields: { http_request_method: 'do' } }, 'fields', 'expected timestamp among the fields'],
    ['without any field', { ...json, fields: {} }, 'fields', 'expected timestamp among the fields'],
    ['of lines without any group', { ...lines, pattern: '.*', fields: undefined }, 'pattern', 'expected timestamp among the fields'],
    [
      'with a unit on a size',
      { ...json, fields: { ...json.fields, http_request_size: { unit: 's' } } },
      'fields.http_request_size',
      'on durations alone',
    ],
    [
      'with an end of a method',
      { ...json, fields: { ...json.fields, http_request_method: { is: 'end' } } },
      'fields.http_request_method',
      'on timestamp alone',
    ],
    [
      'with a unit that is none',
      { ...json, fields: { ...json.fields, duration_ms: { unit: 'min' } } },
      'fields.duration_ms',
      'unit (ns, us, ms, s)',
    ],
    ['with a setting that is none', { ...json, regex: 'x' }, 'regex', 'no setting has this name'],
    ['with keys and no format', { ...json, keys: { a: 'b' } }, 'keys', 'expected like beside it'],
    ['like a format of lines', { ...other, like: 'combined' }, 'like', 'expected one of apisix'],
    ['like one whose documents hold many records', { ...other, like: 'otlp' }, 'like', 'expected one of apisix'],
    ['like none', { ...other, like: 'nginx' }, 'like', 'got "nginx"'],
    ['like another, without keys', { ...other, keys: undefined }, 'keys', 'expected the keys that have other names'],
    ['like another, with fields', { ...other, fields: json.fields }, 'fields', 'expected no fields beside like'],
    ['with a group that nothing reads', { ...lines, fields: { url_path: 'where' } }, 'pattern', 'got took'],
    [
      'with a field of no group',
      { ...lines, fields: { ...lines.fields, request_id: 'rid' } },
      'fields.request_id',
      'expected a group of the pattern: timestamp',
    ],
    [
      'with look-ahead',
      { ...lines, pattern: '(?=a)a' },
      'pattern',
      'without look-around and back-references: invalid or unsupported Perl syntax: `(?=`',
    ],
    ['with look-behind', { ...lines, pattern: '(?<!a)a' }, 'pattern', 'without look-around'],
    ['with a back-reference', { ...lines, pattern: String.raw`(a)\1` }, 'pattern', 'and back-references'],
    ['with a bracket that closes ours', { ...lines, pattern: 'a)|(b' }, 'pattern', 'unexpected'],
  ];
  test.each(refused)('%s is refused', (_, format, path, message) => {
    const faults = faultsOf([format]);
    expect(faults.join('\n')).toContain(message);
    expect(faults.some((fault) => fault.includes(`formats.0${path === '' ? '' : `.${path}`}: `))).toBe(true);
  });

  test.each(['subject', 'tenant', 'source_format', 'gateway_kind', 'outcome', 'lifecycle', 'client_country', 'received_at', 'method'])(
    'that maps %s is refused: it is no field, or never taken from a record',
    (field) => {
      expect(faultsOf([{ ...json, fields: { ...json.fields, [field]: 'x' } }])).toEqual([
        expect.stringMatching(new RegExp(`formats\\.0\\.fields\\.${field}: format edge: expected one of url_path, .*, got ${field}$`)),
      ]);
    },
  );

  test('tells all of its faults at once, beside those of others', () => {
    const faults = faultsOf(
      [
        { ...json, gateway: undefined, fields: { tenant: 'x' } },
        { ...lines, pattern: '(' },
        { ...json, name: 'edge' },
      ],
      { tenant: 7 },
    );
    for (const place of [
      'tenant',
      'formats.0.gateway',
      'formats.0.fields.tenant',
      'formats.0.fields',
      'formats.1.pattern',
      'formats.2.name',
    ])
      expect(
        faults.some((fault) => fault.includes(`${place}: `)),
        place,
      ).toBe(true);
  });
});
