/** What the journal promises to those who append and the one who reads. */
import { createHash, randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../core/logger.ts';
import type { AssignedPartition, Fetched, LogMessage } from '../../ingest/log.ts';
import { openJournal, type Journal } from '../../ingest/logs/journal.ts';

/** All records of one key, so that they stand in one partition, behind each other. */
const newKey = () => ({ id: randomBytes(4).toString('hex'), key: randomBytes(32) });
const key = newKey();
const place = { topic: 't', partition: createHash('sha256').update('k').digest().readUInt32BE() % 4 };
const waiting = { maxWaitMs: 2_000, maxBytes: 1 << 20 };
let dir: string;
let journal: Journal;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'gatetrail-journal-'));
  journal = openJournal({ folder: dir, key });
});

afterEach(async () => {
  await journal.close();
  rmSync(dir, { recursive: true, force: true });
});

async function firstPartition(): Promise<AssignedPartition & { stop(): Promise<void> }> {
  const { promise, resolve } = withResolvers<AssignedPartition>();
  const consumer = await journal.consume({
    topics: ['t'],
    group: 'g',
    onAssigned: (partition) => partition.partition === place.partition && resolve(partition),
    onFailure: () => {},
    readAheadBytes: 1 << 20,
    logger: silentLogger,
  });
  const partition = await promise;
  partition.seek(0);
  return Object.assign(partition, { stop: () => consumer.stop() });
}

function withResolvers<Value>() {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>((done) => (resolve = done));
  return { promise, resolve };
}

async function readAll(partition: AssignedPartition, count: number): Promise<LogMessage[]> {
  const all: LogMessage[] = [];
  let got: Fetched;
  do all.push(...(got = await partition.next(waiting)).messages);
  while (all.length < count && got.to > got.from);
  return all;
}

const texts = (messages: readonly LogMessage[]) => messages.map(({ value }) => value?.toString());

test('what is appended is read in order, byte for byte, with its headers', async () => {
  const binary = randomBytes(1_000);
  const positions = await journal.append('t', [
    { key: 'k', value: Buffer.from('żółw'), headers: { source: 'ü' } },
    { key: 'k', value: binary },
  ]);
  expect(positions).toEqual([
    { partition: place.partition, offset: 0 },
    { partition: place.partition, offset: 1 },
  ]);
  const partition = await firstPartition();
  const [first, second] = await readAll(partition, 2);
  expect(first?.value?.toString()).toBe('żółw');
  expect(first?.headers).toEqual({ source: 'ü' });
  expect(second?.value?.equals(binary)).toBe(true);
  await partition.stop();
});

test('reading starts at exactly the position, backwards too', async () => {
  await journal.append(
    't',
    [1, 2, 3, 4].map((n) => ({ key: 'k', value: Buffer.from(`m${n}`) })),
  );
  const partition = await firstPartition();
  partition.seek(2);
  expect(texts((await partition.next(waiting)).messages)).toEqual(['m3', 'm4']);
  partition.seek(1);
  expect(await partition.next(waiting)).toMatchObject({ from: 1, to: 4, low: 0, high: 4, holes: null });
  await partition.stop();
});

test('one call gives no more bytes than asked for, but at least one message', async () => {
  await journal.append(
    't',
    [1, 2, 3].map(() => ({ key: 'k', value: Buffer.alloc(1_000) })),
  );
  const partition = await firstPartition();
  expect((await partition.next({ maxWaitMs: 0, maxBytes: 10 })).messages).toHaveLength(1);
  expect((await partition.next({ maxWaitMs: 0, maxBytes: 2_000 })).messages).toHaveLength(2);
  await partition.stop();
});

test('a reader that waits gets what comes, and nothing after the time it named', async () => {
  const partition = await firstPartition();
  const soon = partition.next({ maxWaitMs: 5_000, maxBytes: 100 });
  await journal.append('t', [{ key: 'k', value: Buffer.from('late') }]);
  expect(texts((await soon).messages)).toEqual(['late']);
  expect(await partition.next({ maxWaitMs: 50, maxBytes: 100 })).toMatchObject({ from: 1, to: 1, messages: [] });
  await partition.stop();
});

