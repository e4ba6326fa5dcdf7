/** A batch is counted whole, is a pure function of its messages, and is never more than one part takes. */
import { describe, expect, test } from 'vitest';
import { createBatchMaker, maxBlockBytes, maxBlockRows, sha256Of, storeRefused } from '../../../ingest/batch.ts';
import type { Decoder } from '../../../ingest/decoder.ts';
import { emptyEvent } from '../../../schemas/event.ts';
import { keyOf, lineDecoder, messages, rangeOf, sha256 } from '../../support/writer.ts';

const key = keyOf();
const at = 1_790_000_000_000;
const make = (values: readonly string[], decoder: Decoder = lineDecoder()) => createBatchMaker(decoder).make(key, rangeOf(0, values), at);

describe('a batch', () => {
  test('counts every record as an event, rejected or skipped', () => {
    expect(make(['/a', 'e3', 'bad', 'skip', 'bad']).counts).toMatchObject({
      firstOffset: 0,
      lastOffset: 4,
      messages: 5,
      records: 7,
      events: 4,
      rejected: 2,
      skipped: 1,
      receivedAt: at,
      minTimestamp: at * 1000 - 1_000_000,
      maxTimestamp: at * 1000 - 1_000_000,
      normaliser: 'test',
    });
  });

  test('names its last message, where the range ends with one', () => {
    const batch = make(['/a', '/b']);
    expect(batch.counts).toMatchObject({ lastSha256: sha256('/b'), lastTimestamp: 1_700_000_000_001 });
    const holed = createBatchMaker(lineDecoder()).make(key, { ...rangeOf(0, ['/a', '/b']), lastOffset: 5, gapReason: 'COMPACTION' }, at);
    expect(holed.counts).toMatchObject({ lastOffset: 5, messages: 2, gapReason: 'COMPACTION', lastSha256: '' });
    expect(sha256Of({ offset: 0, timestamp: 0, value: null, headers: {} })).toBe(sha256(''));
  });

  test('is the same block from the same messages, also after another batch had its buffers', () => {
    const maker = createBatchMaker(lineDecoder());
    const first = maker.make(key, rangeOf(0, ['/a', 'e3', 'bad']), at);
    const bytes = first.encode(0);
    first.free();
    maker.make(key, rangeOf(7, ['e50']), at + 1).free();
    const again = maker.make(key, rangeOf(0, ['/a', 'e3', 'bad']), at);
    expect(again.encode(0).equals(bytes)).toBe(true);
    expect(again.encode(1).equals(bytes)).toBe(false);
  });

  test('turns what the database refused into dead letters, at exactly these positions', () => {
    const batch = createBatchMaker(lineDecoder()).make(key, rangeOf(0, ['e3', '/b']), at, storeRefused(new Set(['0/1'])));
    expect(batch.counts).toMatchObject({ records: 4, events: 3, rejected: 1 });
    expect(batch.deadLetters).toMatchObject([{ offset: 0, index: 1, code: 'STORE_REFUSED', tenant: 't0' }]);
  });

  test('keeps size, digest and shape of what the database refused, as of every dead letter', () => {
    const telling: Decoder = {
      normaliser: 'telling',
      decode(message, topic, receivedAt, sink) {
        for (const index of [0, 1]) sink.element?.(message.offset, index, Buffer.from(`{"at":${index}}`));
        lineDecoder().decode(message, topic, receivedAt, sink);
      },
    };
    const batch = createBatchMaker(telling).make(key, rangeOf(0, ['/b']), at, storeRefused(new Set(['0/0'])));
    expect(batch.deadLetters).toMatchObject([{ bytes: 8, sha256: sha256('{"at":1}'), excerpt: '{"xx":0}' }]);
    const [unknown] = createBatchMaker(lineDecoder()).make(key, rangeOf(0, ['/b']), at, storeRefused(new Set(['0/0']))).deadLetters;
    expect(unknown).toMatchObject({ bytes: 0, sha256: '', excerpt: '' });
  });

  test('that grows tells its rows and the length of its texts', () => {
    const open = createBatchMaker(lineDecoder()).open(key, at);
    for (const message of messages(0, ['/abc', 'bad'])) open.add(message);
    expect(open.rows).toBe(2);
    expect(open.textLength).toBe('/abc'.length + 't0'.length);
  });
});

describe('one block', () => {
  /** `wN`: N events with a text of 8 KiB. */
  const wide: Decoder = {
    normaliser: 'wide',
    decode({ offset, value }, _topic, receivedAt, sink) {
      const event = { ...emptyEvent(), timestamp: receivedAt * 1000, url_path: 'x'.repeat(8192) };
      for (let index = 0; index < Number(value?.subarray(1)); index += 1) sink.event(event, offset, index);
    },
  };

  test('takes as many rows from one message as a part may have', () => {
    expect(make([`e${maxBlockRows}`]).counts).toMatchObject({ events: maxBlockRows, rejected: 0 });
  });

  test('takes none of a message that alone has more: its events are dead letters TOO_LARGE', () => {
    const batch = make([`e${maxBlockRows + 1}`]);
    expect(batch.counts).toMatchObject({ records: maxBlockRows + 1, events: 0, rejected: maxBlockRows + 1 });
    expect(batch.deadLetters[maxBlockRows]).toMatchObject({ offset: 0, index: maxBlockRows, code: 'TOO_LARGE' });
    expect(batch.fitsOneBlock).toBe(true);
  });

  test('takes none of a message that alone is more than 64 MiB', () => {
    const rows = Math.ceil(maxBlockBytes / 8192);
    expect(make([`w${rows - 400}`], wide).counts).toMatchObject({ events: rows - 400, rejected: 0 });
    expect(make([`w${rows}`], wide)).toMatchObject({ counts: { events: 0, rejected: rows }, deadLetters: { length: rows } });
  });

  test('of several messages that are too much together says so, and rejects nothing', () => {
    const batch = make(['e60000', 'e60000']);
    expect(batch).toMatchObject({ fitsOneBlock: false, counts: { events: 120_000, rejected: 0 } });
    expect(make(['e60000', 'e40000']).fitsOneBlock).toBe(true);
  });
});
