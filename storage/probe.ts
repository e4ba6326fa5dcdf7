/** At start: proof that this server holds deduplication tokens. Without them nothing could be stored exactly once. */
import { randomUUID } from 'node:crypto';
import { AuditError } from '../core/errors.ts';
import type { ClickHouse } from './clickhouse.ts';
import { atShard, probeEngine } from './cluster.ts';
import { NumberColumn, Out } from './columns.ts';

/** One token with 1 row, with 70,000 rows and with two blocks: one row may stay. @throws TOKENS_NOT_HELD */
export async function probeTokens(clickhouse: ClickHouse): Promise<void> {
  const isReplicated = clickhouse.cluster !== undefined;
  await atShard(clickhouse, { topic: 'probe', partition: 0 }, ({ node }) => probe(node, isReplicated));
}

async function probe(clickhouse: ClickHouse, isReplicated: boolean): Promise<void> {
  const table = `probe_${randomUUID().replaceAll('-', '')}`;
  await clickhouse.run(`CREATE TABLE ${table} (n UInt32) ${probeEngine(table, isReplicated)}`);
  try {
    for (const block of [nativeBlock(1), nativeBlock(70_000), Buffer.concat([nativeBlock(1), nativeBlock(1)])]) {
      await clickhouse.insertBlock(table, block, { token: table });
      await expectOneRow(clickhouse, table);
    }
  } finally {
    await clickhouse.run(`DROP TABLE IF EXISTS ${table}${isReplicated ? ' SYNC' : ''}`);
  }
}

async function expectOneRow(clickhouse: ClickHouse, table: string): Promise<void> {
  const [row] = await clickhouse.rows<{ n: string }>(`SELECT count() AS n FROM ${table}`);
  if (row?.n === '1') return;
  throw new AuditError(
    'TOKENS_NOT_HELD',
    `Inserts under one deduplication token must leave 1 row, and left ${row?.n ?? 'none'}. Check that the profile of this user allows async_insert = 0, insert_deduplicate = 1, use_strict_insert_block_limits = 1, and that the server keeps non_replicated_deduplication_window`,
  );
}

function nativeBlock(rows: number): Buffer {
  const column = new NumberColumn((length) => new Uint32Array(length));
  for (let row = 0; row < rows; row += 1) column.add(row);
  const out = new Out(rows * 4 + 32);
  out.varint(1);
  out.varint(rows);
  out.text('n');
  out.text('UInt32');
  column.write(out);
  return out.buffer.subarray(0, out.length);
}
