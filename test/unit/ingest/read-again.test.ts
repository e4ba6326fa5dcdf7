/** Which dead letters of a message become what, held against the product's own decoder. */
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { deriveKey } from '../../../core/keys.ts';
import type { Decoder, Rejection } from '../../../ingest/decoder.ts';
import { createDecoder, type DecoderOptions, loadGateways } from '../../../ingest/pipeline.ts';
import { readAgain } from '../../../ingest/read-again.ts';
import type { StoredLetter } from '../../../storage/dead-letters.ts';

const receivedAt = Date.parse('2026-11-22T10:00:00Z');
const place = { sourceEpoch: 1, topic: 'edge', partition: 0, firstOffset: 0, normaliser: 'then', receivedAt, replayedAt: null };
let decoderOf: (more?: Partial<DecoderOptions>) => Decoder;

beforeAll(async () => {
  const gateways = await loadGateways();
  const key = deriveKey('secret', 'pseudonyms');
  const defaults = { sources: [], defaultTenant: 'default', intakeTopic: null, gateways, allowedQueryKeys: new Set<string>() };
  decoderOf = (more = {}) => createDecoder({ ...defaults, pseudonyms: key, credentials: key, version: '1', ...more });
});

const messageOf = (value: unknown, offset = 7) => ({
  offset,
  timestamp: -1,
  headers: {},
  value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
});
const record = (path: string, more: object = {}) => ({ timestamp: '2026-11-22T09:59:00Z', gateway_kind: 'mesh', url_path: path, ...more });

/** The dead letters of a message as ingest would have stored them. */
function lettersOf(decoder: Decoder, message: ReturnType<typeof messageOf>): StoredLetter[] {
  const letters: StoredLetter[] = [];
  const rejected = (rejection: Rejection) => void letters.push({ ...place, ...rejection });
  decoder.decode(message, 'edge', receivedAt, { event: () => {}, skipped: () => {}, rejected });
  return letters;
}

const allowing = (...allow: string[]) => ({ sources: [{ topic: 'edge', tenant: { from: 'field:tenant', allow } }] });
const paths = ({ settled }: ReturnType<typeof readAgain>) =>
  settled.flatMap(({ events }) => events.map(({ event, index }) => [index, event.url_path, event.tenant]));

describe('of a message of several elements', () => {
  const message = messageOf([
    record('/a', { tenant: 'acme' }),
    record('/b', { tenant: 'globex' }),
    { no: 'record' },
    record('/d', { tenant: 'globex' }),
  ]);

  test('those that were dead letters alone are read, at their own index; others stand with the reason of today', () => {
    const letters = lettersOf(decoderOf(allowing('acme')), message);
    expect(letters.map(({ index, code }) => [index, code])).toEqual([
      [1, 'TENANT_UNKNOWN'],
      [2, 'UNKNOWN_FORMAT'],
      [3, 'TENANT_UNKNOWN'],
    ]);
    const now = readAgain(decoderOf(allowing('acme', 'globex')), message, letters);
    expect(paths(now)).toEqual([
      [1, '/b', 'globex'],
      [3, '/d', 'globex'],
    ]);
    expect(now.settled.map(({ letter }) => letter)).toEqual([letters[0], letters[2]]);
    expect(now.standing).toEqual([expect.objectContaining({ index: 2, code: 'UNKNOWN_FORMAT', sha256: letters[1]?.sha256 })]);
  });

  test('of some of them, the others are left alone', () => {
    const letters = lettersOf(decoderOf(allowing('acme')), message).filter(({ index }) => index === 3);
    const now = readAgain(decoderOf(allowing('acme', 'globex')), message, letters);
    expect(paths(now)).toEqual([[3, '/d', 'globex']]);
    expect(now.standing).toEqual([]);
  });

  test('an element that stands elsewhere now, because another is opened further, keeps its position and is not taken for its neighbour', () => {
    const [, , third] = lettersOf(decoderOf(allowing('acme')), message);
    // As a reader would have stored it that saw one element less before it.
    const moved = { ...(third as StoredLetter), index: 1 };
    expect(paths(readAgain(decoderOf(allowing('acme', 'globex')), message, [moved]))).toEqual([[1, '/d', 'globex']]);
  });

  test('an element that is not in the message any more stands as it was', () => {
    const [letter] = lettersOf(decoderOf(allowing('acme')), message);
    const other = messageOf([record('/x', { tenant: 'globex' }), record('/y', { tenant: 'globex' })]);
    expect(readAgain(decoderOf(allowing('acme', 'globex')), other, letter ? [letter] : [])).toEqual({ settled: [], standing: [letter] });
  });

  test('equal elements are read each once', () => {
    const twice = messageOf([record('/same', { tenant: 'globex' }), record('/same', { tenant: 'globex' })]);
    const letters = lettersOf(decoderOf(allowing('acme')), twice);
    expect(paths(readAgain(decoderOf(allowing('globex')), twice, letters))).toEqual([
      [0, '/same', 'globex'],
      [1, '/same', 'globex'],
    ]);
    expect(paths(readAgain(decoderOf(allowing('globex')), twice, letters.slice(1)))).toEqual([[1, '/same', 'globex']]);
  });

  test('one that was kept without its digest is known by its place', () => {
    const refused: StoredLetter = {
      ...place,
      ...empty,
      index: 3,
      code: 'STORE_REFUSED',
    };
    expect(paths(readAgain(decoderOf(), message, [refused]))).toEqual([[3, '/d', 'default']]);
  });
});

