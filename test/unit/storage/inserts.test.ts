/** What travels with an insert under a token. The server here takes everything and keeps what came; what the engine makes of it is shown on the real one. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openBatchStore } from '../../../storage/batch-store.ts';
import { connect, type ClickHouse } from '../../../storage/clickhouse.ts';
import { openLedger } from '../../../storage/ledger.ts';
import { originClaim } from '../../../storage/positions.ts';
import { keyOf } from '../../support/writer.ts';

interface Request {
  readonly settings: URLSearchParams;
  readonly body: Buffer;
}

let server: Server;
let clickhouse: ClickHouse;
let requests: Request[];

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ settings: new URL(request.url ?? '/', 'http://x').searchParams, body: Buffer.concat(chunks) });
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port
  clickhouse = connect({ url: `http://127.0.0.1:${port}`, user: 'u', password: 'p', database: 'd' });
});
beforeEach(() => {
  requests = [];
});
afterAll(async () => {
  await clickhouse.close();
  server.closeAllConnections();
  server.close();
});

const block = Buffer.from([1, 0, 0, 255]);
const key = keyOf();
const claim = { ...originClaim(5, { receivedAt: 7, writer: 'w', note: '' }), firstOffset: 3, lastOffset: 9 };

const inserts: [string, () => Promise<void>][] = [
  ['events', () => openBatchStore(clickhouse).insertEvents(block, 'the token')],
  ['a claim', () => openLedger(clickhouse).insertClaim(key, claim, 'the token')],
  ['a revision', () => openLedger(clickhouse).insertRevision(key, { ...claim, revision: 1 }, 'the token')],
];

test.each(inserts)('an insert of %s is one request under its token, at once and deduplicated', async (_, insert) => {
  await insert();
  expect(requests).toHaveLength(1);
  const { settings } = requests[0] ?? { settings: new URLSearchParams() };
  expect(Object.fromEntries(settings)).toMatchObject({
    insert_deduplication_token: 'the token',
    insert_deduplicate: '1',
    async_insert: '0',
  });
});

test('events are one Native block that nothing on the way may cut', async () => {
  await openBatchStore(clickhouse).insertEvents(block, 'the token');
  const [{ settings, body } = { settings: new URLSearchParams(), body: block }] = requests;
  expect(settings.get('query')).toMatch(/^INSERT INTO events FORMAT Native\s*$/);
  expect(body.equals(block)).toBe(true);
  expect(Object.fromEntries(settings)).toMatchObject({
    use_strict_insert_block_limits: '1',
    max_insert_threads: '1',
    input_format_parallel_parsing: '0',
    max_partitions_per_insert_block: '1',
  });
  for (const rows of ['max_block_size', 'max_insert_block_size']) expect(Number(settings.get(rows))).toBeGreaterThanOrEqual(1_000_000);
});

test.each(inserts.slice(1))('%s is a select of one row, whose deduplication is asked for by name', async (_, insert) => {
  await insert();
  expect(requests[0]?.settings.get('deduplicate_insert_select')).toBe('force_enable');
  expect(`${requests[0]?.settings.get('query') ?? ''}${String(requests[0]?.body)}`).toMatch(/INSERT INTO batches\s+SELECT/);
});

test('dead letters come under no token: their position says what they are', async () => {
  const letter = { offset: 4, index: 0, tenant: 't', code: 'BAD_JSON', path: '', message: '', detectedFormat: '', excerpt: '', bytes: 1 };
  await openBatchStore(clickhouse).insertDeadLetters(key, claim, [{ ...letter, sha256: '' }]);
  expect(requests[0]?.settings.has('insert_deduplication_token')).toBe(false);
  expect(requests[0]?.settings.get('async_insert')).toBe('0');
});

test('no dead letters are no request', async () => {
  await openBatchStore(clickhouse).insertDeadLetters(key, claim, []);
  expect(requests).toEqual([]);
});
