/** A client that finds the embedded engine again after each restart, as the roles do; it can be less patient than theirs. */
import { type ClickHouse, connect } from '../../storage/clickhouse.ts';
import type { SqlServer } from './sql.ts';

/** A restart changes address and password, or the password alone behind a proxy. */
export function follow(server: SqlServer, database: string, requestTimeoutMs: number): ClickHouse {
  let known = '';
  let client: ClickHouse | null = null;

  function current(): ClickHouse {
    const { url, user, password } = server;
    if (client === null || known !== url + password) {
      void client?.close();
      known = url + password;
      client = connect({ url, user, password, database, requestTimeoutMs });
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
