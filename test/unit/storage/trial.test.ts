/** A block is tried beside the table: only what the database says of its rows counts as a refusal. */
import { expect, test } from 'vitest';
import { AuditError } from '../../../core/errors.ts';
import { openBatchStore } from '../../../storage/batch-store.ts';
import type { ClickHouse } from '../../../storage/clickhouse.ts';

/** Of the verbs a trial uses two. */
function refusing(clickhouseCode: number): ClickHouse {
  const refusal = new AuditError('BACKEND_REFUSED', 'no', { facts: { clickhouseCode } });
  return { run: async () => {}, insertBlock: () => Promise.reject(refusal) } as unknown as ClickHouse;
}

const trial = (code: number) => openBatchStore(refusing(code)).accepts(Buffer.alloc(1));

test.each([469, 41, 53])('code %i says that the rows are refused', async (code) => {
  expect(await trial(code)).toBe(false);
});

test.each([
  ['QUERY_WAS_CANCELLED', 394],
  ['UNKNOWN_STATUS_OF_INSERT', 319],
  ['UNKNOWN_TABLE', 60],
])('%s says nothing of the rows: the trial is made again', async (_, code) => {
  await expect(trial(code)).rejects.toMatchObject({ code: 'BACKEND_REFUSED', facts: { clickhouseCode: code } });
});
