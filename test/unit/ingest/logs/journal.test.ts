import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deriveKey } from '../../../../core/keys.ts';
import { silentLogger } from '../../../../core/logger.ts';
import type { AssignedPartition } from '../../../../ingest/log.ts';
import { openJournal, type Journal } from '../../../../ingest/logs/journal.ts';

const key = deriveKey('a secret of the tests', 'journal');
let folder: string;
let journal: Journal;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatetrail-journal-'));
  journal = openJournal({ folder, key });
  return async () => {
    await journal.close();
    rmSync(folder, { recursive: true, force: true });
  };
});

const values = (count: number, prefix = 'm') => Array.from({ length: count }, (_, at) => ({ value: Buffer.from(`${prefix}${at}`) }));

async function partitionsOf(topic: string, from: Journal = journal): Promise<AssignedPartition[]> {
  const partitions: AssignedPartition[] = [];
  await from.consume({
    topics: [topic],
    group: 'g',
    readAheadBytes: 1_000_000,
    logger: silentLogger,
    onFailure: () => {},
    onAssigned: (each) => partitions.push(each),
  });
  return partitions;
}

async function readAll(topic: string, from: Journal = journal): Promise<string[]> {
  const texts: string[] = [];
  for (const partition of await partitionsOf(topic, from)) {
    partition.seek(0);
    for (let more = true; more;) {
      const { messages } = await partition.next({ maxWaitMs: 0, maxBytes: 1_000_000 });
      texts.push(...messages.map(({ value }) => String(value)));
      more = messages.length > 0;
    }
  }
  return texts;
}

