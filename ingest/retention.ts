/**
 * The retention job. At the longest span whole days of events go, under a floor that is on record first: writers store
 * nothing below it. Of classes that are kept shorter the rows alone go, by a mutation that keeps the deduplication tokens;
 * the newest claims are settled before, so that nobody reads them back any more. What goes is on record before it goes; the rows
 * of the rollups that were made of it go after it.
 *
 * Every run looks at what there is, not at what was done before: a crash at any step is completed by the next run, and
 * rows that come late are found again.
 */
import type { Logger } from '../core/logger.ts';
import type { BatchStore } from '../storage/batch-store.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import type { Claim, Ledger, PartitionKey } from '../storage/ledger.ts';
import { newestClaimsBefore } from '../storage/newest-claims.ts';
import type { DatabaseClock } from '../storage/positions.ts';
import { daysWith, mutate, record, type Removal, type Selection } from '../storage/removals.ts';
import { dayName, daysBelow, dropDay, floorAge, raiseFloor, readFloor } from '../storage/retention-floor.ts';
import { type Cut, dayMs, dayOf, dueAt, type RetentionPolicy } from '../storage/retention-policy.ts';
import { rollupTables } from '../storage/rollup-tables.ts';
import type { Range } from '../storage/scope.ts';
import { judge } from './judge.ts';
import { createRevise } from './revise.ts';
import { createSettling } from './settle.ts';

export type RetentionStep = 'floor' | 'settle' | 'record' | 'drop' | 'delete';

export interface RetentionOptions {
  readonly clickhouse: ClickHouse;
  readonly ledger: Ledger;
  readonly store: BatchStore;
  /** ClickHouse's: a machine with another clock must not decide what is old. */
  readonly clock: DatabaseClock;
  readonly policy: RetentionPolicy;
  /** Unique per process. */
  readonly holder: string;
  readonly logger: Logger;
  /** Asked right before each effect: the lease is still this process's. */
  readonly mayAct: () => Promise<boolean>;
  readonly signal: AbortSignal;
  /** Longest time of a writer's request, default 30 s: twice that after the floor rose, nothing is under way below it. */
  readonly longestRequestMs?: number;
  /** Told before each effect; for tests that end the job there. */
  readonly trace?: (step: RetentionStep) => void;
}

export interface Retention {
  /** Whether something is due; a read, so that many may ask and one does it. @throws CLOCK_SKEW */
  isDue(): Promise<boolean>;
  /** @throws NOT_READY while a mutation is under way, CLOCK_SKEW; the next run goes on */
  run(): Promise<void>;
}

/** The lease is another's now, or the process ends. */
class Stopped extends Error {
  override readonly name = 'Stopped';
}

