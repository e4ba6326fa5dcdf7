/** Which messages are kept whole, how they are sealed, and what becomes of one that cannot be opened. */
import { describe, expect, test } from 'vitest';
import { deriveKey } from '../../../core/keys.ts';
import { silentLogger } from '../../../core/logger.ts';
import { createBatchMaker } from '../../../ingest/batch.ts';
import { createKept } from '../../../ingest/kept.ts';
import type { LogMessage } from '../../../ingest/log.ts';
import { createSealer } from '../../../ingest/logs/seal.ts';
import { createWriter } from '../../../ingest/write.ts';
import type { KeptMessage, KeptStore } from '../../../storage/kept-bytes.ts';
import { memoryBatches, memoryStore } from '../../support/memory-store.ts';
import { assignmentOf, keyOf, lineDecoder, rangeOf } from '../../support/writer.ts';

const key = keyOf();
const at = 1_790_000_000_000;
const purpose = (secret: string) => deriveKey(secret, 'dead-letters');

function memoryKept() {
  const rows = new Map<number, KeptMessage>();
  const inserts: number[] = [];
  const store: KeptStore = {
    async keep(_place, messages) {
      inserts.push(messages.reduce((sum, { sealed }) => sum + sealed.length, 0));
      for (const message of messages) rows.set(message.offset, message);
    },
    read: async (_place, offsets) => offsets.flatMap((offset) => rows.get(offset) ?? []),
    has: async (_place, offsets) => new Set(offsets.filter((offset) => rows.has(offset))),
    dropBefore: async () => {},
  };
  const sealer = createSealer({ key: purpose('now'), previousKeys: [purpose('before')] }, 'A kept message');
  return { rows, inserts, kept: createKept(store, sealer, silentLogger) };
}

/** Each message is a dead letter that says `no`. */
const maker = createBatchMaker({
  normaliser: 'test',
  decode: (message, topic, receivedAt, sink) =>
    lineDecoder().decode(
      String(message.value).startsWith('no') ? { ...message, value: Buffer.from('bad') } : message,
      topic,
      receivedAt,
      sink,
    ),
});
const batchOf = (values: readonly string[]) => maker.make(key, rangeOf(10, values), at);

async function read({ kept }: ReturnType<typeof memoryKept>, offsets: readonly number[]): Promise<LogMessage[]> {
  const found: LogMessage[] = [];
  for await (const message of kept.read(key, offsets)) found.push(message);
  return found;
}

describe('what is kept', () => {
  test('are the messages of dead letters alone, as they came, with their headers', async () => {
    const memory = memoryKept();
    const batch = batchOf(['/a', 'no record', '/b', 'no, twice']);
    const headers = { 'gatetrail-format': 'kong' };
    await memory.kept.keep(key, {
      ...batch,
      range: { ...batch.range, messages: batch.range.messages.map((each) => ({ ...each, headers })) },
    });
    expect([...memory.rows.keys()]).toEqual([11, 13]);
    expect(await read(memory, [10, 11, 13, 99])).toEqual([
      { offset: 11, timestamp: -1, headers, value: Buffer.from('no record') },
      { offset: 13, timestamp: -1, headers, value: Buffer.from('no, twice') },
    ]);
  });

  test('shows nothing of them, and is bound to the time of their batch', async () => {
    const memory = memoryKept();
    await memory.kept.keep(key, batchOf(['no secret shows']));
    const row = memory.rows.get(10);
    expect(row?.receivedAt).toBe(at);
    expect(row?.sealed.toString('latin1')).not.toContain('secret');
    expect(row?.keyId).toBe(purpose('now').id);
  });

  test('is not a message of more than 1 MiB, and one insert carries 8 MiB at most', async () => {
    const memory = memoryKept();
    const large = `no${'x'.repeat(1024 * 1024 - 2)}`;
    await memory.kept.keep(key, batchOf([...Array.from({ length: 20 }, () => large), `${large}y`, 'no']));
    expect(memory.rows.size).toBe(21);
    expect(memory.rows.has(30)).toBe(false);
    expect(memory.inserts).toHaveLength(3);
    for (const bytes of memory.inserts) expect(bytes).toBeLessThan(8.5 * 1024 * 1024);
  });

  test('under a secret of before a rotation is opened; under another one it is as good as gone', async () => {
    const memory = memoryKept();
    for (const [offset, secret] of ['before', 'another'].entries()) {
      const sealer = createSealer({ key: purpose(secret) }, 'A kept message');
      memory.rows.set(offset, { offset, receivedAt: at, ...sealer.close({ value: Buffer.from(secret) }) });
    }
    expect((await read(memory, [0, 1])).map(({ value }) => String(value))).toEqual(['before']);
  });

  test('that was changed in the table is not opened', async () => {
    const memory = memoryKept();
    await memory.kept.keep(key, batchOf(['no']));
    const row = memory.rows.get(10);
    row?.sealed.writeUInt8((row.sealed.at(-1) ?? 0) ^ 1, row.sealed.length - 1);
    expect(await read(memory, [10])).toEqual([]);
  });
});

test('a batch keeps them in the step of its dead letters, and again when its claim is completed; none without dead letters', async () => {
  const memory = memoryStore();
  const kept: number[] = [];
  const keep = async (_key: object, { deadLetters }: { deadLetters: readonly object[] }) => void kept.push(deadLetters.length);
  const batches = memoryBatches();
  const steps: string[] = [];
  const options = {
    ...memory,
    maker: batches,
    writer: 'w',
    logger: silentLogger,
    retryMs: 0,
    keep,
    trace: (step: string) => steps.push(step),
  };
  const writer = createWriter(options);
  await writer.write(assignmentOf(), batches.make(key, rangeOf(0, ['/a']), at), 1);
  expect(kept).toEqual([]);
  const failing = createWriter({ ...options, keep: async () => Promise.reject(new Error('the disk is full')) });
  const batch = batches.make(key, rangeOf(1, ['/b', 'bad']), at);
  await expect(failing.write(assignmentOf(), batch, 2)).rejects.toThrow('the disk is full');
  expect(memory.events.map(({ position }) => position)).toEqual(['0/0']);
  const claim = await memory.ledger.tail(key);
  if (claim === null) throw new Error('the batch was not claimed');
  await writer.complete(assignmentOf(), claim, batch);
  expect(kept).toEqual([1]);
});
