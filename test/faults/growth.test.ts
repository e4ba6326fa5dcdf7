/**
 * Reading takes time in proportion to what is read, whatever stands in which field: each text of each fixture grows sixteenfold and
 * may take 64 times as long. A pattern that tries again from every place takes 256 times as long: minutes for 1 MiB.
 */
import { beforeAll, expect, test } from 'vitest';
import { deriveKey } from '../../core/keys.ts';
import { createDecoder, loadGateways } from '../../ingest/pipeline.ts';
import { bytesOf, type Fixture, fixtureFiles, readFixture } from '../support/fixtures.ts';

const units = [' ', ' [', '] "', '" "', ',', '%41', '/', '&', ':', 'eyJ', '\\"', ' - ', '| ', '1', '//', '4111 ', '-', 'a=', '[', '"'];
const [shortLength, longLength] = [4 * 1024, 64 * 1024];
const most = 64;
/** Less than this is noise of the clock and of the garbage collector. */
const leastMs = 0.3;

let gateways: Awaited<ReturnType<typeof loadGateways>>;
beforeAll(async () => {
  gateways = await loadGateways();
});

interface Place {
  readonly name: string;
  make(inside: string): string;
}

/** Of a line: at its start, at its end and wherever two words meet. */
function placesInLine(line: string): Place[] {
  const cuts = [0, ...[...line.matchAll(/[ "[\]|:/?=,]+/g)].map(({ index }) => index), line.length];
  return cuts.map((at, number) => ({ name: `word ${number}`, make: (inside) => line.slice(0, at) + inside + line.slice(at) }));
}

/** Of a document: at the end of each of its texts, by the path of names that leads to it. */
function placesInDocument(document: unknown): Place[] {
  const json = JSON.stringify(document);
  const places: Place[] = [];
  const walk = (value: unknown, path: readonly string[]): void => {
    if (typeof value === 'string') {
      const mark = JSON.stringify(value);
      const at = json.indexOf(mark, json.indexOf(`"${path.at(-1)}"`)) + mark.length - 1;
      places.push({ name: path.join('.'), make: (inside) => json.slice(0, at) + JSON.stringify(inside).slice(1, -1) + json.slice(at) });
    } else if (typeof value === 'object' && value !== null) {
      for (const [name, each] of Object.entries(value)) walk(each, Array.isArray(value) ? path : [...path, name]);
    }
  };
  walk(document, []);
  return places;
}

const folderOf = (file: string) => file.split('/').at(-2) ?? '';
const folders = [...new Set(fixtureFiles.map(folderOf))];
/** The first line of a text that is a request. */
function requestIn({ message, expected }: Fixture): string[] {
  if (typeof message !== 'string') return [];
  const lines = message.split('\n').filter((line) => line.trim() !== '');
  return lines.filter((_, at) => expected[at]?.kind === 'event').slice(0, 1);
}

function placesOf(folder: string): Place[] {
  const fixtures = fixtureFiles.filter((file) => folderOf(file) === folder).map(readFixture);
  const lines = fixtures.flatMap(requestIn);
  const documents = fixtures.flatMap(({ message }) => (typeof message === 'string' ? [] : placesInDocument(message)));
  // A break that is no end of a line stands behind one of them: a pattern that stops there tries all it can.
  return [
    ...[...lines.slice(0, 1), ...lines.slice(-1).map((line) => `${line}\rx`)].flatMap(placesInLine),
    ...new Map(documents.map((place) => [place.name, place])).values(),
  ];
}

test.each(folders)('of %s', { timeout: 120_000 }, (folder) => {
  const decoder = createDecoder({
    gateways,
    sources: [{ topic: 'gw', format: gateways.has(folder) ? folder : undefined }],
    defaultTenant: 'default',
    intakeTopic: 'in',
    allowedQueryKeys: new Set(),
    pseudonyms: deriveKey('a secret of the tests', 'pseudonyms'),
    credentials: deriveKey('a secret of the tests', 'credentials'),
    version: 'test',
  });
  let elements = 0;
  const count = () => void (elements += 1);
  const timeOf = (text: string): number => {
    const message = { offset: 0, timestamp: -1, value: bytesOf(text), headers: {} };
    const from = process.cpuUsage();
    decoder.decode(message, 'gw', Date.parse('2026-11-24T12:00:00Z'), { event: count, rejected: count, skipped: count });
    return process.cpuUsage(from).user / 1_000;
  };
  /** The least of some tries: what else the process does only adds to it. */
  const growth = (place: Place, unit: string): number => {
    let least = Infinity;
    for (let tries = 0; tries < 4 && least > most; tries += 1) {
      const [small, large] = [shortLength, longLength].map((length) => timeOf(place.make(unit.repeat(length / unit.length)))) as [
        number,
        number,
      ];
      least = Math.min(least, large / Math.max(small, leastMs));
      if (large > 1_000) break;
    }
    return least;
  };
  const slow = placesOf(folder).flatMap((place, number) =>
    // All of them in every place would take minutes: each field of a document has one, and other formats have it with others.
    units
      .filter((_, at) => place.name.startsWith('word ') || at === number % units.length)
      .map((unit) => ({ place: place.name, unit, growth: growth(place, unit) }))
      .filter((found) => found.growth > most),
  );
  expect(slow).toEqual([]);
  expect(elements).toBeGreaterThan(0);
});