export function createRetention(options: RetentionOptions): Retention {
  const { clickhouse, clock, holder: by, ledger, logger, policy, signal, store } = options;
  const revise = createRevise(ledger, createSettling({ logger, replicated: store.replicated === true }));
  let toldHeld = '';

  async function due() {
    await clock.measure();
    const now = dueAt(policy, clock.now());
    const floor = await readFloor(clickhouse);
    return { ...now, current: floor, floor: Math.max(now.floor, floor) };
  }

  async function before(step: RetentionStep): Promise<void> {
    options.trace?.(step);
    if (signal.aborted || !(await options.mayAct())) throw new Stopped();
  }

  /** On record, then gone. */
  async function remove(removal: Removal, effect: () => Promise<void>): Promise<void> {
    await before('record');
    await record(clickhouse, removal, signal);
    await before(removal.cut === null && removal.kind === 'events' ? 'drop' : 'delete');
    await effect();
    const { from, to } = removal.range;
    logger.info({ ...facts(removal), from: new Date(from).toISOString(), to: new Date(to).toISOString() }, 'removed by retention');
  }

  async function dropBelow(floor: number, text: string): Promise<void> {
    const days = await daysBelow(clickhouse, floor);
    const isSettled = days.length === 0 || (await floorAge(clickhouse)) >= 2 * (options.longestRequestMs ?? 30_000);
    if (!isSettled && (await openClaims(days, floor)).length > 0) {
      logger.info({ days: days.map(dayName) }, 'a batch below the retention floor is still being stored; its day is dropped later');
      return;
    }
    const all = { cut: null, held: [], policy: text, by };
    for (const day of days) {
      const range = { from: day, to: day + dayMs };
      await remove({ ...all, kind: 'events', range }, () => dropDay(clickhouse, day));
    }
    await removeRows({ ...all, kind: 'dead_letters', range: { from: 0, to: floor } });
  }

  /** Newest claims that arrived on these days and do not read back. */
  async function openClaims(days: readonly number[], before: number): Promise<Claim[]> {
    const newest = await newestClaimsBefore(clickhouse, ledger, before);
    const open: Claim[] = [];
    for (const { key, claim } of newest) {
      if (days.includes(dayOf(claim.receivedAt)) && !(await isClosed(key, claim))) open.push(claim);
    }
    return open;
  }

  const isClosed = async (key: PartitionKey, claim: Claim) =>
    claim.settled || judge(claim, await store.found(key, claim)).kind === 'complete';

  async function removeCut(cut: Cut, floor: number): Promise<void> {
    const range = { from: floor, to: cut.before };
    if (!(await isDueIn(cut, range))) return;
    const held = await settleBefore(cut.before, floor);
    const removal = { cut, held, policy: cut.policy, by };
    for (const day of await daysWith(clickhouse, { kind: 'events', range, cut, held })) {
      const from = startOf(day);
      await removeRows({ ...removal, kind: 'events', range: { from, to: from + dayMs } });
    }
    await removeRows({ ...removal, kind: 'dead_letters', range });
    await removeRollups({ cut, held, range });
  }

  /** Of a tenant whole days go, so its rows of the rollups go as they are; what a job adds that read before is found by the next run. */
  async function removeRollups(selection: Omit<Selection, 'kind'>): Promise<void> {
    for (const { name: kind } of rollupTables) {
      if (!(await has({ ...selection, kind }))) continue;
      await before('delete');
      await mutate(clickhouse, { ...selection, kind }, signal);
    }
  }

  async function isDueIn(cut: Cut, range: Range): Promise<boolean> {
    for (const kind of kinds) if (await has({ kind, range, cut, held: [] })) return true;
    return false;
  }

  const has = async (selection: Selection) => (await daysWith(clickhouse, selection)).length > 0;

  async function removeRows(removal: Removal): Promise<void> {
    if (await has(removal)) await remove(removal, () => mutate(clickhouse, removal, signal));
  }

  /** Settles the newest claims, each after it reads back. Gives the days (YYYYMMDD) of those that are still being stored. */
  async function settleBefore(instant: number, floor: number): Promise<number[]> {
    const held = new Set<number>();
    for (const { key, claim } of await newestClaimsBefore(clickhouse, ledger, instant)) {
      if (claim.settled || claim.receivedAt < floor) continue;
      if (!(await isClosed(key, claim)) || !(await settleClaim(key, claim))) held.add(Number(dayName(claim.receivedAt)));
    }
    const days = [...held].toSorted((a, b) => a - b);
    if (days.join() !== toldHeld && days.length > 0)
      logger.warn({ days }, 'a batch of these days is not stored yet; what is due on them is removed later');
    toldHeld = days.join();
    return days;
  }

  /** False when somebody else has revised the claim meanwhile: the next run sees how it reads now. */
  async function settleClaim(key: PartitionKey, claim: Claim): Promise<boolean> {
    await before('settle');
    const current = await revise({ key, revoked: signal }, { ...claim, settled: true });
    return current.settled;
  }

  return {
    async isDue() {
      const { floor, current, cuts } = await due();
      if (floor > current || (await daysBelow(clickhouse, floor)).length > 0) return true;
      if (await has({ kind: 'dead_letters', range: { from: 0, to: floor }, cut: null, held: [] })) return true;
      for (const cut of cuts) if (await isDueIn(cut, { from: floor, to: cut.before })) return true;
      return false;
    },
    async run() {
      try {
        const { floor, current, cuts, policy: text } = await due();
        if (floor > current) {
          await before('floor');
          await raiseFloor(clickhouse, floor, { reason: text, setBy: by });
        }
        if (floor > 0) await dropBelow(floor, text);
        for (const cut of cuts) await removeCut(cut, floor);
      } catch (error) {
        if (!(error instanceof Stopped) && !signal.aborted) throw error;
      }
    },
  };
}

const kinds = ['events', 'dead_letters', ...rollupTables.map(({ name }) => name)] as const;
const startOf = (day: number) => Date.parse(`${String(day).replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3')}T00:00:00Z`);
const facts = ({ kind, policy }: Removal) => ({ kind, policy });
