/** What ClickHouse answers becomes a code of ours. The server here only says what a real one says in such a case. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type ClickHouse } from '../../../storage/clickhouse.ts';
import { isRefusedForGood } from '../../../storage/refusals.ts';

let server: Server;
let clickhouse: ClickHouse;
let answer = '';

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    response.writeHead(500, { 'x-clickhouse-exception-code': /Code: (\d+)/.exec(answer)?.[1] ?? '' }).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port
  clickhouse = connect({ url: `http://127.0.0.1:${port}`, user: 'u', password: 'p', database: 'd' });
});
afterAll(async () => {
  await clickhouse.close();
  server.closeAllConnections();
  server.close();
});

describe('an answer of ClickHouse', () => {
  test.each([
    ['Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)', 'DISK_FULL', true],
    [
      'Code: 75. DB::ErrnoException: Cannot write: errno: 28, strerror: No space left on device. (CANNOT_WRITE_TO_FILE_DESCRIPTOR)',
      'DISK_FULL',
      true,
    ],
    ['Code: 516. DB::Exception: u: Authentication failed. (AUTHENTICATION_FAILED)', 'SIGN_IN_REFUSED', false],
    ['Code: 192. DB::Exception: There is no user u. (UNKNOWN_USER)', 'SIGN_IN_REFUSED', false],
    ['Code: 159. DB::Exception: Timeout exceeded. (TIMEOUT_EXCEEDED)', 'QUERY_TIMEOUT', true],
    ['Code: 241. DB::Exception: Query memory limit exceeded: would use 9 GiB. (MEMORY_LIMIT_EXCEEDED)', 'QUERY_TOO_EXPENSIVE', false],
    ['Code: 241. DB::Exception: (total) memory limit exceeded: would use 9 GiB. (MEMORY_LIMIT_EXCEEDED)', 'BACKEND_BUSY', true],
    ['Code: 202. DB::Exception: Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES)', 'BACKEND_BUSY', true],
    ['Code: 164. DB::Exception: u: Cannot execute query in readonly mode. (READONLY)', 'BACKEND_READ_ONLY', true],
    ['Code: 60. DB::Exception: Unknown table. (UNKNOWN_TABLE)', 'BACKEND_REFUSED', false],
  ])('%s', async (text, code, retryable) => {
    answer = text;
    await expect(clickhouse.rows('SELECT 1')).rejects.toMatchObject({
      code,
      retryable,
      facts: { clickhouseCode: Number(text.slice(6).split('.')[0]) },
    });
  });

  test.each([
    ['Code: 252. DB::Exception: Too many parts (300). Merges are processing significantly slower. (TOO_MANY_PARTS)', 'BACKEND_BUSY'],
    // What an insert holds is bounded: it is too much only beside what others hold.
    ['Code: 241. DB::Exception: Query memory limit exceeded: would use 9 GiB. (MEMORY_LIMIT_EXCEEDED)', 'BACKEND_BUSY'],
    ['Code: 242. DB::Exception: Table is in readonly mode. (TABLE_IS_READ_ONLY)', 'BACKEND_READ_ONLY'],
    ['Code: 774. DB::Exception: Table is in readonly mode. (TABLE_IS_PERMANENTLY_READ_ONLY)', 'BACKEND_READ_ONLY'],
    ['Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space. (NOT_ENOUGH_SPACE)', 'DISK_FULL'],
  ])('to a write may be asked for again: %s', async (text, code) => {
    answer = text;
    const writes = [
      clickhouse.run('INSERT INTO t SELECT 1'),
      clickhouse.insertRows('t', [{ a: 1 }]),
      clickhouse.insertBlock('t', Buffer.alloc(1), {}),
    ];
    for (const write of writes) {
      const refusal: unknown = await write.catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code, retryable: true });
      expect(isRefusedForGood(refusal)).toBe(false);
    }
  });

  test('that is about the rows alone is a refusal for good', async () => {
    answer = 'Code: 469. DB::Exception: Constraint is violated. (VIOLATED_CONSTRAINT)';
    const refusal: unknown = await clickhouse.insertBlock('t', Buffer.alloc(1), {}).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'BACKEND_REFUSED' });
    expect(isRefusedForGood(refusal)).toBe(true);
  });

  test('to one insert of two days is no server that is busy', async () => {
    answer = 'Code: 252. DB::Exception: Too many partitions for single INSERT block (more than 1). (TOO_MANY_PARTS)';
    await expect(clickhouse.insertBlock('t', Buffer.alloc(1), {})).rejects.toMatchObject({ code: 'BACKEND_REFUSED' });
  });

  test('that does not come is BACKEND_UNAVAILABLE', async () => {
    const nobody = connect({ url: 'http://127.0.0.1:9', user: 'u', password: 'p', database: 'd' });
    await expect(nobody.rows('SELECT 1')).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE', retryable: true });
    await nobody.close();
  });
});
