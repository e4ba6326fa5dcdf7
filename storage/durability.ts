/**
 * What an insert that was answered survives: `power`, a power cut too, because part and folder are flushed to the disk before
 * the answer; `process`, only the end of a process, because the system writes them when it likes.
 */
import type { ClickHouse } from './clickhouse.ts';
import { alterTarget, ddlSettings } from './cluster.ts';

export type Durability = 'power' | 'process';

/** Gives every table of the database that stores rows this durability. A table that has it is left alone. */
export async function setDurability(clickhouse: ClickHouse, durability: Durability): Promise<void> {
  const { cluster } = clickhouse;
  const flush = durability === 'power' ? 1 : 0;
  for (const [table, current] of await durabilityOfTables(clickhouse)) {
    if (current === durability) continue;
    const target = cluster === undefined ? table : alterTarget(table.replace(/_local$/, ''), cluster);
    await clickhouse.run(`ALTER TABLE ${target} MODIFY SETTING fsync_after_insert = ${flush}, fsync_part_directory = ${flush}`, {
      settings: cluster === undefined ? {} : ddlSettings,
    });
  }
}

/** Of each table that a migration made, as the server has it now. */
export async function durabilityOfTables(clickhouse: ClickHouse): Promise<ReadonlyMap<string, Durability>> {
  const rows = await clickhouse.rows<{ name: string; flushed: number }>(
    `SELECT name, engine_full LIKE '%fsync_after_insert = 1%' AND engine_full LIKE '%fsync_part_directory = 1%' AS flushed
FROM system.tables
WHERE database = currentDatabase()
  AND engine_full LIKE '%fsync_after_insert = %'
ORDER BY name`,
  );
  return new Map(rows.map(({ name, flushed }) => [name, flushed === 1 ? 'power' : 'process']));
}

/** The weakest of its tables: what the whole can promise. */
export async function durabilityOf(clickhouse: ClickHouse): Promise<Durability> {
  return [...(await durabilityOfTables(clickhouse)).values()].includes('process') ? 'process' : 'power';
}
