/** Positions in the note of a replay: short, safe in a URL, and read back as they were. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claimToken } from '../../../storage/ledger.ts';
import { readPlaces, writePlaces } from '../../../storage/replays.ts';

describe('positions', () => {
  test('are steps from the first offset, with the index where there is one', () => {
    const places = [
      { offset: 100, index: 0 },
      { offset: 103, index: 0 },
      { offset: 103, index: 7 },
      { offset: 5_000, index: 2 },
    ];
    expect(writePlaces(places, 100)).toBe('0_3_0.7_4897.2');
    expect(readPlaces('0_3_0.7_4897.2', 100)).toEqual(places);
  });

  test('of none are none', () => {
    expect(writePlaces([], 5)).toBe('');
    expect(readPlaces('', 5)).toEqual([]);
  });

  test('come back as they went, whatever they are, and need no escaping in a URL', () => {
    const place = fc.record({ offset: fc.integer({ min: 0, max: 2 ** 40 }), index: fc.integer({ min: 0, max: 10_000 }) });
    fc.assert(
      fc.property(fc.array(place), fc.integer({ min: 0, max: 1_000 }), (some, first) => {
        const places = some
          .map(({ offset, index }) => ({ offset: offset + first, index }))
          .toSorted((a, b) => a.offset - b.offset || a.index - b.index);
        const note = writePlaces(places, first);
        expect(encodeURIComponent(note)).toBe(note);
        expect(readPlaces(note, first)).toEqual(places);
      }),
      { numRuns: 200 },
    );
  });
});

test('the token of a replay is that of its claim with its number behind it', () => {
  const key = { logId: 'log', sourceEpoch: 1, topic: 'gw', partition: 0 };
  expect(claimToken(key, 40, 2)).toBe(`${claimToken(key, 40)}:replay:2`);
  expect(claimToken(key, 40)).toBe('log:1:gw:0:40');
});
