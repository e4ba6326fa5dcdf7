/** A job beside the alerts: woken by the clock (UTC), done by one process at a time under a lease that it gives back when it ends. */
import { startScheduler, type Scheduler } from '../alerts/scheduler.ts';
import type { Logger } from '../core/logger.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import { type Lease, openLease } from '../storage/lease.ts';
import { holderName } from './stores.ts';

export interface JobOptions {
  /** Of the job, its lease and its ticks. */
  readonly name: string;
  /** Divides a minute. */
  readonly everySeconds: number;
  readonly clickhouse: ClickHouse;
  readonly logger: Logger;
}

/** What its work may know of the job that it is part of. */
export interface Turn extends Pick<Lease, 'during'> {
  /** Asked right before each effect: nobody ends the job, and the lease is still its own. */
  readonly mayAct: () => Promise<boolean>;
  readonly signal: AbortSignal;
  /** Unique per process. */
  readonly holder: string;
}

/** `tickOf` is called once and gives what each tick does; it takes the lease by `during` when there is something to do. */
export function startJob({ name, everySeconds, clickhouse, logger }: JobOptions, tickOf: (turn: Turn) => () => Promise<void>): Scheduler {
  const holder = holderName(name);
  const lease = openLease(clickhouse, { name, holder, ttlMs: 30_000 });
  const control = new AbortController();
  const { signal } = control;
  const mayAct = async () => !signal.aborted && (await lease.isHeld());
  const scheduler = startScheduler(tickOf({ during: lease.during, mayAct, signal, holder }), { job: name, everySeconds, logger });
  return {
    async stop() {
      control.abort();
      await scheduler.stop();
      // One that cannot be given back runs out.
      await lease.release().catch(() => {});
    },
  };
}
