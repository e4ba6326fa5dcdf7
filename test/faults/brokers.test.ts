/**
 * Three brokers, of which one dies while records come and are read: the one that coordinates the group, or one that leads a
 * partition. What the others have of it goes on; nothing is lost, nothing is stored twice, and the member stays the only one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { campaign, seeded } from '../support/campaign.ts';
import { freshDatabase, type TestDatabase } from '../support/database.ts';
import { describeEngine, startEngine, type TestEngine } from '../support/engine.ts';
import { ingestEnvironment, startGatetrail, until, type Running } from '../support/gatetrail.ts';
import { type KafkaCluster, startKafkaCluster } from '../support/kafka-cluster.ts';
import { startLoad, type Load } from '../support/load.ts';
import { clean } from '../support/oracle.ts';
import { sqlRows } from '../support/sql.ts';

const partitions = 6;
const group = 'gatetrail';
const { sizes, seed, ...printed } = campaign('brokers', { deaths: 1, rate: 1_000 }, { deaths: 40, rate: 3_000 });
const random = seeded(seed);
const folder = mkdtempSync(join(tmpdir(), 'gatetrail-brokers-'));
const topic = `brokers-${Date.now()}`;

let kafka: KafkaCluster;
let engine: TestEngine;
let database: TestDatabase;
let load: Load;
let ingest: Running;

beforeAll(async () => {
  [kafka, engine] = await Promise.all([startKafkaCluster(), startEngine()]);
  console.log(`log: ${await kafka.describe()}; engine: ${await describeEngine(engine)}`);
  await kafka.createTopic(topic, partitions);
  database = await freshDatabase(engine);
  load = await startLoad({ brokers: [...kafka.brokers], topic, partitions, seed });
  ingest = await startGatetrail(['ingest'], {
    dataDir: folder,
    env: ingestEnvironment({ brokers: kafka.brokers, topic, database: database.name, server: engine }),
  });
}, 240_000);

afterAll(async () => {
  await ingest?.kill();
  load?.close();
  await database?.close();
  await Promise.allSettled([engine?.stop(), kafka?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const place = () => ({ server: engine, database: database.name, topic });

/** Partitions that had a batch after this instant. */
async function storedSince(at: number): Promise<number> {
  const [row] = await sqlRows<{ n: string }>(
    engine,
    `SELECT uniqExact(kafka_partition) AS n FROM batches WHERE topic = '${topic}' AND first_offset >= 0 AND toUnixTimestamp64Milli(received_at) > ${at}`,
    database.name,
  );
  return Number(row?.n);
}
const untilAllAreRead = (at: number) =>
  until(
    async () => {
      await load.sent(); // says why it sends no longer, if it does not
      return storedSince(at);
    },
    (count) => count === partitions,
    120_000,
  );

const timeout = printed.full ? 1_800_000 : 600_000;

test('whichever broker dies, all partitions are read on, and every record is stored once', { timeout }, async () => {
  await load.start(sizes.rate);
  await untilAllAreRead(Date.now());
  const tookMs: number[] = [];
  const moved: boolean[] = [];
  for (let death = 0; death < sizes.deaths; death += 1) {
    const isCoordinator = death % 2 === 0;
    const leads = () => (isCoordinator ? kafka.coordinatorOf(group) : kafka.leaderOf(topic, Math.floor(random() * partitions)));
    const victim = (await until(leads, (broker) => broker !== null, 60_000)) ?? 0;
    await kafka.kill(victim);
    const at = Date.now();
    await untilAllAreRead(at + 1_000); // a fetch that was under way proves nothing
    tookMs.push(Date.now() - at);
    if (isCoordinator) moved.push((await kafka.coordinatorOf(group)) !== victim);
    await kafka.restart(victim);
    await untilAllAreRead(Date.now());
  }
  await load.stop();
  await until(() => load.isCovered(place()), Boolean, 180_000).catch(() => {}); // the verdict says what is missing
  const [sent, verdict] = [await load.sent(), await load.judge(place())];
  printed.report({ readAgainMs: tookMs, coordinatorMoved: moved, recordsPerSecond: sent.rate, ...verdict });
  expect(verdict).toMatchObject(clean);
  expect(verdict.records).toBe(sent.records);
  expect(moved).not.toContain(false);
});
