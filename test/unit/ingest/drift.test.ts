/** Recognition that is ordered, never looser after a reader failed, and counted where a gateway drifts or several formats match. */
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { deriveKey } from '../../../core/keys.ts';
import { createDriftWatch, type OnElement } from '../../../ingest/drift.ts';
import type { Gateway } from '../../../ingest/gateway.ts';
import { gatewayHeader, formatHeader, tenantHeader } from '../../../ingest/intake.ts';
import { createDecoder, loadGateways } from '../../../ingest/pipeline.ts';
import type { Source } from '../../../ingest/source.ts';

let gateways: ReadonlyMap<string, Gateway>;
beforeAll(async () => {
  gateways = await loadGateways();
});

const time = 1_795_518_005_000;
const kong = { request: { method: 'GET', uri: '/a' }, response: { status: 200 }, started_at: time, latencies: { request: 3 } };
const apisix = { request: { method: 'GET', uri: '/a' }, response: { status: 200 }, start_time: time, route_id: '7' };
const nginx = { time: '2026-11-24T11:00:05Z', remote_addr: '203.0.113.7', status: 200, request_method: 'GET', request_uri: '/a' };
/** A record of Kong whose time is none: and yet all that nginx-json asks for is there. */
const brokenKong = { ...kong, ...nginx, started_at: 'soon' };

let counted: string[];
let rows: unknown[];
let onElement: OnElement;
beforeEach(() => {
  counted = [];
  rows = [];
  onElement = createDriftWatch({
    drifted: (topic, expected, came) => void counted.push(`${topic}: ${expected}, then ${came}`),
    ambiguous: (topic, taken, other) => void counted.push(`${topic}: ${taken} or ${other}`),
  });
});

/** One decoder reads them all, as that of a process does. */
function reader({ sources = [], watch = onElement }: { sources?: readonly Source[]; watch?: OnElement | undefined } = {}) {
  const decoder = createDecoder({
    gateways,
    sources,
    defaultTenant: 'default',
    intakeTopic: 'in',
    allowedQueryKeys: new Set(),
    pseudonyms: deriveKey('s', 'pseudonyms'),
    credentials: deriveKey('s', 'credentials'),
    version: 'test',
    onElement: watch,
  });
  return (record: unknown, times = 1, { topic = 'edge', headers = {} }: { topic?: string; headers?: Record<string, string> } = {}) => {
    const value = Buffer.from(typeof record === 'string' ? record : JSON.stringify(record));
    for (let at = 0; at < times; at += 1)
      decoder.decode({ offset: at, timestamp: -1, value, headers }, topic, time, {
        event: (event) => void rows.push(event),
        rejected: ({ code, detectedFormat, path }) => void rows.push({ code, detectedFormat, path }),
        skipped: (_offset, _index, why) => void rows.push(why),
      });
  };
}

