/** Inserts that nobody knows the end of, and two writers that race: nothing is lost, nothing is stored twice. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type ClickHouse } from '../../storage/clickhouse.ts';
import { campaign, seeded } from '../support/campaign.ts';
import { freshDatabase } from '../support/database.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { startHoldingProxy } from '../support/proxy.ts';
import { sqlRows } from '../support/sql.ts';
import { assignmentOf, keyOf, rangeOf, writerOn } from '../support/writer.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine?.stop());

const { sizes, seed, ...printed } = campaign('holding-proxy', { ambiguous: 300 }, { ambiguous: 1000 });
const span = 1000;
const values = (count: number) => Array.from({ length: count }, (_, at) => (at % 10 === 3 ? 'bad' : at % 10 === 4 ? 'e3' : `/${at}`));

/** Two writers with other ranges and times for one position; each ends with the batch that counts complete. */
async function race(clickhouses: readonly ClickHouse[], position: number): Promise<Set<string>> {
  const seen = await Promise.all(
    clickhouses.map(async (clickhouse, at) => {
      const writer = writerOn(clickhouse);
      const assignment = assignmentOf();
      const batch = writer.maker.make(keyOf(), rangeOf(position, values(100 + 100 * at)), Date.parse('2026-11-22T23:59:59.999Z') + at);
      const outcome = await writer.write(assignment, batch, position);
      if (outcome.kind === 'stored') return JSON.stringify(outcome.claim);
      // Another race claimed a later position: the batch of this one is still completed, by its writer.
      if (outcome.kind === 'late') return 'late';
      const { lastOffset, receivedAt } = outcome.claim;
      const theirs = writer.maker.make(keyOf(), rangeOf(position, values(lastOffset - position + 1)), receivedAt);
      return JSON.stringify(await writer.complete(assignment, outcome.claim, theirs));
    }),
  );
  return new Set(seen);
}

test('held, doubled and dropped inserts of two racing writers leave each batch stored once', { timeout: 600_000 }, async () => {
  const database = await freshDatabase(engine);
  const proxy = await startHoldingProxy(engine.url, seeded(seed));
  const through = () =>
    connect({ url: proxy.url, user: engine.user, password: engine.password, database: database.name, requestTimeoutMs: 350 });
  const clickhouses = [through(), through()];
  let disagreements = 0;
  let races = 0;
  for (; proxy.ambiguous < sizes.ambiguous; races += 1) if ((await race(clickhouses, races * span)).size !== 1) disagreements += 1;
  await proxy.settled();

  const [judged] = await sqlRows<Record<string, number>>(
    engine,
    `SELECT count() AS claims, uniqExact(first_offset) AS positions, sum(events) AS claimed, sum(rejected) AS claimed_rejected,
  (SELECT count() FROM events) AS stored, (SELECT uniqExact(kafka_offset, message_index) FROM events) AS distinct,
  (SELECT count() FROM dead_letters FINAL) AS letters, (SELECT max(attempt) FROM events) AS suffixes
FROM batches WHERE revision = 0`,
    database.name,
  );
  printed.report({ races, ambiguous: proxy.ambiguous, modes: proxy.counts, disagreements, judged });
  for (const clickhouse of clickhouses) await clickhouse.close();
  await proxy.close();
  await database.close();
  expect(disagreements).toBe(0);
  expect(judged).toMatchObject({ claims: races, positions: races });
  expect(judged).toMatchObject({ claimed: judged?.['stored'], distinct: judged?.['stored'], claimed_rejected: judged?.['letters'] });
});
