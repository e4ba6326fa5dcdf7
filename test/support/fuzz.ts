/**
 * Malformed messages: records of every fixture, changed in the ways in which bytes break and in those in which somebody would
 * break them. Message `n` is a pure function of seed and `n`, so that any of them can be made again alone.
 */
import { gzipSync } from 'node:zlib';
import { seeded } from './campaign.ts';
import { bytesOf, fixtureFiles, readFixture } from './fixtures.ts';

export interface Fuzzed {
  readonly value: Buffer;
  /** The ways in which it was changed, in their order. */
  readonly ways: string;
}

type Random = () => number;
type Change = (value: Buffer, random: Random) => Buffer;

const mebibyte = 1024 * 1024;
const records = fixtureFiles.map((file) => bytesOf(readFixture(file).message));
const shortRecords = records.filter(({ length }) => length < 2_000).map(String);

/** Each so many messages comes one, in turn, of those that take as long as hundreds of others. */
const rareEvery = 2_500;

/** Message `n`, of which nothing but `way` is done where one is named. */
export function fuzzer(seed: number, way?: string): (n: number) => Fuzzed {
  return (n) => {
    const random = seeded(Math.imul(seed, 0x9e3779b1) ^ Math.imul(n + 1, 0x85ebca6b));
    random(); // the first number of neighbours is alike
    const done = [
      way ?? (n % rareEvery === rareEvery - 1 ? rareWays[((n + 1) / rareEvery) % rareWays.length] : undefined) ?? pick(ways, random),
    ];
    while (way === undefined && done.length < 4 && random() < 0.3) done.push(pick(ways, random));
    const value = done.reduce((bytes, each) => all.get(each)?.(bytes, random) ?? bytes, pick(records, random));
    return { value, ways: done.join(', ') };
  };
}

/** A record as it is, the one after the other. */
export const plain = (n: number): Buffer => records[n % records.length] ?? Buffer.alloc(0);

const below = (limit: number, random: Random): number => Math.floor(random() * limit);
/** From 1 to `limit`, small ones as often as large ones. */
const upTo = (limit: number, random: Random): number => Math.ceil(limit ** random());
const pick = <Item>(items: readonly Item[], random: Random): Item => items[below(items.length, random)] as Item; // none is empty
const text = (change: (value: string, random: Random) => string): Change => {
  return (value, random) => Buffer.from(change(value.toString('latin1'), random), 'latin1');
};

const nested = (open: string, depth: number): string => {
  const signs = open.split('').toReversed();
  const close = signs.map((sign) => (sign === '[' ? ']' : sign === '{' ? '}' : '')).join('');
  return `${open.repeat(depth)}1${close.repeat(depth)}`;
};

/** So much of one unit as opens to `bytes`, with noise between, so that it is not refused for its ratio alone. */
function packed(unit: string, bytes: number): Buffer {
  const random = seeded(bytes);
  const noise = Array.from({ length: bytes / 120 }, () => String.fromCharCode(0x30 + below(64, random)).replace('\\', '_')).join('');
  return Buffer.from(`[${unit.repeat((bytes - noise.length) / unit.length)}"${noise}"]`);
}

/** As the shippers do it, to a depth that may be too much. */
function wrap(value: Buffer, random: Random): Buffer {
  let inside = String(value);
  for (let left = 1 + below(5, random); left > 0 && inside.length < 4 * mebibyte; left -= 1) inside = pick(shippers, random)(inside);
  return Buffer.from(inside);
}

