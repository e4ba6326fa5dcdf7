/** Notes down the statements over events that go through a client. */
import type { ClickHouse } from '../../storage/clickhouse.ts';

export function noteStatements(clickhouse: ClickHouse): { readonly clickhouse: ClickHouse; readonly statements: string[] } {
  const statements: string[] = [];
  const rows: ClickHouse['rows'] = (sql, options) => {
    if (sql.includes('FROM events')) statements.push(sql);
    return clickhouse.rows(sql, options);
  };
  return { clickhouse: { ...clickhouse, rows }, statements };
}
