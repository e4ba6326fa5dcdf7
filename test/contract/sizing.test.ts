/** The page that sizes a deployment says what the measurements say: its table is made from the kept bench, and another one changes it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { root } from '../support/sources.ts';

interface Row {
  readonly rate: number;
  readonly partitions: number;
  readonly processes: number;
  readonly shards: number;
  readonly nodes: number;
  readonly partsPerSecond: number;
  readonly yearTb: number;
  readonly kafkaTb: number;
}
interface Script {
  sizingOf(baseline: object): { readonly rows: readonly Row[] };
  sizingPage(page: string, baseline: object): string;
}

const script = (await import(pathToFileURL(join(root, 'scripts/sizing.mjs')).href)) as Script;
const page = readFileSync(join(root, 'docs/sizing.md'), 'utf8');
const kept = JSON.parse(readFileSync(join(root, 'bench/baseline.json'), 'utf8')) as object;

const baseline = (values: Readonly<Record<string, number>> = {}) => ({
  machine: 'm',
  values: {
    'bytes per record': 1_000,
    'full path, CPU s per million, ingest': 35,
    'engine, all': 40,
    'bytes per row on disk': 50,
    ...values,
  },
});
const at = (rate: number, values?: Readonly<Record<string, number>>) => {
  const row = script.sizingOf(baseline(values)).rows.find((each) => each.rate === rate);
  if (row === undefined) throw new Error(`no row for ${rate}`);
  return row;
};

test('the table of the page is that of the kept measurements, and npm run docs says where it is not', () => {
  expect(script.sizingPage(page, kept)).toBe(page);
  const said = execFileSync(process.execPath, [join(root, 'scripts/docs.mjs'), '--check'], { encoding: 'utf8', stdio: 'pipe' });
  expect(said).toBe('');
});

test('other measurements change the table and nothing else of the page', () => {
  const other = script.sizingPage(page, baseline({ 'full path, CPU s per million, ingest': 470 }));
  expect(other).not.toBe(page);
  expect(script.sizingPage(other, kept)).toBe(page);
});

test('the table goes from a thousand to a million events a second', () => {
  const rates = script.sizingOf(kept).rows.map(({ rate }) => rate);
  expect([rates[0], rates.at(-1)]).toEqual([1_000, 1_000_000]);
});

describe('the arithmetic, worked out by hand', () => {
  test('100,000 events/s of 1,000 B, 35 CPU seconds per million, are 10 processes and 20 partitions', () => {
    // A peak of 200,000/s is 7 cores at full load, 10 at 70 %.
    expect(at(100_000)).toMatchObject({ processes: 10, partitions: 20 });
  });

  test('their year is 158 TB, on 8 shards of 20 TB with two replicas, and 26 TB of Kafka for a day, three times', () => {
    // 100,000 x 31,536,000 s x 50 B = 157.68 TB; 100,000 x 86,400 s x 1,000 B x 3 = 25.92 TB
    expect(at(100_000)).toMatchObject({ shards: 8, nodes: 16 });
    expect(at(100_000).yearTb).toBeCloseTo(315.36, 2);
    expect(at(100_000).kafkaTb).toBeCloseTo(25.92, 2);
  });

  test('where rows are small, CPU decides how many shards there are', () => {
    // 2,000,000/s at the peak are 80 cores; a node gives 8 of its 16.
    expect(at(1_000_000, { 'bytes per row on disk': 0.1 }).shards).toBe(10);
  });

  test('a partition makes a part a second until its batches are full', () => {
    expect(at(100_000).partsPerSecond).toBeCloseTo(20 / 8, 5);
    expect(at(1_000).partsPerSecond).toBe(4);
  });
});

test('a figure that the bench does not keep any more is missed by name', () => {
  expect(() => script.sizingOf({ values: {} })).toThrow(/no figure "bytes per record"/);
});

test('figures are found in a baseline of several parts, too', () => {
  const { machine, values } = baseline();
  expect(script.sizingOf({ one: { machine, values } }).rows).toEqual(script.sizingOf({ machine, values }).rows);
});