const empty = {
  offset: 7,
  index: 0,
  tenant: '',
  code: 'X',
  path: '',
  message: 'then',
  detectedFormat: '',
  excerpt: '',
  bytes: 0,
  sha256: '',
};

describe('a message that was refused whole', () => {
  const digest = (message: ReturnType<typeof messageOf>) => createHash('sha256').update(message.value).digest('hex');
  const wholeOf = (message: ReturnType<typeof messageOf>): StoredLetter => ({
    ...place,
    ...empty,
    code: 'TOO_DEEP',
    sha256: digest(message),
  });

  test('is stored whole: each of its elements at its own index', () => {
    const message = messageOf([record('/a'), record('/b')]);
    const now = readAgain(decoderOf(), message, [wholeOf(message)]);
    expect(paths(now)).toEqual([
      [0, '/a', 'default'],
      [1, '/b', 'default'],
    ]);
    expect(now.settled).toHaveLength(1);
  });

  test('stands with the new reason when one element cannot be read: nothing in part', () => {
    const message = messageOf([record('/a'), { no: 'record' }]);
    const now = readAgain(decoderOf(), message, [wholeOf(message)]);
    expect(now.settled).toEqual([]);
    expect(now.standing).toEqual([expect.objectContaining({ index: 0, code: 'UNKNOWN_FORMAT', sha256: digest(message) })]);
  });

  test('that is no request after all is settled without an event', () => {
    const decoder = decoderOf();
    const skipping: Decoder = { ...decoder, decode: ({ offset }, _topic, _at, sink) => sink.skipped(offset, 0, 'a control message') };
    const message = messageOf('{}');
    const letter = wholeOf(message);
    expect(readAgain(skipping, message, [letter])).toEqual({ settled: [{ letter, events: [], skipped: 1 }], standing: [] });
  });
});

test('events are as ingest makes them for the time of their claim, and each is a copy of its own', () => {
  const message = messageOf(record('/late', { timestamp: '2026-11-22T11:00:00Z' }));
  const letter: StoredLetter = { ...place, ...empty };
  const [event] = readAgain(decoderOf(), message, [letter]).settled.flatMap(({ events }) => events);
  expect(event?.event).toMatchObject({ timestamp: receivedAt * 1000, time_source: 'ingest' });
  const reused = { ...event?.event, attributes: {}, signals: [] } as unknown as NonNullable<typeof event>['event'];
  const decode: Decoder['decode'] = (_message, _topic, _at, sink) => {
    for (const index of [0, 1]) sink.event(Object.assign(reused, { url_path: `/${index}` }), 7, index);
  };
  const both = [letter, { ...letter, index: 1 }];
  const now = readAgain({ normaliser: 'n', decode }, message, both);
  expect(now.settled.flatMap(({ events }) => events.map(({ event: each }) => each.url_path))).toEqual(['/0', '/1']);
});