describe('the journal', () => {
  test('gives back what was appended, in order, with headers and bytes as they came', async () => {
    const value = Buffer.from([0, 255, 10, 13]);
    const positions = await journal.append('t', [
      { value, key: 'k', headers: { 'gatetrail-tenant': 'ä€' } },
      { value: Buffer.from('two'), key: 'k' },
    ]);
    const partition = (await partitionsOf('t'))[positions[0]?.partition ?? -1];
    partition?.seek(0);
    const fetched = await partition?.next({ maxWaitMs: 0, maxBytes: 1_000_000 });
    expect(fetched).toMatchObject({ from: 0, to: 2, low: 0, high: 2, holes: null });
    expect(fetched?.messages[0]).toMatchObject({ offset: 0, value, headers: { 'gatetrail-tenant': 'ä€' } });
    expect(fetched?.messages[1]?.value?.toString()).toBe('two');
  });

  test('reads from exactly the position that was asked for, and again after a seek back', async () => {
    await journal.append(
      't',
      values(10).map((each) => ({ ...each, key: 'k' })),
    );
    const partition = (await partitionsOf('t')).find(async (each) => (await each.bounds()).high === 10);
    for (const each of await partitionsOf('t')) {
      if ((await each.bounds()).high !== 10) continue;
      for (const from of [7, 3, 7]) {
        each.seek(from);
        expect((await each.next({ maxWaitMs: 0, maxBytes: 1_000_000 })).messages.map(({ offset }) => offset)[0]).toBe(from);
      }
    }
    expect(partition).toBeDefined();
  });

  test('spreads what has no key over four partitions, and loses nothing', async () => {
    for (let round = 0; round < 8; round += 1) await journal.append('t', values(50, `r${round}-`));
    expect((await journal.bounds(['t'])).filter(({ high }) => high > 0)).toHaveLength(4);
    expect(new Set(await readAll('t')).size).toBe(400);
  });

  test('gives at most the bytes that were asked for, but at least one message', async () => {
    await journal.append(
      't',
      Array.from({ length: 5 }, () => ({ value: Buffer.alloc(1000), key: 'k' })),
    );
    for (const partition of await partitionsOf('t')) {
      if ((await partition.bounds()).high === 0) continue;
      partition.seek(0);
      expect((await partition.next({ maxWaitMs: 0, maxBytes: 1 })).messages).toHaveLength(1);
      expect((await partition.next({ maxWaitMs: 0, maxBytes: 2000 })).messages).toHaveLength(2);
    }
  });

  test('waits for what comes, and no longer than asked', async () => {
    const [partition] = await partitionsOf('t');
    const startedAt = Date.now();
    expect((await partition?.next({ maxWaitMs: 60, maxBytes: 1 }))?.messages).toEqual([]);
    expect(Date.now() - startedAt).toBeLessThan(1000);
  });

  test('keeps its identity; a folder that was made anew is another log', async () => {
    const id = await journal.id();
    await journal.close();
    journal = openJournal({ folder, key });
    expect(await journal.id()).toBe(id);
    await journal.close();
    rmSync(folder, { recursive: true });
    journal = openJournal({ folder, key });
    expect(await journal.id()).not.toBe(id);
  });

  test('forgets below an offset alone, and says where it begins now', async () => {
    await journal.append(
      't',
      values(10).map((each) => ({ ...each, key: 'k' })),
    );
    const [place] = (await journal.bounds(['t'])).filter(({ high }) => high > 0);
    if (place === undefined) throw new Error('ten records were appended');
    await journal.trim(place, 4);
    const partition = (await partitionsOf('t'))[place.partition];
    partition?.seek(0);
    expect(await partition?.next({ maxWaitMs: 0, maxBytes: 1 })).toMatchObject({ from: 0, to: 0, messages: [], low: 4, high: 10 });
    partition?.seek(4);
    expect((await partition?.next({ maxWaitMs: 0, maxBytes: 1 }))?.messages[0]?.offset).toBe(4);
  });

  test('ends the assignment when the consumer stops', async () => {
    const partitions: AssignedPartition[] = [];
    const consumer = await journal.consume({
      topics: ['t'],
      group: 'g',
      readAheadBytes: 1,
      logger: silentLogger,
      onFailure: () => {},
      onAssigned: (each) => partitions.push(each),
    });
    await consumer.stop();
    expect(partitions.every(({ revoked }) => revoked.aborted)).toBe(true);
    await expect(partitions[0]?.commit(1)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  });
});

describe('what the journal holds', () => {
  test('is sealed: no record can be read from its files', async () => {
    await journal.append('t', [{ value: Buffer.from('secret-marker-value'), headers: { note: 'secret-marker-header' } }]);
    const bytes = Buffer.concat(readdirSync(folder).map((file) => readFileSync(join(folder, file))));
    expect(bytes.includes('secret-marker')).toBe(false);
  });

  test('can be read after a rotation with the secret before it, and never with another', async () => {
    await journal.append('t', [{ value: Buffer.from('old') }]);
    await journal.close();
    const next = deriveKey('the secret after it', 'journal');
    journal = openJournal({ folder, key: next, previousKeys: [key] });
    expect(await readAll('t')).toEqual(['old']);
    await journal.close();
    journal = openJournal({ folder, key: next });
    await expect(readAll('t')).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('secret.previous') });
  });
});

describe('several processes', () => {
  const program = (body: string) => `
    import { openJournal } from ${JSON.stringify(join(import.meta.dirname, '../../../../dist/ingest/logs/journal.js'))};
    import { deriveKey } from ${JSON.stringify(join(import.meta.dirname, '../../../../dist/core/keys.js'))};
    const journal = openJournal({ folder: ${JSON.stringify(folder)}, key: deriveKey('a secret of the tests', 'journal') });
    ${body}`;
  const start = (body: string) =>
    spawn(process.execPath, ['--input-type=module', '-e', program(body)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const children: ReturnType<typeof start>[] = [];
  afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

  test('append at once, and every record that was answered is there once after they were killed', async () => {
    const answered: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      const child = start(
        `for (let i = 0; ; i += 1) { await journal.append('t', [{ value: Buffer.from('${name}' + i) }]); process.stdout.write('${name}' + i + '\\n'); }`,
      );
      children.push(child);
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      child.once('exit', () => answered.push(...text.split('\n').slice(0, -1)));
    }
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await Promise.all(children.map((child) => new Promise((resolve) => child.once('exit', resolve).kill('SIGKILL'))));
    const there = await readAll('t');
    expect(answered.length).toBeGreaterThan(30);
    expect(new Set(there).size).toBe(there.length);
    expect(answered.filter((value) => !there.includes(value))).toEqual([]);
    expect(await journal.append('t', values(1))).toHaveLength(1);
  });
});
