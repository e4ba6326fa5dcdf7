import { expect, test } from 'vitest';
import { startJob } from '../../../app/job.ts';
import { silentLogger } from '../../../core/logger.ts';
import type { ClickHouse } from '../../../storage/clickhouse.ts';
import { openLease } from '../../../storage/lease.ts';

/** A database that knows leases alone. */
function leases(): ClickHouse {
  const rows: { epoch: number; holder: string; expired: number }[] = [];
  const one = {
    rows: async () => rows.slice(-1),
    run: async (_: string, { parameters }: { parameters: { epoch: number; holder: string; ms: number } }) => {
      if (rows.every(({ epoch }) => epoch < parameters.epoch)) rows.push({ ...parameters, expired: parameters.ms === 0 ? 1 : 0 });
    },
  };
  return one as unknown as ClickHouse; // nothing else of it is called
}

const startOn = (clickhouse: ClickHouse, tickOf: Parameters<typeof startJob>[1]) =>
  startJob({ name: 'sweep', everySeconds: 10, clickhouse, logger: silentLogger }, tickOf);
const other = (clickhouse: ClickHouse) => openLease(clickhouse, { name: 'sweep', holder: 'other', ttlMs: 30_000 });

test('a job that ends lets its work end, without further effects, and gives its lease back at once', async () => {
  const clickhouse = leases();
  const mayAct: boolean[] = [];
  let [begin, finish] = [() => {}, () => {}];
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const job = startOn(clickhouse, (turn) => async () => {
    await turn.during(async () => {
      mayAct.push(await turn.mayAct());
      begin();
      await finished;
      mayAct.push(turn.signal.aborted, await turn.mayAct());
    });
  });
  await begun;
  expect(await other(clickhouse).acquire()).toBe(false);
  const stopped = job.stop();
  finish();
  await stopped;
  expect(mayAct).toEqual([true, true, false]);
  expect(await other(clickhouse).acquire()).toBe(true);
});

test("a job that has nothing to do takes no lease, and gives back nobody else's", async () => {
  const clickhouse = leases();
  let ticks = 0;
  const job = startOn(clickhouse, () => async () => void (ticks += 1));
  expect(await other(clickhouse).acquire()).toBe(true);
  await job.stop();
  expect(ticks).toBe(1);
  expect(await other(clickhouse).isHeld()).toBe(true);
});
