/**
 * Who may do a thing that one process does at a time (migrate, run the scheduler), with no other system than ClickHouse:
 * the row of epoch n+1 goes in under the token `lease:NAME:n+1`, and reading back says who won. Expiry is judged by
 * ClickHouse's clock. A token that was burnt by a crash gives an epoch without a row: the next epoch is tried, never a suffix.
 */
import type { ClickHouse } from './clickhouse.ts';
import { inSync, quorumOf } from './cluster.ts';

export interface LeaseOptions {
  readonly name: string;
  /** Who asks: unique per process. */
  readonly holder: string;
  readonly ttlMs: number;
}

export interface Lease {
  /** True when this holder has it now, taken or renewed. */
  acquire(): Promise<boolean>;
  /** Does `work` while the lease is renewed beside it, however long it takes; null when another holder has it. */
  during<Result>(work: () => Promise<Result>): Promise<Result | null>;
  /** Asked before each effect: true while the newest epoch is this holder's and has not expired. */
  isHeld(): Promise<boolean>;
  release(): Promise<void>;
}

interface Head {
  readonly epoch: number;
  readonly holder: string;
  readonly expired: boolean;
}

/** Made before any migration: the migrations themselves run under a lease. */
export const leasesTable = `CREATE TABLE IF NOT EXISTS leases (
  name LowCardinality(String),
  epoch UInt64,
  holder String,
  expires_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (name, epoch)
SETTINGS non_replicated_deduplication_window = 100000, fsync_after_insert = 1, fsync_part_directory = 1`;

/** Epochs that are tried beyond the newest one before giving up for now. */
const maxBurnt = 5;

export function openLease(clickhouse: ClickHouse, options: LeaseOptions): Lease {
  const { name, holder, ttlMs } = options;

  /** Each look on a copy that has every epoch before it: on one that lags, an epoch that others hold would seem free. */
  const onNode = <Result>(work: (node: ClickHouse) => Promise<Result>) => inSync(clickhouse, 'leases', { topic: name, partition: 0 }, work);

  const head = (): Promise<Head> => onNode(headOn);

  async function headOn(node: ClickHouse): Promise<Head> {
    const [row] = await node.rows<{ epoch: string; holder: string; expired: number }>(
      `SELECT epoch, holder, expires_at <= now64(3, 'UTC') AS expired
FROM leases
WHERE name = {name:String}
ORDER BY epoch DESC
LIMIT 1`,
      { parameters: { name } },
    );
    return row ? { epoch: Number(row.epoch), holder: row.holder, expired: row.expired === 1 } : { epoch: 0, holder: '', expired: true };
  }

  /** A row of `epoch` that expires after `ms`; whether it is ours is for the next look at the head. */
  const write = (epoch: number, ms: number) => onNode((node) => writeOn(node, epoch, ms));

  const writeOn = (node: ClickHouse, epoch: number, ms: number) =>
    node.run(
      `INSERT INTO leases
SELECT {name:String}, {epoch:UInt64}, {holder:String}, now64(3, 'UTC') + toIntervalMillisecond({ms:Int64})
WHERE NOT EXISTS (SELECT 1 FROM leases WHERE name = {name:String} AND epoch >= {epoch:UInt64})`,
      {
        parameters: { name, epoch, holder, ms },
        settings: {
          async_insert: 0,
          insert_deduplicate: 1,
          deduplicate_insert_select: 'force_enable',
          insert_deduplication_token: `lease:${name}:${epoch}`,
          ...quorumOf(clickhouse),
        },
      },
    );

  async function acquire(): Promise<boolean> {
    const before = await head();
    if (!before.expired && before.holder !== holder) return false;
    for (let epoch = before.epoch + 1; epoch <= before.epoch + maxBurnt; epoch += 1) {
      await write(epoch, ttlMs);
      const after = await head();
      if (after.epoch >= epoch) return after.holder === holder && !after.expired;
    }
    return false;
  }

  return {
    acquire,
    async during(work) {
      if (!(await acquire())) return null;
      // One that could not be renewed is not held any more, which the next effect asks.
      const renewing = setInterval(() => void acquire().catch(() => {}), ttlMs / 3);
      try {
        return await work();
      } finally {
        clearInterval(renewing);
      }
    },
    async isHeld() {
      const now = await head();
      return now.holder === holder && !now.expired;
    },
    async release() {
      const now = await head();
      if (now.holder === holder && !now.expired) await write(now.epoch + 1, 0);
    },
  };
}
