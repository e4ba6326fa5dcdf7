/** A ClickHouse that remembers what its last write and its last read failed with, so that readiness can say it. */
import { AuditError } from '../core/errors.ts';
import type { Clock } from '../core/clock.ts';
import type { ClickHouse, Cluster } from '../storage/clickhouse.ts';

export interface WatchedClickHouse extends ClickHouse {
  /** `CODE: message` of what fails now; empty once a call of the same kind worked. */
  problems(): string[];
}

/** What nobody tried again for so long says nothing of now. */
const freshMs = 30_000;
/** A read may fail by what was asked; these tell of the server. */
const ofServer: ReadonlySet<string> = new Set(['BACKEND_UNAVAILABLE', 'BACKEND_BUSY', 'SIGN_IN_REFUSED', 'DISK_FULL']);

export function watched(clickhouse: ClickHouse, clock: Clock): WatchedClickHouse {
  const failed = new Map<'read' | 'write', { readonly text: string; readonly at: number }>();
  async function watch<Result>(kind: 'read' | 'write', work: Promise<Result>): Promise<Result> {
    try {
      const result = await work;
      failed.delete(kind);
      return result;
    } catch (error) {
      if (error instanceof AuditError && (kind === 'write' || ofServer.has(error.code)))
        failed.set(kind, { text: `${error.code}: ${error.message}`, at: clock.now() });
      throw error;
    }
  }
  const { cluster } = clickhouse;
  return {
    database: clickhouse.database,
    ...(cluster !== undefined && {
      cluster: { ...cluster, onShard: (shard, work) => watch('write', cluster.onShard(shard, work)) } satisfies Cluster,
    }),
    rows: (sql, options) => watch('read', clickhouse.rows(sql, options)),
    stream: (sql, options) => watch('read', clickhouse.stream(sql, options)),
    run: (sql, options) => watch('write', clickhouse.run(sql, options)),
    insertRows: (table, rows, options) => watch('write', clickhouse.insertRows(table, rows, options)),
    insertBlock: (table, block, options) => watch('write', clickhouse.insertBlock(table, block, options)),
    ping: () => clickhouse.ping(),
    close: () => clickhouse.close(),
    problems: () => [...failed.values()].filter(({ at }) => clock.now() - at < freshMs).map(({ text }) => text),
  };
}