test('a position that the journal never had, or no longer has, gives nothing but the bounds', async () => {
  await journal.append('t', [{ key: 'k', value: Buffer.from('a') }]);
  await journal.append('t', [{ key: 'k', value: Buffer.from('b') }]);
  await journal.trim(place, 1);
  const partition = await firstPartition();
  expect(await partition.next(waiting)).toMatchObject({ from: 0, to: 0, messages: [], low: 1, high: 2 });
  partition.seek(400);
  expect(await partition.next(waiting)).toMatchObject({ from: 400, to: 400, messages: [], high: 2 });
  await partition.stop();
});

test('nothing readable of a record lies on disk', async () => {
  await journal.append('t', [{ key: 'k', value: Buffer.from('a-secret-in-the-clear'), headers: { tell: 'nobody-this-header' } }]);
  const bytes = readFileSync(join(dir, 'data.mdb'));
  expect(bytes.includes('a-secret-in-the-clear') || bytes.includes('nobody-this-header')).toBe(false);
});

test('another secret is refused in words; the old one may be named beside a new one', async () => {
  await journal.append('t', [{ key: 'k', value: Buffer.from('old') }]);
  await journal.close();
  journal = openJournal({ folder: dir, key: newKey() });
  const blind = await firstPartition();
  await expect(blind.next(waiting)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  await journal.close();
  journal = openJournal({ folder: dir, key: newKey(), previousKeys: [key] });
  const partition = await firstPartition();
  expect(texts(await readAll(partition, 1))).toEqual(['old']);
  await partition.stop();
});

test('the identity stays when it is opened again', async () => {
  const id = await journal.id();
  await journal.close();
  journal = openJournal({ folder: dir, key });
  expect(await journal.id()).toBe(id);
});

test('stopping is prompt, and nothing is committed after it', async () => {
  const partition = await firstPartition();
  const pending = partition.next({ maxWaitMs: 60_000, maxBytes: 1 });
  await partition.stop();
  expect(partition.revoked.aborted).toBe(true);
  await pending;
  await expect(partition.commit(1)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
});

test('a killed writer leaves what it was told is stored, and the others unharmed', async () => {
  const script = `
    import { openJournal } from ${JSON.stringify(join(import.meta.dirname, '../../dist/ingest/logs/journal.js'))};
    const key = { id: '${key.id}', key: Buffer.from('${key.key.toString('hex')}', 'hex') };
    const journal = openJournal({ folder: ${JSON.stringify(dir)}, key });
    for (let n = 0; ; n += 1) {
      const [{ offset }] = await journal.append('t', [{ key: 'k', value: Buffer.from('child-' + n) }]);
      process.stdout.write(offset + '\\n');
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
  const gone = new Promise((resolve) => child.once('exit', resolve));
  while (told.split('\n').length < 20) await new Promise((resolve) => setTimeout(resolve, 20));
  await journal.append('t', [{ key: 'k', value: Buffer.from('ours') }]);
  child.kill('SIGKILL');
  await gone;
  const acknowledged = told.split('\n').slice(0, -1).map(Number);
  await journal.append('t', [{ key: 'k', value: Buffer.from('after') }]);
  const bounds = (await journal.bounds(['t']))[place.partition];
  const partition = await firstPartition();
  const all = await readAll(partition, bounds?.high ?? 0);
  expect(all.map(({ offset }) => offset)).toEqual(Array.from({ length: bounds?.high ?? 0 }, (_, n) => n));
  for (const offset of acknowledged) expect(all[offset]?.value?.toString()).toMatch(/^child-/);
  expect(texts(all)).toEqual(expect.arrayContaining(['ours', 'after']));
  await partition.stop();
});
