/** What the journal promises beyond what every log does (test/integration/log/contract.test.ts). */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deriveKey } from '../../../../core/keys.ts';
import { silentLogger } from '../../../../core/logger.ts';
import type { AssignedPartition } from '../../../../ingest/log.ts';
import { openJournal, type Journal } from '../../../../ingest/logs/journal.ts';
import { partitionOf } from '../../../../ingest/logs/placement.ts';

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

/** All of one key, so that they stand in one partition, behind each other. */
const keyed = (count: number, prefix = 'm') =>
  Array.from({ length: count }, (_, at) => ({ value: Buffer.from(`${prefix}${at}`), key: 'k' }));
const place = { topic: 't', partition: partitionOf('k', 4) };
const atOnce = { maxWaitMs: 0, maxBytes: 1_000_000 };

async function consume(group = 'g', from = journal) {
  const partitions: AssignedPartition[] = [];
  const options = { topics: ['t'], group, readAheadBytes: 1_000_000, logger: silentLogger, onFailure: () => {} };
  const consumer = await from.consume({ ...options, onAssigned: (each) => partitions.push(each) });
  const wanted = partitions[place.partition];
  if (wanted === undefined) throw new Error('the partition was not assigned');
  wanted.seek(0);
  return { partitions, wanted, stop: () => consumer.stop() };
}

async function readAll(): Promise<string[]> {
  const texts: string[] = [];
  const { partitions, stop } = await consume();
  for (const partition of partitions) {
    partition.seek((await partition.bounds()).low);
    for (let more = true; more;) {
      const { messages } = await partition.next(atOnce);
      texts.push(...messages.map(({ value }) => String(value)));
      more = messages.length > 0;
    }
  }
  await stop();
  return texts;
}

test('short records are read some thousands at a time, however many bytes may be taken', async () => {
  await journal.append('t', keyed(12_000));
  const { wanted, stop } = await consume();
  const sizes: number[] = [];
  for (let at = 0; at < 4; at += 1) sizes.push((await wanted.next({ maxWaitMs: 0, maxBytes: 64 * 1024 * 1024 })).messages.length);
  await stop();
  expect(sizes).toEqual([5_000, 5_000, 2_000, 0]);
});

async function reopen(options: Partial<Parameters<typeof openJournal>[0]> = {}): Promise<void> {
  await journal.close();
  journal = openJournal({ folder, key, ...options });
}

describe('the journal', () => {
  test('spreads what has no key over four partitions, and loses nothing', async () => {
    for (let round = 0; round < 8; round += 1) {
      await journal.append(
        't',
        Array.from({ length: 50 }, (_, at) => ({ value: Buffer.from(`r${round}-${at}`) })),
      );
    }
    expect((await journal.bounds(['t'])).filter(({ high }) => high > 0)).toHaveLength(4);
    expect(new Set(await readAll()).size).toBe(400);
  });

  test('keeps its identity; a folder that was made anew is another log', async () => {
    const id = await journal.id();
    await reopen();
    expect(await journal.id()).toBe(id);
    await journal.close();
    rmSync(folder, { recursive: true });
    await reopen();
    expect(await journal.id()).not.toBe(id);
  });

  test('wakes a reader that waits when it stops', async () => {
    const { wanted, stop } = await consume();
    const waiting = wanted.next({ maxWaitMs: 60_000, maxBytes: 1 });
    await stop();
    expect((await waiting).messages).toEqual([]);
  });
});

describe('what is stored', () => {
  test('is forgotten below an offset alone, and the journal says where it begins now', async () => {
    await journal.append('t', keyed(10));
    await journal.trim(place, 4);
    const { wanted } = await consume();
    expect(await wanted.next(atOnce)).toMatchObject({ from: 0, to: 0, messages: [], low: 4, high: 10 });
    wanted.seek(4);
    expect((await wanted.next(atOnce)).messages[0]?.offset).toBe(4);
  });

  test('is forgotten a while after it was noted, also by a process that did not note it, and never before', async () => {
    const [day, storedAt] = [86_400_000, 1_800_000_000_000];
    const lowAt = async (now: number) => {
      await journal.trimStored(now - day);
      return (await journal.bounds(['t']))[place.partition]?.low;
    };
    await journal.append('t', keyed(10));
    await journal.noteStored(place, 4, storedAt);
    await journal.noteStored(place, 7, storedAt + 60_000);
    await reopen();
    expect(await lowAt(storedAt + day - 1)).toBe(0);
    expect(await lowAt(storedAt + day + 10_000)).toBe(4);
    expect(await lowAt(storedAt + day + 70_000)).toBe(7);
    expect(await lowAt(storedAt + 40 * day)).toBe(7); // what was not stored stays, however old
  });
});

