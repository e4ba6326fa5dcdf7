/** A client that finds the embedded engine again after each restart, as the roles do; it can be less patient than theirs. */
import { type ClickHouse, connect } from '../../storage/clickhouse.ts';
import type { TestEngine } from './engine.ts';

export function follow(engine: TestEngine, database: string, requestTimeoutMs: number): ClickHouse {
  let known = '';
  let client: ClickHouse | null = null;

  function current(): ClickHouse {
    if (client === null || engine.url !== known) {
      void client?.close();
      known = engine.url;
      client = connect({ url: known, user: 'ingest', password: engine.password, database, requestTimeoutMs });
    }
    return client;
  }

  return {
    database,
    rows: (sql, options) => current().rows(sql, options),
    stream: (sql, options) => current().stream(sql, options),
    run: (sql, options) => current().run(sql, options),
    insertRows: (table, rows, options) => current().insertRows(table, rows, options),
    insertBlock: (table, block, options) => current().insertBlock(table, block, options),
    ping: () => current().ping(),
    close: async () => client?.close(),
  };
}
