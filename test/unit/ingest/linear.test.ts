/** Hostile lines and texts: ten times as long may take ten times as long, never a hundred times. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { emptyEvent } from '../../../schemas/event.ts';
import type { Gateway, TextFormat } from '../../../ingest/gateway.ts';
import { loadGateways } from '../../../ingest/pipeline.ts';
import { createRecognisers } from '../../../ingest/recognise.ts';
import { redactPath, redactQuery, redactRoute } from '../../../ingest/redact-url.ts';
import { redactText, unescaped } from '../../../ingest/secrets.ts';
import { unwrap } from '../../../ingest/unwrap.ts';
import { withoutAnyPrefix } from '../../../ingest/wrappers.ts';
import { leastCpuMs } from '../../support/cpu.ts';

/** The pumps of which tenfold length costs far more than tenfold. What is quick is no fault. */
function faults(pumps: readonly string[], make: (pump: string) => string, work: (text: string) => unknown): string[] {
  return pumps.filter((pump) => {
    const [short, long] = [2_500, 25_000].map((length) => make(pump.repeat(Math.ceil(length / pump.length)).slice(0, length)));
    const spent = leastCpuMs(() => work(long ?? ''));
    return (
      spent > 25 &&
      spent >
        40 *
          Math.max(
            0.5,
            leastCpuMs(() => work(short ?? '')),
          )
    );
  });
}

const signs = [
  ' ',
  '"',
  '[',
  ']',
  '-',
  '/',
  '//',
  '\\',
  '\\"',
  '%25',
  '=',
  '&',
  ';',
  '@',
  '+',
  '?',
  '?a',
  'a',
  'A1',
  '1',
  '1 ',
  '4111 ',
  '.',
];
const words = [
  'eyJ',
  'eyJa.',
  'SG.',
  'sk-abc-',
  'Bearer ',
  'Basic+',
  'password=',
  '"token":"',
  'key\\"',
  'cookie',
  '-----BEGIN ',
  'AKIA',
  'aB3-',
  '12345678:',
  '{a',
  '<a',
  ':a',
];
const ends = ['', '\u2028', '"', '!'];

describe('redaction', () => {
  test.each([
    ['texts', redactText],
    ['percent signs', unescaped],
    ['paths', (text: string) => redactPath(text, new Set())],
    ['routes', (text: string) => redactRoute(text, new Set())],
    ['queries', (text: string) => redactQuery(text, new Set(['a']))],
  ])('of %s', (_, work) => {
    for (const end of ends) expect(faults([...signs, ...words], (pump) => `x${pump}${end}`, work)).toEqual([]);
  });
});

const folder = join(import.meta.dirname, '../../fixtures/gateways');
let gateways: ReadonlyMap<string, Gateway>;
beforeAll(async () => {
  gateways = await loadGateways();
});

describe('lines', () => {
  const formats = readdirSync(folder).flatMap((format) => {
    const lines = readdirSync(join(folder, format)).flatMap((file) => {
      const { message } = JSON.parse(readFileSync(join(folder, format, file), 'utf8')) as { message: unknown };
      return typeof message === 'string'
        ? message.split('\n').filter((line) => line.length > 60 && line[0] !== '{' && line[0] !== '#')
        : [];
    });
    return lines[0] === undefined ? [] : [{ format, line: lines[0] }];
  });

  /** Sign by sign and by parts of the line itself, in the middle of it and at its end. */
  const pumpsOf = (line: string) => [...signs, ' [] "" - - "" "".', ' - x [x', line.slice(0, 40), line.slice(-40), line];

  test.each(formats)('of $format', ({ format, line }) => {
    const text = gateways.get(format)?.text;
    if (text === undefined) return;
    for (const cut of [0, 0.3, 0.6, 1])
      for (const end of ['', '\u2028']) {
        const at = Math.floor(line.length * cut);
        expect(
          faults(
            pumpsOf(line),
            (pump) => line.slice(0, at) + pump + line.slice(at) + end,
            (hostile) => read(text, hostile),
          ),
          `${cut}${end}`,
        ).toEqual([]);
      }
  });

  test('that may be an array of JSON', () => {
    const recogniser = createRecognisers(gateways)(undefined);
    const open = (text: string) => unwrap(Buffer.from(text), { recogniser, columns: [], attributes: {} });
    for (const head of ['[', '[1', '[1]', '[1.5e'])
      expect(faults(['1', ' ', '1.', '1 ', '] ', ',', '-1e1'], (pump) => `${head + pump}x`, open)).toEqual([]);
  });

  test('without what a shipper puts in front', () => {
    for (const head of [
      '<34>1 2026-11-24T10:00:00Z host app - - ',
      '<34>Nov 24 10:00:00 host app[1]: ',
      '2026-11-24T10:00:00Z stdout F ',
      '<34>2026-11-24T10:00:00.123456+00:00 host ',
    ])
      expect(faults([...signs, '[a b="c"]', '[a b="\\"'], (pump) => head + pump, withoutAnyPrefix)).toEqual([]);
  });
});

function read(text: TextFormat, line: string): void {
  const source = { timeZone: 'UTC', columns: [], isTrusted: null, hashKey: (raw: string) => raw };
  try {
    if (text.recognises(line)) text.skips(line);
    text.read(line, emptyEvent(), source);
  } catch {
    // a dead letter is quick as well
  }
}