describe('what the journal holds', () => {
  test('is sealed: no record can be read from its files', async () => {
    await journal.append('t', [{ value: Buffer.from('secret-marker-value'), headers: { note: 'secret-marker-header' } }]);
    const bytes = Buffer.concat(readdirSync(folder).map((file) => readFileSync(join(folder, file))));
    expect(bytes.includes('secret-marker')).toBe(false);
  });

  const next = deriveKey('the secret after it', 'journal');
  const refusal = expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining('secret.previous') });

  test('can be read after a rotation with the secret before it', async () => {
    await journal.append('t', [{ value: Buffer.from('old') }]);
    await reopen({ key: next, previousKeys: [key] });
    await journal.append('t', [{ value: Buffer.from('new') }]);
    expect((await readAll()).toSorted()).toEqual(['new', 'old']);
  });

  test('refuses another secret when it is opened, an empty journal too', async () => {
    await journal.close();
    expect(() => openJournal({ folder, key: next })).toThrow(refusal);
    await reopen();
    await journal.append('t', [{ value: Buffer.from('still there') }]);
    expect(await readAll()).toEqual(['still there']);
  });

  test('refuses to open once the secret of its oldest records is taken away too early, and opens when they are gone', async () => {
    await journal.append('t', keyed(1, 'old'));
    await reopen({ key: next, previousKeys: [key] });
    await journal.append('t', keyed(1, 'new'));
    await journal.close();
    expect(() => openJournal({ folder, key: next })).toThrow(refusal);
    await reopen({ key: next, previousKeys: [key] });
    await journal.trim(place, 1);
    await reopen({ key: next });
    expect(await readAll()).toEqual(['new0']);
  });
});

describe('one reader', () => {
  test('of a group is let in, and the next one when it has stopped; other groups read beside it', async () => {
    const first = await consume();
    await expect(consume()).rejects.toMatchObject({ code: 'DATA_DIR_LOCKED', message: expect.stringContaining(`${process.pid} reads`) });
    await (await consume('another')).stop();
    await first.stop();
    await (await consume()).stop();
  });
});

describe('several processes', () => {
  const module = (path: string) => JSON.stringify(join(import.meta.dirname, '../../../../dist', path));
  const program = (body: string) => `
    import { openJournal } from ${module('ingest/logs/journal.js')};
    import { deriveKey } from ${module('core/keys.js')};
    const journal = openJournal({ folder: ${JSON.stringify(folder)}, key: deriveKey('a secret of the tests', 'journal') });
    ${body}`;
  interface Child {
    readonly pid: number | undefined;
    lines(): string[];
    kill(): Promise<void>;
  }
  const children: Child[] = [];
  function start(body: string): Child {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program(body)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    const exited = new Promise((resolve) => child.once('exit', resolve));
    const started: Child = {
      pid: child.pid,
      lines: () => out.split('\n').slice(0, -1),
      async kill() {
        child.kill('SIGKILL');
        await exited;
      },
    };
    children.push(started);
    return started;
  }
  afterEach(async () => void (await Promise.all(children.splice(0).map((child) => child.kill()))));
  const printed = async (child: Child, count: number) => {
    for (let tries = 0; child.lines().length < count && tries < 400; tries += 1) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(child.lines().length).toBeGreaterThanOrEqual(count);
  };

  test('append at once, and every record that was answered is there once after they were killed', async () => {
    const writers = ['a', 'b', 'c'].map((name) =>
      start(
        `for (let i = 0; ; i += 1) { await journal.append('t', [{ value: Buffer.from('${name}' + i) }]); process.stdout.write('${name}' + i + '\\n'); }`,
      ),
    );
    for (const writer of writers) await printed(writer, 15);
    await Promise.all(writers.map((writer) => writer.kill()));
    const there = await readAll();
    const answered = writers.flatMap((writer) => writer.lines());
    expect(new Set(there).size).toBe(there.length);
    expect(answered.filter((value) => !there.includes(value))).toEqual([]);
    expect(await journal.append('t', keyed(1))).toHaveLength(1);
  });

  const reading = `
    await journal.consume({ topics: ['t'], group: 'g', readAheadBytes: 1e6, onFailure() {}, onAssigned(partition) {
      partition.seek(0);
      void (async () => { for (;;) for (const { value } of (await partition.next({ maxWaitMs: 100, maxBytes: 1e6 })).messages) console.log(String(value)); })();
    } });
    console.log('reads');`;

  test('read one at a time: the second is refused while the first lives, and a killed one leaves no lock', async () => {
    const first = start(reading);
    await printed(first, 1);
    await expect(consume()).rejects.toMatchObject({
      code: 'DATA_DIR_LOCKED',
      message: expect.stringContaining(`Process ${first.pid} reads`),
    });
    await first.kill();
    await (await consume()).stop();
  });

  test('go on when a reader among them is killed: what is appended before and after is read by the next one', async () => {
    const reader = start(reading);
    await printed(reader, 1);
    const before = keyed(200, 'before');
    for (const each of before) await journal.append('t', [each]);
    await printed(reader, 50);
    await reader.kill();
    await journal.append('t', keyed(20, 'after'));
    expect(await readAll()).toEqual([...before, ...keyed(20, 'after')].map(({ value }) => String(value)));
  });
});
