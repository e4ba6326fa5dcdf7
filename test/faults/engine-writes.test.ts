/** The embedded engine when its disk fails: what is not whole it never answers for, and the next one opens without it. */
import { appendFileSync, existsSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { isAlive } from '../support/alive.ts';
import { mountDisk, noDisk } from '../support/disk.ts';
import { startEmbeddedEngine, type TestEngine } from '../support/engine.ts';
import { until } from '../support/gatetrail.ts';
import { sqlText } from '../support/sql.ts';
import { hasStrace, inject, type Point, recordCalls } from '../support/strace.ts';

const isSkipped = !hasStrace() && process.env['CI'] === undefined;
let engine: TestEngine;
afterEach(() => engine?.stop());

const sql = (statement: string) => sqlText(engine, statement);
const insert = (from: number) => sql(`INSERT INTO t SELECT number FROM numbers(${from}, 10)`);
const rows = async () => Number(await sql('SELECT count() FROM t'));

async function start(dataDir?: string): Promise<void> {
  engine = await startEmbeddedEngine(dataDir === undefined ? {} : { dataDir });
  const settings = 'non_replicated_deduplication_window = 100, fsync_after_insert = 1, fsync_part_directory = 1';
  await sql(`CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n SETTINGS ${settings}`);
  await insert(0);
}

/** Calls of the work on files of the table. */
async function callsOf(work: () => Promise<unknown>): Promise<Point[]> {
  const points = await recordCalls(engine.pid, join(engine.dataDir, 'engine', 'store'), async () => void (await work()));
  return points.filter(({ path }) => path !== null);
}
const writesOf = async (work: () => Promise<unknown>) => (await callsOf(work)).filter(({ call }) => call === 'write');

/** Whatever number the part or the mutation has by then. */
const numbered = (path: string) =>
  Array.from({ length: 60 }, (_, at) => path.replace(/_\d+_\d+_0\b/, `_${at}_${at}_0`).replace(/mutation_\d+/, `mutation_${at}`));

/** Runs the work with its write struck, and starts the engine again, which has to end. False where the answer was success. */
async function struck({ call, path, nth }: Point, work: () => Promise<unknown>): Promise<boolean> {
  const injection = await inject(engine.pid, { call, nth, paths: [...new Set([path ?? '', ...numbered(path ?? '')])] }, 'error=EIO');
  const refused = await work().then(
    () => false,
    () => true,
  );
  await until(
    async () => isAlive(engine.pid),
    (lives) => !lives,
    30_000,
  );
  expect(injection.hasStruck).toBe(true);
  await injection.detach();
  await engine.restart();
  return refused;
}

describe.skipIf(isSkipped)('a call that fails (needs strace)', () => {
  // Writes, and what comes once the part has its name: what comes before is refused as by ClickHouse, and a folder that cannot be
  // flushed is noted in its log alone, as there.
  test(
    'of an insert: nothing is answered, and its rows are there as a whole or not at all, and stay so',
    { timeout: 120_000 },
    async () => {
      await start();
      const calls = await callsOf(() => insert(10));
      const renamed = calls.findIndex(({ call }) => call === 'rename');
      const points = calls.filter(({ call }, at) => call === 'write' || (at >= renamed && call !== 'fdatasync'));
      expect(points.map(({ path }) => path?.split('/').at(-1))).toEqual(expect.arrayContaining(['data.bin', 'count.txt', 'checksums.txt']));
      expect(points.filter(({ call }) => call !== 'write').map(({ call }) => call)).toEqual(['rename', 'openat']);
      let stored = 20;
      for (const [at, point] of points.entries()) {
        expect(await struck(point, () => insert(100 + at * 10)), point.path ?? '').toBe(true);
        const now = await rows();
        expect([stored, stored + 10], point.path ?? '').toContain(now);
        stored = now;
      }
      const aside = await sql("SELECT count() FROM system.detached_parts WHERE reason = 'broken-on-start'");
      expect(Number(aside)).toBeGreaterThan(points.length / 2);
      await insert(1_000);
      expect(await rows()).toBe(stored + 10);
    },
  );

  test('of a merge: the parts that it was to replace are still there', async () => {
    await start();
    const merge = () => sql('OPTIMIZE TABLE t FINAL');
    await insert(10);
    const [data] = (await writesOf(merge)).filter(({ path }) => path?.endsWith('/data.bin'));
    if (data === undefined) throw new Error('a merge was to write data.bin');
    await insert(20);
    const next = (data.path ?? '').replace(
      /_(\d+)_(\d+)_(\d+)(?=\/)/,
      (_, first, last, level) => `_${first}_${Number(last) + 1}_${Number(level) + 1}`,
    );
    expect(await struck({ ...data, path: next }, merge)).toBe(true);
    expect(await rows()).toBe(30);
  });

  test('of a mutation that nobody waits for ends the engine all the same', async () => {
    await start();
    const remove = (n: number) => sql(`ALTER TABLE t DELETE WHERE n = ${n} SETTINGS mutations_sync = 0`);
    const [data] = (await writesOf(() => sql('ALTER TABLE t DELETE WHERE n = 1 SETTINGS mutations_sync = 1'))).filter(({ path }) =>
      path?.endsWith('/data.bin'),
    );
    if (data === undefined) throw new Error('a mutation was to write data.bin');
    const next = (data.path ?? '').replace(/_(\d+)(?=\/)/, (_, version) => `_${Number(version) + 1}`);
    await struck({ ...data, path: next }, () => remove(2));
    await until(rows, (count) => count === 8, 30_000); // the next engine does it again
  });
});

test('an order for a mutation that was not written does not keep its table from opening', async () => {
  await start();
  await sql('ALTER TABLE t DELETE WHERE n = 1 SETTINGS mutations_sync = 1');
  const path = (await sql("SELECT path FROM system.parts WHERE table = 't' AND active LIMIT 1")).trim();
  const folder = dirname(path.replace(/\/$/, ''));
  await engine.kill();
  writeFileSync(join(folder, 'mutation_99.txt'), '');
  await engine.restart();
  expect(await rows()).toBe(9);
  expect(existsSync(join(folder, 'mutation_99.txt'))).toBe(false);
});

test('definitions and documents wait for a disk with room for them, rows and partitions do not', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatetrail-engine-room-'));
  const disk = mountDisk(folder, 'size=200m');
  if (disk === null) return context.skip(noDisk);
  try {
    await start(folder);
    const filler = join(folder, 'filler');
    expect(() => {
      for (;;) appendFileSync(filler, Buffer.alloc(64 * 1024));
    }).toThrow('ENOSPC');
    truncateSync(filler, statSync(filler).size - 8 * 1024 * 1024);
    await expect(sql('ALTER TABLE t ADD COLUMN more UInt8')).rejects.toThrow(/Code: 243.*bytes are free on the disk/);
    await expect(sql('CREATE TABLE u (n UInt64) ENGINE = MergeTree ORDER BY n')).rejects.toThrow('Code: 243');
    await expect(sql('SELECT n FROM t FORMAT JSON')).rejects.toThrow('Code: 243'); // through a file; rows of TabSeparated flow
    expect(await rows()).toBe(10);
    await sql('ALTER TABLE t DROP PARTITION tuple()');
    rmSync(filler);
    await sql('ALTER TABLE t ADD COLUMN more UInt8');
    expect(await rows()).toBe(0);
  } finally {
    await engine.stop();
    disk.unmount();
    rmSync(folder, { recursive: true, force: true });
  }
});
