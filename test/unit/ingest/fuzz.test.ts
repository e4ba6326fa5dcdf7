/** Malformed messages through the decoder alone: whatever comes, each element is read, refused with a reason, or passed over with one. */
import { beforeAll, describe, expect, test } from 'vitest';
import { catalogue } from '../../../core/errors.ts';
import { deriveKey } from '../../../core/keys.ts';
import type { Decoder } from '../../../ingest/decoder.ts';
import { createDecoder, loadGateways } from '../../../ingest/pipeline.ts';
import { type CanonicalEvent, emptyEvent } from '../../../schemas/event.ts';
import { fuzzer, fuzzWays, plain } from '../../support/fuzz.ts';

const messages = 2_000;
const ofEachWay = 3;
const receivedAt = Date.parse('2026-11-24T12:00:00Z');

let gateways: Awaited<ReturnType<typeof loadGateways>>;
beforeAll(async () => {
  gateways = await loadGateways();
});

const makeDecoder = (): Decoder =>
  createDecoder({
    gateways,
    sources: [],
    defaultTenant: 'default',
    intakeTopic: 'in',
    allowedQueryKeys: new Set(['page']),
    pseudonyms: deriveKey('a secret of the tests', 'pseudonyms'),
    credentials: deriveKey('a secret of the tests', 'credentials'),
    version: 'test',
  });

/** One line for each element, in their order. */
function outcomes(decoder: Decoder, value: Buffer): string[] {
  const lines: string[] = [];
  const add = (index: number, line: string) => {
    if (index !== lines.length) throw new Error(`element ${lines.length} has the index ${index}`);
    lines.push(line);
  };
  decoder.decode({ offset: 7, timestamp: -1, value, headers: {} }, 'gw', receivedAt, {
    event: (event, _, index) => add(index, `event ${faultOf(event)}${JSON.stringify(event)}`),
    rejected: ({ index, code, message, path, excerpt }) => add(index, `${code} ${path} ${message} ${excerpt.length}`),
    skipped: (_, index, why) => add(index, `skipped ${why}`),
  });
  return lines;
}

const fields = Object.keys(emptyEvent()).join();

/** What the store could not hold as it stands, '' for an event as it must be. */
function faultOf(event: CanonicalEvent): string {
  const { signals: _, attributes, ...rest } = event;
  if (Object.keys(event).join() !== fields) return 'FAULT: other fields ';
  for (const [name, value] of Object.entries(rest)) {
    if (typeof value === 'number' && !Number.isFinite(value)) return `FAULT: ${name} is ${value} `;
    if (typeof value === 'number' && /size|status|attempts|timestamp/.test(name) && !Number.isSafeInteger(value))
      return `FAULT: ${name} is ${value} `;
    if (typeof value === 'string' && value.length > 8_192) return `FAULT: ${name} has ${value.length} `;
  }
  const isText = Object.entries(attributes).every(([name, value]) => typeof value === 'string' && name.length < 8_192);
  return isText ? '' : 'FAULT: attributes ';
}

const known = new RegExp(`^(event \\{|skipped \\S|(${Object.keys(catalogue).join('|')}) )`);

describe('a malformed message', () => {
  const prototype = Object.getOwnPropertyNames(Object.prototype).toSorted();

  test.each(fuzzWays)('with %s is an event, a dead letter of the catalogue or passed over', { timeout: 60_000 }, (way) => {
    const decoder = makeDecoder();
    const make = fuzzer(1, way);
    for (let n = 0; n < ofEachWay; n += 1) {
      const from = process.cpuUsage();
      for (const line of outcomes(decoder, make(n).value)) expect(line).toMatch(known);
      const { user } = process.cpuUsage(from);
      expect(user / 1_000).toBeLessThan(5_000);
    }
  });

  test('comes out the same whatever came before it, and leaves nothing behind', { timeout: 60_000 }, () => {
    const make = fuzzer(2);
    const [forth, back] = [makeDecoder(), makeDecoder()];
    const first: string[][] = [];
    for (let n = 0; n < messages; n += 1) first.push(outcomes(forth, make(n).value));
    for (let n = messages - 1; n >= 0; n -= 1) expect(outcomes(back, make(n).value)).toEqual(first[n]);
    expect(first.flat().filter((line) => !known.test(line))).toEqual([]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype).toSorted()).toEqual(prototype);
  });

  test('is one of many kinds: most are still opened, and the usual reasons are met', { timeout: 60_000 }, () => {
    const decoder = makeDecoder();
    const make = fuzzer(3);
    const met = new Map<string, number>();
    for (let n = 0; n < messages; n += 1) {
      for (const line of outcomes(decoder, make(n).value)) {
        const [word = ''] = line.split(' ');
        met.set(word, (met.get(word) ?? 0) + 1);
      }
    }
    expect([...met.keys()]).toEqual(
      expect.arrayContaining([
        'event',
        'skipped',
        'UNKNOWN_FORMAT',
        'BAD_JSON',
        'BAD_ENCODING',
        'BAD_TIME',
        'MISSING_TIME',
        'TOO_DEEP',
        'SCHEMA_REGISTRY_UNSUPPORTED',
      ]),
    );
    expect(met.get('event')).toBeGreaterThan(messages / 5);
  });
});

describe('the generator', () => {
  test('makes message n again from the seed alone', { timeout: 60_000 }, () => {
    const once = Array.from({ length: 300 }, (_, n) => fuzzer(5)(n));
    const again = fuzzer(5);
    for (let n = 299; n >= 0; n -= 1) expect(again(n)).toEqual(once[n]);
    expect(fuzzer(6)(0).value.equals(fuzzer(5)(0).value)).toBe(false);
  });

  test('goes each way within 20,000 messages', { timeout: 60_000 }, () => {
    const make = fuzzer(1);
    const gone = new Set(Array.from({ length: 20_000 }, (_, n) => make(n).ways.split(', ')).flat());
    expect([...gone].toSorted()).toEqual(fuzzWays.toSorted());
  });

  test('takes its plain records from the fixtures, which are read', () => {
    const decoder = makeDecoder();
    const lines = Array.from({ length: 300 }, (_, n) => outcomes(decoder, plain(n))).flat();
    expect(lines.filter((line) => line.startsWith('event')).length).toBeGreaterThan(300);
  });
});
