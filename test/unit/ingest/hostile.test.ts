/** Records that were made to hurt: each here once ended the process, took minutes, or took all of its memory. */
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { deriveKey } from '../../../core/keys.ts';
import { remembered } from '../../../core/remembered.ts';
import { createDecoder, loadGateways } from '../../../ingest/pipeline.ts';
import { finite, goMillis, millisFromSeconds } from '../../../ingest/times.ts';
import { readReferer } from '../../../ingest/headers.ts';
import { type CanonicalEvent, emptyEvent } from '../../../schemas/event.ts';
import { seeded } from '../../support/campaign.ts';
import { rssOf } from '../../support/memory.ts';

const mebibyte = 1024 * 1024;
let gateways: Awaited<ReturnType<typeof loadGateways>>;
beforeAll(async () => {
  gateways = await loadGateways();
});

type Seen = { readonly code: string; readonly message: string; readonly bytes: number } | CanonicalEvent | string;

function decode(value: string | Buffer, format?: string): Seen[] {
  const seen: Seen[] = [];
  const decoder = createDecoder({
    gateways,
    sources: [{ topic: 'gw', format }],
    defaultTenant: 'default',
    intakeTopic: 'in',
    allowedQueryKeys: new Set(),
    pseudonyms: deriveKey('a secret of the tests', 'pseudonyms'),
    credentials: deriveKey('a secret of the tests', 'credentials'),
    version: 'test',
  });
  decoder.decode({ offset: 0, timestamp: -1, value: Buffer.from(value), headers: {} }, 'gw', Date.parse('2026-11-24T12:00:00Z'), {
    event: (event) => void seen.push({ ...event }),
    rejected: ({ code, message, bytes }) => void seen.push({ code, message, bytes }),
    skipped: (_offset, _index, why) => void seen.push(why),
  });
  return seen;
}

const codes = (seen: readonly Seen[]) => seen.map((each) => (typeof each === 'string' ? 'skipped' : 'code' in each ? each.code : 'event'));
const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const record = (rest: object = {}) =>
  JSON.stringify({ timestamp: '2026-11-24T11:00:00Z', gateway_kind: 'mesh', http_request_method: 'GET', url_path: '/a', ...rest });

describe('an element that cannot be written again', () => {
  test('because it is nested too deep is one dead letter, with the size of the message', () => {
    const message = `[${nested(50_000)},${record()}]`;
    const [deep, event] = decode(message);
    expect(deep).toMatchObject({ code: 'TOO_DEEP', bytes: message.length });
    expect(event).toMatchObject({ url_path: '/a' });
  });

  test.each([
    [999, ['UNKNOWN_FORMAT', 'UNKNOWN_FORMAT']],
    [1_001, ['TOO_DEEP', 'TOO_DEEP']],
    [5_000, ['TOO_DEEP', 'TOO_DEEP']],
  ])('nested %i deep depends on nothing but itself', (depth, expected) => {
    expect(codes(decode(`[${nested(depth)},${nested(depth)}]`))).toEqual(expected);
    const fromDeepDown = (frames: number): string[] =>
      frames === 0 ? codes(decode(`[${nested(depth)},${nested(depth)}]`)) : fromDeepDown(frames - 1);
    expect(fromDeepDown(2_000)).toEqual(expected);
  });

  test('because there is none is one dead letter: entries of CloudWatch without a message', () => {
    const message = JSON.stringify({
      messageType: 'DATA_MESSAGE',
      logEvents: [{ id: '1' }, { id: '2', message: null }, { message: record() }],
    });
    expect(codes(decode(message))).toEqual(['UNKNOWN_FORMAT', 'UNKNOWN_FORMAT', 'event']);
  });

  test('a list of forwarded addresses that is nested deep is no list', () => {
    const list = `${'['.repeat(30_000)}"203.0.113.9"${']'.repeat(30_000)}`;
    const kong = `{"started_at":1795518000123,"client_ip":"203.0.113.7","latencies":{},"response":{"status":200},"request":{"method":"GET","uri":"/","headers":{"x-forwarded-for":["198.51.100.9",${list},{"toString":1},"192.0.2.1"]}}}`;
    expect(decode(kong)).toMatchObject([{ forwarded_for: '198.51.100.9, 192.0.2.1' }]);
  });
});

