import { expect, test } from 'vitest';
import { cut, hoursIn, minutes } from '../../../storage/counted-rows.ts';
import { joined } from '../../../storage/rollup-marks.ts';
import { byRoute } from '../../../storage/rollup-tables.ts';

const hour = 3_600_000;
const source = hoursIn(byRoute);
const span = (from: number, to: number) => ({ from: from * hour, to: to * hour });

test('a range is whole hours and two edges, which together are the range', () => {
  expect(cut(source, [], span(1.5, 4.25))).toMatchObject({ whole: [span(2, 4)], raw: [span(1.5, 2), span(4, 4.25)] });
  expect(cut(source, [], span(2, 4), [])).toMatchObject({ whole: [span(2, 4)], raw: [] });
  expect(cut(source, [], span(2.25, 2.75), [])).toMatchObject({ whole: [], raw: [span(2.25, 2.75)] });
});

test('what is stale is left to the events, also at the ends', () => {
  expect(cut(source, [], span(1.5, 9.5), [span(4, 5)])).toMatchObject({
    whole: [span(2, 4), span(5, 9)],
    raw: [span(1.5, 2), span(4, 5), span(9, 9.5)],
  });
  expect(cut(source, [], span(2, 9), [span(0, 3), span(8, 12)])).toMatchObject({ whole: [span(3, 8)], raw: [span(2, 3), span(8, 9)] });
  expect(cut(source, [], span(2, 4), [span(0, 12)])).toMatchObject({ whole: [], raw: [span(2, 4)] });
});

test('minutes are cut the same way', () => {
  expect(cut(minutes, [], { from: 59_999, to: 120_000 }, [])).toMatchObject({
    whole: [{ from: 60_000, to: 120_000 }],
    raw: [{ from: 59_999, to: 60_000 }],
  });
});

test('spans that overlap or touch are one', () => {
  expect(joined([span(5, 6), span(1, 2), span(2, 3), span(1, 4)])).toEqual([span(1, 4), span(5, 6)]);
});
