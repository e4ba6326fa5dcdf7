import { expect, test } from 'vitest';
import { countUpTo } from '../../../query/count.ts';

test('a total is exact up to the bound that was asked for, and at least the bound beyond it', () => {
  expect(countUpTo(3, { upTo: 3 })).toEqual({ value: 3, relation: 'EXACT' });
  expect(countUpTo(4, { upTo: 3 })).toEqual({ value: 3, relation: 'AT_LEAST' });
});

test('a bound of null is the bound of the schema', () => {
  expect(countUpTo(10_000, { upTo: null })).toEqual({ value: 10_000, relation: 'EXACT' });
  expect(countUpTo(10_001, { upTo: null })).toEqual({ value: 10_000, relation: 'AT_LEAST' });
});
