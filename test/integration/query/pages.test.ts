import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nextMorning, startApi, thatDay, type TestApi } from '../../support/api.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEngine, type TestEngine } from '../../support/engine.ts';
import { claimRow, eventRow, writeClaims, writeEvents } from '../../support/events.ts';
import { noteStatements } from '../../support/statements.ts';

let engine: TestEngine;
let database: TestDatabase;
let api: TestApi;
/** Next offset by partition of the topic that a test writes to. */
let next: number[] = [];

beforeAll(async () => {
  engine = await startEngine();
  database = await freshDatabase(engine);
  api = await startApi(database.clickhouse, { clock: nextMorning });
});
afterAll(async () => {
  api.close();
  await database.close();
  await engine.stop();
});

const second = (at: number) => `2026-11-22 10:00:${String(at % 60).padStart(2, '0')}.000`;

/** A batch as ingest leaves it: its claim, then its events, one at each second given. */
async function store(
  topic: string,
  partition: number,
  seconds: readonly number[],
  parts: { claim: boolean; events: boolean },
): Promise<void> {
  const first = next[partition] ?? 0;
  next[partition] = first + seconds.length;
  const place = { topic, kafka_partition: partition };
  const claim = claimRow({ ...place, first_offset: first, last_offset: first + seconds.length - 1 });
  const rows = seconds.map((at, index) =>
    eventRow({ ...place, timestamp: second(at), kafka_offset: first + index, batch_events: seconds.length }),
  );
  if (parts.claim) await writeClaims(engine, database.name, [claim]);
  if (parts.events) await writeEvents(engine, database.name, rows);
}
const whole = { claim: true, events: true };

interface Walk {
  readonly topic: string;
  readonly size: number;
  readonly backwards?: boolean;
}

/** Positions in the order of the pages, and how many were counted on the first of them. */
async function walk({ topic, size, backwards = false }: Walk, between: () => Promise<void>) {
  const seen: string[] = [];
  let counted = -1;
  let cursor = '';
  for (;;) {
    const { data, errors } = await api.ask(
      `{auditEvents(${thatDay}, filter: {topic: {eq: "${topic}"}}, ${backwards ? 'last' : 'first'}: ${size}${cursor}) {
        nodes {position {partition offset}} pageInfo {hasNextPage hasPreviousPage startCursor endCursor} totalCount {value}}}`,
    );
    expect(errors).toBeUndefined();
    const { nodes, pageInfo, totalCount } = data.auditEvents;
    const page = nodes.map(
      ({ position }: { position: { partition: number; offset: number } }) => `${position.partition}/${position.offset}`,
    );
    seen.push(...(backwards ? page.toReversed() : page));
    // Every page counts what the first one did.
    if (counted >= 0) expect(totalCount.value).toBe(counted);
    counted = totalCount.value;
    if (!(backwards ? pageInfo.hasPreviousPage : pageInfo.hasNextPage)) return { seen, counted };
    cursor = backwards ? `, before: "${pageInfo.startCursor}"` : `, after: "${pageInfo.endCursor}"`;
    await between();
  }
}

test('a walk shows exactly what was stored when it began, whatever is stored meanwhile', async () => {
  let run = 0;
  const seconds = fc.array(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 8 });
  const batches = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), seconds), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(batches, batches, fc.integer({ min: 1, max: 5 }), fc.boolean(), async (before, meanwhile, size, backwards) => {
      run += 1;
      const topic = `walk-${run}`;
      next = [];
      for (const [partition, at] of before) await store(topic, partition, at, whole);
      const expected = next.flatMap((length, partition) => Array.from({ length }, (_, offset) => `${partition}/${offset}`));
      const waiting = [...meanwhile];
      const { seen } = await walk({ topic, size, backwards }, async () => {
        const batch = waiting.shift();
        if (batch) await store(topic, batch[0], batch[1], whole);
      });
      expect(seen.toSorted()).toEqual(expected.toSorted());
    }),
    { numRuns: 6 },
  );
});

test('ten thousand rows that come in while somebody turns pages neither repeat nor skip any', async () => {
  next = [];
  for (let partition = 0; partition < 4; partition += 1)
    await store(
      'busy',
      partition,
      Array.from({ length: 250 }, (_, at) => at),
      whole,
    );
  let isOver = false;
  const writing = (async () => {
    for (let batch = 0; batch < 40 && !isOver; batch += 1)
      await store(
        'busy',
        batch % 4,
        Array.from({ length: 250 }, (_, at) => at + batch),
        whole,
      );
  })();
  const { seen } = await walk({ topic: 'busy', size: 100 }, async () => {});
  isOver = true;
  await writing;
  // It began somewhere among the writes: of each partition it saw everything up to an offset, once.
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.length).toBeGreaterThanOrEqual(1000);
  const inOrder = seen
    .map((place) => place.split('/').map(Number))
    .toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0));
  const last = new Map<number, number>();
  for (const [partition = 0, offset = 0] of inOrder) {
    expect(offset).toBe((last.get(partition) ?? -1) + 1);
    last.set(partition, offset);
  }
});

test('a batch whose events are half there is not shown before it is whole', async () => {
  next = [];
  await store('open', 0, [1, 2], whole);
  await store('open', 0, [3, 4], { claim: true, events: false });
  expect((await walk({ topic: 'open', size: 10 }, async () => {})).seen).toHaveLength(2);
  next = [2];
  await store('open', 0, [3, 4], { claim: false, events: true });
  expect((await walk({ topic: 'open', size: 10 }, async () => {})).seen).toHaveLength(4);
});

test('a flag of a page that is not asked for has no statement', async () => {
  next = [];
  await store('flags', 0, [1, 2, 3, 4], whole);
  const { clickhouse, statements } = noteStatements(database.clickhouse);
  const watched = await startApi(clickhouse, { clock: nextMorning });
  const ask = async (after: string, flags: string) => {
    const query = `{auditEvents(${thatDay}, filter: {topic: {eq: "flags"}}, order: OLDEST_FIRST, first: 2${after}) {pageInfo {${flags}}}}`;
    statements.length = 0;
    return (await watched.ask(query)).data.auditEvents.pageInfo;
  };
  try {
    const { endCursor } = await ask('', 'endCursor');
    expect(await ask(`, after: "${endCursor}"`, 'hasNextPage')).toEqual({ hasNextPage: false });
    const alone = statements.length;
    expect(await ask(`, after: "${endCursor}"`, 'hasNextPage hasPreviousPage')).toEqual({ hasNextPage: false, hasPreviousPage: true });
    expect(statements.length).toBeGreaterThan(alone);
  } finally {
    watched.close();
  }
});
