/** A server that does not hold tokens is refused at start. Which inserts are tried, and what is believed; the real engine passes in integration. */
import { expect, test } from 'vitest';
import type { ClickHouse } from '../../../storage/clickhouse.ts';
import { probeTokens } from '../../../storage/probe.ts';

/** Counts, after each insert, what `rows` says. */
function serverThatLeaves(rows: readonly number[]) {
  const statements: string[] = [];
  const inserts: { token: string | undefined; bytes: number }[] = [];
  const clickhouse = {
    run: async (sql: string) => void statements.push(sql),
    insertBlock: async (_table: string, block: Buffer, { token }: { token?: string }) => void inserts.push({ token, bytes: block.length }),
    rows: async () => [{ n: String(rows[inserts.length - 1]) }],
  };
  return { clickhouse: clickhouse as unknown as ClickHouse, statements, inserts };
}

test('one row, then 70,000, then two blocks come under one token', async () => {
  const { clickhouse, inserts, statements } = serverThatLeaves([1, 1, 1]);
  await probeTokens(clickhouse);
  const [one, many, two] = inserts.map(({ bytes }) => bytes);
  expect(new Set(inserts.map(({ token }) => token)).size).toBe(1);
  expect(inserts[0]?.token).toBeDefined();
  expect(many).toBeGreaterThan(70_000 * 4);
  expect(two).toBe(2 * (one ?? 0));
  expect(statements.at(-1)).toMatch(/^DROP TABLE/);
});

test.each([
  ['an insert is not there yet, as with a forced async_insert', [0]],
  ['many rows are stored beside one', [1, 70_001]],
  ['two blocks are stored beside one', [1, 1, 3]],
])('a server is refused when %s', async (_, rows) => {
  const { clickhouse, statements } = serverThatLeaves(rows);
  await expect(probeTokens(clickhouse)).rejects.toMatchObject({
    code: 'TOKENS_NOT_HELD',
    message: expect.stringMatching(/async_insert = 0.*insert_deduplicate = 1.*non_replicated_deduplication_window/),
  });
  expect(statements.at(-1)).toMatch(/^DROP TABLE/);
});
