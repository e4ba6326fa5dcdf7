/**
 * What an insert that was answered survives. With `power` the engine flushes each file of the part and its folder before it
 * answers, with `process` none of them: looked at where it happens, at its system calls.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../core/logger.ts';
import { durabilityOf, durabilityOfTables, setDurability } from '../../../storage/durability.ts';
import { migrate } from '../../../storage/migrate.ts';
import { freshDatabase, type TestDatabase } from '../../support/database.ts';
import { startEmbeddedEngine, type TestEngine } from '../../support/engine.ts';
import { assignmentOf, keyOf, rangeOf, writerOn } from '../../support/writer.ts';

let engine: TestEngine;
let database: TestDatabase;

beforeAll(async () => {
  engine = await startEmbeddedEngine();
  database = await freshDatabase(engine);
});
afterAll(async () => {
  await database?.close();
  await engine?.stop();
});

const migrateAs = (durability?: 'power' | 'process') =>
  migrate(database.clickhouse, { holder: 'test', logger: silentLogger, ...(durability !== undefined && { durability }) });

describe('the setting', () => {
  test('is power where nobody said anything', async () => {
    expect(await durabilityOf(database.clickhouse)).toBe('power');
    expect((await durabilityOfTables(database.clickhouse)).size).toBeGreaterThan(10);
  });

  test('reaches every table at the next migration, there and back', async () => {
    for (const durability of ['process', 'power'] as const) {
      expect(await migrateAs(durability)).toEqual([]);
      expect(new Set((await durabilityOfTables(database.clickhouse)).values())).toEqual(new Set([durability]));
    }
  });

  test('left out changes nothing', async () => {
    await setDurability(database.clickhouse, 'process');
    await migrateAs();
    expect(await durabilityOf(database.clickhouse)).toBe('process');
  });

  test('of the whole is that of its weakest table', async () => {
    await setDurability(database.clickhouse, 'power');
    await database.clickhouse.run('ALTER TABLE batches MODIFY SETTING fsync_after_insert = 0');
    expect(await durabilityOf(database.clickhouse)).toBe('process');
    await setDurability(database.clickhouse, 'power');
    expect(await durabilityOf(database.clickhouse)).toBe('power');
  });
});

/** Why system calls cannot be looked at here; null when they can. */
function withoutStrace(): string | null {
  try {
    execFileSync('strace', ['-qq', '-e', 'trace=none', 'true'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'strace is not here, or may not look';
  }
}

interface Flushed {
  readonly files: string[];
  readonly folders: string[];
}

/** What is flushed of the folders of `events` and `batches` while `work` runs, without the folder and number of the part. */
async function flushedDuring(work: () => Promise<void>): Promise<Flushed> {
  const folder = mkdtempSync(join(tmpdir(), 'gatetrail-strace-'));
  const file = join(folder, 'trace');
  const tracer = spawn('strace', ['-f', '-y', '-qq', '-e', 'trace=fsync,fdatasync', '-o', file, '-p', String(engine.pid)], {
    stdio: 'ignore',
  });
  try {
    await attached(engine.pid);
    await work();
  } finally {
    const exited = new Promise((resolve) => tracer.once('exit', resolve));
    tracer.kill('SIGTERM');
    await exited;
  }
  const lines = readFileSync(file, 'utf8').split('\n');
  rmSync(folder, { recursive: true });
  // `123 fdatasync(45</…/store/abc/UUID/tmp_insert_20261126_1_1_0/data.bin>) = 0`
  const paths = lines.flatMap((line) => /\bf(?:data)?sync\(\d+<([^>]+)>/.exec(line)?.[1] ?? []);
  const inParts = paths.filter((path) => /\/(?:tmp_insert_)?(?:all|\d{8})_\d+_\d+_0(?:\/|$)/.test(path));
  const isFolder = (path: string) => /_0\/?$/.test(path);
  return { files: inParts.filter((path) => !isFolder(path)), folders: inParts.filter(isFolder) };
}

async function attached(pid: number): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (!/^TracerPid:\t0$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('strace did not attach within 10 s');
}

const missing = withoutStrace();
if (missing !== null) console.log(`system calls are not looked at: ${missing}`);

describe.skipIf(missing !== null)('at the system calls of a batch', () => {
  let next = 0;
  const writeOne = async () => {
    const writer = writerOn(database.clickhouse);
    const key = keyOf(next);
    next += 1;
    const batch = writer.maker.make(key, rangeOf(0, ['/a', '/b']), Date.now());
    expect((await writer.write(assignmentOf(key), batch, 1)).kind).toBe('stored');
  };

  test('power: files of the part of the claim and of the events, and both folders, are flushed', async () => {
    await setDurability(database.clickhouse, 'power');
    const { files, folders } = await flushedDuring(writeOne);
    for (const part of [/\/(?:tmp_insert_)?all_/, /\/(?:tmp_insert_)?\d{8}_/]) {
      expect(files.filter((path) => part.test(path)).length).toBeGreaterThan(0);
      expect(folders.filter((path) => part.test(path)).length).toBeGreaterThan(0);
    }
  });

  test('process: no file of a part and no folder is', async () => {
    await setDurability(database.clickhouse, 'process');
    expect(await flushedDuring(writeOne)).toEqual({ files: [], folders: [] });
  });
});