describe('limits', () => {
  test('an element that was opened from gzip is no larger than any other', () => {
    const padded = record({ x: 'y'.repeat(mebibyte) });
    expect(codes(decode(padded))).toEqual(['TOO_LARGE']);
    expect(codes(decode(gzipSync(padded + ' '.repeat(10), { level: 0 })))).toEqual(['TOO_LARGE']);
    const random = seeded(1);
    const noise = Buffer.from(Array.from({ length: 20_000 }, () => random() * 256)).toString('base64');
    const small = gzipSync(record({ x: 'y'.repeat(mebibyte), noise }));
    expect(small.length).toBeLessThan(mebibyte / 8);
    expect(codes(decode(small))).toEqual(['TOO_LARGE']);
  });

  test('a line of more than 1 MiB is compared with no pattern', () => {
    expect(codes(decode(`203.0.113.7 - - [${'x'.repeat(2 * mebibyte)}`))).toEqual(['TOO_LARGE']);
    expect(codes(decode(`<13>1 a b c d e ${'['.repeat(2 * mebibyte)}`))).toEqual(['TOO_LARGE']);
    expect(codes(decode(JSON.stringify({ message: `203.0.113.7 - - [${'x'.repeat(2 * mebibyte)}` })))).toEqual(['TOO_LARGE']);
  });

  test.each([
    ['a list of objects', `{"a":[${'{},'.repeat(5_000_000)}0]}`],
    ['lists that are never closed', '['.repeat(5_000_000)],
  ])('%s whose parsed form would take hundreds of megabytes is refused before it is parsed', (_, message) => {
    const before = rssOf(process.pid);
    expect(decode(message)).toMatchObject([{ code: 'TOO_LARGE', message: expect.stringContaining('4000000 JSON values') }]);
    expect(rssOf(process.pid) - before).toBeLessThan(150 * mebibyte);
  });

  test('a message of ten thousand ordinary records is far below it', () => {
    const records = Array.from({ length: 10_000 }, () =>
      record({ attributes: Object.fromEntries(Array.from({ length: 40 }, (_each, at) => [`k${at}`, 'v'])) }),
    );
    expect(new Set(codes(decode(`[${records.join(',')}]`)))).toEqual(new Set(['event']));
  });

  test('empty lines without end are passed over, and the record behind them is read', () => {
    const message = `${'\n'.repeat(15 * mebibyte)}${record()}\n\r\n \n${record()}`;
    const before = rssOf(process.pid);
    expect(codes(decode(message))).toEqual(['event', 'event']);
    expect(rssOf(process.pid) - before).toBeLessThan(100 * mebibyte);
  });
});

describe('numbers beyond all numbers are absent', () => {
  test('durations', () => {
    expect([goMillis(`${'9'.repeat(400)}h`), goMillis('1h'), millisFromSeconds(1e305), millisFromSeconds(2), finite(Infinity)]).toEqual([
      null,
      3_600_000,
      null,
      2_000,
      null,
    ]);
  });

  test('sizes that no counter holds', () => {
    const line = (bytes: string) => `203.0.113.7 - - [24/Nov/2026:11:00:00 +0000] "GET /a HTTP/1.1" 200 ${bytes} "-" "x"`;
    const sizes = ['512', '99999999999999999999', '9'.repeat(400)].map((bytes) => decode(line(bytes), 'combined')[0]);
    expect(sizes).toMatchObject([{ http_response_body_size: 512 }, { http_response_body_size: null }, { http_response_body_size: null }]);
  });
});

describe('memory', () => {
  test('what is remembered of a text does not keep the message that it was cut from', () => {
    const lower = remembered((text) => text.toLowerCase(), 4_000);
    globalThis.gc?.();
    const before = rssOf(process.pid);
    for (let n = 0; n < 400; n += 1) {
      const message = `${'x'.repeat(mebibyte)} Somebody With A Name ${n}`;
      lower(message.slice(mebibyte + 1));
    }
    globalThis.gc?.();
    expect(rssOf(process.pid) - before).toBeLessThan(250 * mebibyte);
  });
});

describe('hosts', () => {
  test('of a referer are read in time whatever letters it has', () => {
    const event = emptyEvent();
    const from = process.cpuUsage();
    const host = String.fromCharCode(...Array.from({ length: 60_000 }, (_, at) => 0x4e00 + (at % 20_000)));
    for (let n = 0; n < 5; n += 1) readReferer(`https://${host}/`, event);
    expect(process.cpuUsage(from).user / 1_000).toBeLessThan(500);
    readReferer(`https://shop.example.com/cart?token=x${'y'.repeat(100_000)}`, event);
    expect(event.attributes).toEqual({ referer_host: 'shop.example.com' });
  });
});
