/** Replays of dead letters in this process: whoever answers the API has the log and the reader of today. */
import { randomUUID } from 'node:crypto';
import { systemClock } from '../core/clock.ts';
import { deriveKey } from '../core/keys.ts';
import type { Logger } from '../core/logger.ts';
import { createReplays, type Replays } from '../ingest/dead-letters.ts';
import { createKept, type Kept } from '../ingest/kept.ts';
import type { Log } from '../ingest/log.ts';
import { createSealer } from '../ingest/logs/seal.ts';
import { createReplayer } from '../ingest/replay.ts';
import { openBatchStore } from '../storage/batch-store.ts';
import type { ClickHouse } from '../storage/clickhouse.ts';
import { openLetters } from '../storage/dead-letters.ts';
import { openKept } from '../storage/kept-bytes.ts';
import { openLease } from '../storage/lease.ts';
import { openLedger } from '../storage/ledger.ts';
import { openReplayLedger } from '../storage/replays.ts';
import type { Config } from './settings.ts';
import { makeDecoder } from './decoder.ts';
import { secretsOf } from './secrets.ts';
import { holderName } from './stores.ts';
import { closedReader } from './watermark.ts';

/** Messages of dead letters, sealed. */
export function keptOf(config: Config, clickhouse: ClickHouse, logger: Logger): Kept {
  const { current, previous } = secretsOf(config);
  const keys = { key: deriveKey(current, 'dead-letters'), previousKeys: previous.map((secret) => deriveKey(secret, 'dead-letters')) };
  return createKept(openKept(clickhouse), createSealer(keys, 'A kept message of a dead letter'), logger);
}

interface Options {
  readonly config: Config;
  readonly clickhouse: ClickHouse;
  readonly log: Log;
  readonly logger: Logger;
  /** Ends a replay on its way. */
  readonly signal: AbortSignal;
}

export async function openReplays({ config, clickhouse, log, logger, signal }: Options): Promise<Replays> {
  const decoder = await makeDecoder(config);
  const ledger = openLedger(clickhouse);
  const store = openBatchStore(clickhouse);
  const replays = openReplayLedger(clickhouse);
  const letters = openLetters(clickhouse);
  return createReplays({
    log,
    ledger,
    replays,
    store,
    kept: keptOf(config, clickhouse, logger),
    keptStore: openKept(clickhouse),
    closed: closedReader(clickhouse, systemClock),
    run() {
      const holder = `${holderName('replay')}:${randomUUID()}`; // this process may be asked twice at once
      return {
        lease: openLease(clickhouse, { name: 'replay', holder, ttlMs: 10_000 }),
        replayer: createReplayer({ ledger, replays, store, letters, decoder, writer: holder, logger, revoked: signal }),
      };
    },
  });
}