describe('drift', () => {
  test('is a record of another format after fifty that agree, and it is read all the same', () => {
    const read = reader();
    read(kong, 50);
    read(apisix);
    read(kong);
    read(nginx);
    expect(counted).toEqual(['edge: kong, then apisix', 'edge: kong, then nginx-json']);
    expect(rows.slice(50)).toMatchObject(['apisix', 'kong', 'nginx-json'].map((format) => ({ source_format: format })));
  });

  test('is none after forty-nine, nor where they did not agree', () => {
    const read = reader();
    read(kong, 49);
    read(apisix);
    read(kong, 49);
    read(apisix);
    expect(counted).toEqual([]);
  });

  test('counts the records of a batch one by one', () => {
    const read = reader();
    read(Array.from({ length: 50 }, () => apisix));
    read([kong, apisix, kong]);
    expect(counted).toEqual(['edge: apisix, then kong', 'edge: apisix, then kong']);
  });

  test('counts a record too that its own reader then refuses, but none that no format recognises', () => {
    const read = reader();
    read(apisix, 50);
    read(brokenKong);
    read({ hello: 1 });
    read('{"a":');
    expect(counted[0]).toBe('edge: apisix, then kong');
    expect(counted.filter((line) => line.includes('then'))).toHaveLength(1);
  });

  test('is of a gateway, not of its topic, where gateways are named; and of each topic by itself', () => {
    const read = reader();
    const named = (name: string) => ({ topic: 'in', headers: { [tenantHeader]: 'default', [gatewayHeader]: name } });
    read(kong, 50, named('one'));
    read(apisix, 50, named('two'));
    read(nginx, 50, { topic: 'other' });
    expect(counted).toEqual([]);
    read(apisix, 1, named('one'));
    expect(counted).toEqual(['in: kong, then apisix']);
  });

  test('is none of posts that name no gateway, nor where the format is given', () => {
    const read = reader({ sources: [{ topic: 'pinned', format: 'kong' }] });
    for (const record of [kong, apisix]) {
      read(record, 60, { topic: 'in', headers: { [tenantHeader]: 'default' } });
      read(record, 60, {
        topic: 'in',
        headers: { [tenantHeader]: 'default', [gatewayHeader]: 'one', [formatHeader]: record === kong ? 'kong' : 'apisix' },
      });
      read(record, 60, { topic: 'pinned' });
    }
    expect(counted).toEqual([]);
  });

  test('changes no row: with the watch and without, after whatever came before, a record is read the same', () => {
    const read = reader();
    read(kong, 60);
    rows = [];
    for (const record of [apisix, brokenKong, nginx, { hello: 1 }]) read(record);
    const watched = rows;
    rows = [];
    const plain = reader({ watch: undefined });
    for (const record of [apisix, brokenKong, nginx, { hello: 1 }]) plain(record);
    expect(watched).toEqual(rows);
    expect(rows).toHaveLength(4);
  });
});

describe('recognition', () => {
  test('takes the lower order where two formats match, and the case is counted', () => {
    reader()({ ...kong, ...apisix });
    expect(rows).toMatchObject([{ source_format: 'kong' }]);
    expect(counted).toEqual(['edge: kong or apisix']);
  });

  test('looks for others until a format is expected, and then at what is not of it', () => {
    const read = reader();
    read({ ...kong, ...apisix }, 60);
    expect(counted).toHaveLength(50);
    counted = [];
    read({ ...apisix, ...nginx });
    expect(counted).toEqual(['edge: kong, then apisix', 'edge: apisix or nginx-json']);
  });

  test('never tries a looser format after the typed one failed', () => {
    reader()(nginx);
    expect(rows).toMatchObject([{ source_format: 'nginx-json' }]);
    rows = [];
    reader()(brokenKong);
    reader({ sources: [{ topic: 'edge', format: 'kong' }] })(nginx);
    expect(rows).toEqual(['BAD_TIME', 'MISSING_TIME'].map((code) => ({ code, detectedFormat: 'kong', path: '$.started_at' })));
  });

  test('says what a record was recognised by, and of a given format that it was given', () => {
    const seen: string[] = [];
    const watch: OnElement = ({ format, test: why }) => void seen.push(`${format}: ${why}`);
    reader({ watch })(apisix);
    reader({ watch, sources: [{ topic: 'edge', format: 'kong' }] })(apisix);
    reader({ watch })({ hello: 1 });
    expect(seen).toEqual([
      `apisix: ${gateways.get('apisix')?.json?.test}`,
      `kong: nothing: the format is given, its own test does not match (${gateways.get('kong')?.json?.test})`,
      ': ',
    ]);
  });

  test('of an element beyond its size names the format of that element, not of the one before', () => {
    const read = reader();
    read(kong);
    read([{ x: 'y'.repeat(1024 * 1024 + 1) }, kong]);
    expect(rows[1]).toMatchObject({ code: 'TOO_LARGE', detectedFormat: '' });
  });
});