/** A document goes in as it is, well-formed or not, and a line as a text. */
const asJson = (inside: string): string => (/^\s*[[{]/.test(inside) ? inside : JSON.stringify(inside));

const shippers: readonly ((inside: string) => string)[] = [
  (inside) => `{"message":${JSON.stringify(inside)}}`,
  (inside) => `{"log":${JSON.stringify(inside)},"stream":"stdout"}`,
  (inside) => `{"records":[${asJson(inside)},${JSON.stringify(inside)}]}`,
  (inside) => `{"_source":${asJson(inside)}}`,
  (inside) => `{"specversion":"1.0","id":${JSON.stringify(inside.slice(0, 40))},"source":"/edge","data":${asJson(inside)}}`,
  (inside) => `[${asJson(inside)},${asJson(inside)}]`,
];

/** At a random place between two signs. */
const inserted = (inside: string): Change =>
  text((value, random) => {
    const at = below(value.length + 1, random);
    return value.slice(0, at) + inside + value.slice(at);
  });

/** Puts JSON, valid or not, in the place of one value of the document; a line is first wrapped as shippers do. */
const valued = (make: (random: Random) => string): Change =>
  text((value, random) => {
    const places = [...documentOf(value).matchAll(/(?<=[:,[])\s*(?:"(?:[^"\\]|\\.)*"(?!\s*:)|[\w.+-]+)/g)];
    const found = places[below(places.length, random)];
    const document = documentOf(value);
    return found === undefined ? value : document.slice(0, found.index) + make(random) + document.slice(found.index + found[0].length);
  });

/** Puts a member in front of those of one object. */
const member = (make: (random: Random, document: string) => string): Change =>
  text((value, random) => {
    const document = documentOf(value);
    const braces = [...document.matchAll(/\{(?=\s*")/g)];
    const at = (braces[below(braces.length, random)]?.index ?? 0) + 1;
    return `${document.slice(0, at)}${make(random, document)},${document.slice(at)}`;
  });

const documentOf = (value: string): string => (/^\s*[[{]/.test(value) ? value : JSON.stringify({ message: value }));

const numbers = ['1e309', '-1e309', '-0', '1e-400', '9007199254740993', '18446744073709551616', '-1', '0.1e1', '1e99', '0'.repeat(40)];
const others = [
  'null',
  'true',
  '[]',
  '{}',
  '[[]]',
  '""',
  '" "',
  '"-"',
  '[null]',
  '{"toString":1,"valueOf":2}',
  '{"length":-1}',
  '"1e400h"',
];
const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', '', '0'];
const runs = [
  '%',
  '%41',
  '/',
  '&',
  ' ',
  '[',
  '{',
  '\\"',
  '\\\\',
  'a',
  '9',
  'eyJ',
  ':',
  ',',
  '=',
  '@',
  '//',
  '\\r',
  '\\u0000',
  '\\ud800',
  '\u00e9',
];

const changes = {
  none: (value) => value,
  'bit flips': (value, random) => {
    const flipped = Buffer.from(value);
    for (let left = 1 + below(8, random); left > 0 && flipped.length > 0; left -= 1) {
      const at = below(flipped.length, random);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << below(8, random));
    }
    return flipped;
  },
  truncated: (value, random) => value.subarray(0, below(value.length + 1, random)),
  beheaded: (value, random) => value.subarray(below(value.length + 1, random)),
  spliced: (value, random) => {
    const other = pick(records, random);
    return Buffer.concat([value.subarray(0, below(value.length + 1, random)), other.subarray(below(other.length + 1, random))]);
  },
  'two lines': (value, random) => Buffer.concat([value, Buffer.from('\n'), pick(records, random)]),
  noise: (_, random) => Buffer.from(Array.from({ length: below(300, random) }, () => below(256, random))),
  nul: (value, random) => inserted('\0'.repeat(1 + below(9, random)))(value, random),
  'nul first': (value) => Buffer.concat([Buffer.alloc(5), value]),
  'invalid UTF-8': (value, random) =>
    inserted(pick(['\xff', '\xc0\xaf', '\xed\xa0\x80', '\xf8\x88\x80\x80\x80', '\x80'], random))(value, random),
  'byte order mark': (value) => Buffer.concat([Buffer.from('\ufeff'), value]),
  'odd break': (value, random) => inserted(pick(['\r', '\u2028', '\n', '\t', '\x1b[31m'], random))(value, random),
  number: valued((random) => pick(numbers, random)),
  'long number': valued((random) => `${below(2, random) === 0 ? '-' : ''}${'9'.repeat(upTo(2_000, random))}`),
  'other kind': valued((random) => pick(others, random)),
  'lone surrogate': valued((random) => `"${pick(['\\ud800', '\\udfff', '\\ud83d', '\\u0000'], random)}x"`),
  'deep value': valued((random) => nested(pick(['[', '{"a":'], random), upTo(20_000, random))),
  'long text': valued((random) => `"${pick(runs, random).repeat(upTo(20_000, random))}"`),
  'duplicate key': member((random, document) => {
    const names = document.match(/"\w+"(?=\s*:)/g) ?? ['"a"'];
    return `${pick(names, random)}:${pick([...numbers, ...others], random)}`;
  }),
  'named as a prototype': member(
    (random) => `"${pick(keys, random)}":${pick(['{"polluted":true}', '{"isAdmin":1}', 'null', '7', '"x"'], random)}`,
  ),
  'long key': member((random) => `"${pick(['k', '%', '\u00e9', '\\u0000'], random).repeat(upTo(20_000, random))}":1`),
  deep: (_, random) => Buffer.from(nested(pick(['[', '{"a":', '{"records":[', '{"message":{'], random), upTo(20_000, random))),
  unclosed: (_, random) => Buffer.from(pick(['[', '{"a":', '{"message":"'], random).repeat(upTo(20_000, random))),
  wrapped: wrap,
  gzip: (value) => gzipSync(value, { level: 1 }),
  'cut gzip': (value, random) => gzipSync(value, { level: 1 }).subarray(0, 10 + below(60, random)),
  blanks: (_, random) => Buffer.from(pick(['\n', ' ', '\t', '\r\n', '\n '], random).repeat(upTo(30_000, random))),
  events: (value, random) =>
    Buffer.from(
      JSON.stringify({
        messageType: 'DATA_MESSAGE',
        logEvents: Array.from({ length: 1 + below(5, random) }, () => pick([{}, null, 7, { message: value.toString() }], random)),
      }),
    ),
} as const satisfies Record<string, Change>;

/** Too large to be made for each message: one in so many is one of them. */
const rare = {
  'many elements': (_, random) => {
    const record = pick(
      shortRecords.filter((each) => each.startsWith('{')),
      random,
    );
    const some = [record, '7', 'null', '"x"', '{}', '[]', '{"a":[[[1]]]}', '1e309', '{"__proto__":{"polluted":true}}', 'true'];
    return Buffer.from(
      `[${Array.from({ length: 9_999 + below(3, random) }, (_each, at) => (at % 50 === 0 ? record : pick(some.slice(1), random))).join(',')}]`,
    );
  },
  'deep elements': (_, random) =>
    Buffer.from(`[${Array.from({ length: 2 + below(3, random) }, () => nested('{"a":', upTo(50_000, random))).join(',')}]`),
  bomb: (_, random) => gzipSync(Buffer.alloc((1 + below(69, random)) * mebibyte, pick([' ', '0', '[', '\n'], random)), { level: 1 }),
  'bomb that opens': (_, random) =>
    gzipSync(packed(pick(['{},', '[],', '0,', '"",', '\n', '{"a":1},'], random), (4 + below(12, random)) * mebibyte)),
  'bomb in a bomb': () => gzipSync(gzipSync(gzipSync(Buffer.alloc(8 * mebibyte)))),
} as const satisfies Record<string, Change>;

type Huge = readonly [string, (bytes: number) => Buffer];

const ways = Object.keys(changes);
const rareWays = Object.keys(rare);
const all: ReadonlyMap<string, Change> = new Map(Object.entries({ ...changes, ...rare }));
/** Every way, by its name. */
export const fuzzWays = [...all.keys()];

/** Values at the limit of a message and beyond it: what each is, and how it is made. Those that take most memory come first. */
export const huge: readonly [Huge, ...Huge[]] = [
  ['empty objects', (bytes) => Buffer.concat([Buffer.from('{"a":['), Buffer.alloc(bytes - 10, '{},'), Buffer.from('0]}')])],
  ['unclosed lists', (bytes) => Buffer.alloc(bytes, '[')],
  ['empty lines', (bytes) => Buffer.alloc(bytes, '\n')],
  ['one text', (bytes) => Buffer.concat([Buffer.from('{"a":"'), Buffer.alloc(bytes - 8, 'a'), Buffer.from('"}')])],
  ['unclosed objects', (bytes) => Buffer.alloc(bytes, '{"a":')],
  ['one line', (bytes) => Buffer.alloc(bytes, '203.0.113.7 - - [24/Nov/2026:11:00:00 +0000] "GET /')],
];
