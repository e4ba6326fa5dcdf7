/** Inserts that nobody knows the end of, two writers that race, and an engine that dies: nothing is lost, nothing is stored twice. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sleep } from '../../core/clock.ts';
import type { ClickHouse } from '../../storage/clickhouse.ts';
import type { PartitionKey } from '../../storage/ledger.ts';
import { campaign, seeded } from '../support/campaign.ts';
import { freshDatabase } from '../support/database.ts';
import { startEngine, type TestEngine } from '../support/engine.ts';
import { follow } from '../support/following.ts';
import { startHoldingProxy } from '../support/proxy.ts';
import { sqlRows } from '../support/sql.ts';
import { hasStrace, inject } from '../support/strace.ts';
import { assignmentOf, keyOf, rangeOf, writerOn } from '../support/writer.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine?.stop());

const { sizes, seed, full, ...printed } = campaign(
  'holding-proxy',
  { ambiguous: 40, kills: 1, lanes: 2 },
  { ambiguous: 2000, kills: 20, lanes: 6 },
);
const random = seeded(seed);
const span = 1000;
const patienceMs = 500;
const values = (count: number) => Array.from({ length: count }, (_, at) => (at % 10 === 3 ? 'bad' : at % 10 === 4 ? 'e3' : `/${at}`));

/** Two writers with other ranges and times for one position; each ends with the batch that counts complete. */
async function race(clickhouses: readonly ClickHouse[], key: PartitionKey, position: number): Promise<Set<string>> {
  const seen = await Promise.all(
    clickhouses.map(async (clickhouse, at) => {
      const writer = writerOn(clickhouse);
      const assignment = assignmentOf(key);
      const batch = writer.maker.make(key, rangeOf(position, values(20 + 20 * at)), Date.parse('2026-11-22T23:59:59.999Z') + at);
      const outcome = await writer.write(assignment, batch, position);
      if (outcome.kind === 'stored') return JSON.stringify(outcome.claim);
      if (outcome.kind === 'late') return 'late'; // never: nobody claims behind a race that goes on
      const { lastOffset, receivedAt } = outcome.claim;
      const theirs = writer.maker.make(key, rangeOf(position, values(lastOffset - position + 1)), receivedAt);
      return JSON.stringify(await writer.complete(assignment, outcome.claim, theirs));
    }),
  );
  return new Set(seen);
}

/** Kills the engine in the middle of storing a part, when it is about to give it its name, and starts it again; false when nothing was stored any more. */
async function killAtARename(isOver: () => boolean): Promise<boolean> {
  const injection = await inject(engine.pid, { call: 'rename', nth: 1 + Math.floor(random() * 3), paths: [] }, 'signal=SIGKILL');
  while (!injection.hasStruck && !isOver()) await sleep(20);
  await injection.detach();
  if (injection.hasStruck) await engine.restart();
  return injection.hasStruck;
}

const timeout = full ? 1_800_000 : 300_000;
test(
  'inserts in doubt, of two racing writers, leave each batch stored once, also where the engine dies at a rename',
  { timeout },
  async () => {
    const database = await freshDatabase(engine);
    const proxy = await startHoldingProxy(() => engine, random);
    const place = {
      url: proxy.url,
      user: engine.branch === 'embedded' ? 'ingest' : engine.user, // who has places for four statements at a time
      get password() {
        return engine.password;
      },
    };
    const isKillable = engine.branch === 'embedded' && (hasStrace() || process.env['CI'] !== undefined);
    const clickhouses = [follow(place, database.name, patienceMs), follow(place, database.name, patienceMs)];
    let disagreements = 0;
    let races = 0;
    let kills = 0;
    const isOver = () => proxy.ambiguous >= sizes.ambiguous;
    const lane = async (partition: number) => {
      for (let position = 0; !isOver(); position += span) {
        races += 1;
        if ((await race(clickhouses, keyOf(partition), position)).size !== 1) disagreements += 1;
      }
    };
    const killer = async () => {
      while (isKillable && kills < sizes.kills && !isOver()) {
        if (await killAtARename(isOver)) kills += 1;
        while (proxy.ambiguous < (sizes.ambiguous * kills) / sizes.kills && !isOver()) await sleep(50); // spread over the whole run
      }
    };
    await Promise.all([...Array.from({ length: sizes.lanes }, (_, partition) => lane(partition)), killer()]);
    await proxy.settled();

    const [judged] = await sqlRows<Record<string, number>>(
      engine,
      `SELECT count() AS claims, uniqExact(kafka_partition, first_offset) AS positions, sum(events) AS claimed, sum(rejected) AS claimed_rejected,
  (SELECT count() FROM events) AS stored, (SELECT uniqExact(kafka_partition, kafka_offset, message_index) FROM events) AS distinct,
  (SELECT count() FROM dead_letters FINAL) AS letters, (SELECT uniqExact(kafka_partition, intDiv(kafka_offset, ${span})) FROM events WHERE attempt > 0) AS suffixes
FROM batches WHERE revision = 0`,
      database.name,
    );
    printed.report({ races, ambiguous: proxy.ambiguous, modes: proxy.counts, resets: proxy.resets, kills, disagreements, judged });
    for (const clickhouse of clickhouses) await clickhouse.close();
    await proxy.close();
    await database.close();
    expect(disagreements).toBe(0);
    if (isKillable) expect(kills).toBeGreaterThan(0);
    expect(judged).toMatchObject({ claims: races, positions: races });
    expect(judged).toMatchObject({ claimed: judged?.['stored'], distinct: judged?.['stored'], claimed_rejected: judged?.['letters'] });
  },
);
