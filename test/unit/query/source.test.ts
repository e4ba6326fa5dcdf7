import { expect, test } from 'vitest';
import type { Range, Scope } from '../../../storage/scope.ts';
import { column, quantile } from '../../../query/columns.ts';
import { columns } from '../../../query/figures.ts';
import { countedFor, type Need } from '../../../query/source.ts';

const hour = 3_600_000;
const day: Range = { from: 0, to: 24 * hour };

/** A store with so many events, whose rollups lack the `stale` spans. */
const scopeWith = (requests: number, stale: readonly Range[] = []): Scope => ({
  tenants: ['*'],
  events: <Row>() => Promise.resolve([{ n: String(requests) }] as Row[]), // only the number of requests is asked for
  stale: () => Promise.resolve([...stale]),
});
const need = (more: Partial<Need>): Need => ({ range: day, groupBy: [], columns: [columns.requests], ...more });
const sourceOf = async (more: Partial<Need>, scope = scopeWith(0)) => (await countedFor(scope, need(more)))?.source ?? 'EVENTS';

test('counters of whole hours come from hours, those of a short range from minutes, those of a moment from events', async () => {
  expect(await sourceOf({})).toBe('HOURS');
  expect(await sourceOf({ range: { from: 1, to: 2 * hour } })).toBe('MINUTES');
  expect(await sourceOf({ range: { from: 1, to: 60_000 } })).toBe('EVENTS');
});

test('what no row of counters has is asked of the events', async () => {
  expect(await sourceOf({ columns: [column('other', 'uniq(x)')] })).toBe('EVENTS');
  expect(await sourceOf({ groupBy: ['METHOD'] })).toBe('EVENTS');
  expect(await sourceOf({ groupBy: ['STATUS'] })).toBe('EVENTS');
  expect(await sourceOf({ groupBy: ['CONSUMER', 'API'] })).toBe('EVENTS');
  expect(await sourceOf({ groupBy: ['API'], range: { from: 1, to: 2 * hour } })).toBe('EVENTS');
});

test('a filter must say the same of all events of a row', async () => {
  expect(await sourceOf({ filter: { not: { route: { eq: '/a' } }, tenant: { in: ['a'] }, status: { gte: 500 } } })).toBe('HOURS');
  for (const filter of [
    { status: { gte: 502 } },
    { status: { lte: 500 } },
    { status: { eq: 500 } },
    { or: [{ method: { eq: 'GET' } }] },
    { search: 'path:/a' },
  ])
    expect(await sourceOf({ filter }), JSON.stringify(filter)).toBe('EVENTS');
});

test('intervals that part an hour are not read from hours', async () => {
  expect(await sourceOf({ starts: [-1, hour, 2 * hour] })).toBe('HOURS');
  expect(await sourceOf({ starts: [0, hour / 2, hour] })).toBe('MINUTES');
  expect(await sourceOf({ starts: [0, 1_000] })).toBe('EVENTS');
});

test('hours that are stale throughout leave it to the minutes, and many gaps too', async () => {
  expect(await sourceOf({}, scopeWith(0, [day]))).toBe('MINUTES');
  const gaps = Array.from({ length: 50 }, (_, at) => ({ from: 4 * at * hour, to: (4 * at + 1) * hour }));
  expect(await sourceOf({ range: { from: 0, to: 200 * hour } }, scopeWith(0, gaps))).toBe('MINUTES');
});

test('quantiles come from states where there are many events, and are exact where there are few', async () => {
  const p95 = { columns: [quantile('duration_ms', 0.95)] };
  expect(await sourceOf(p95, scopeWith(2_000_000))).toBe('HOURS');
  expect(await sourceOf(p95, scopeWith(10_000))).toBe('EVENTS');
  expect(await sourceOf({ ...p95, range: { from: 1, to: 2 * hour } }, scopeWith(2_000_000))).toBe('EVENTS');
});
