/** The embedded engine is killed, locked out, left behind and stopped: what it answered for stays, and nothing of it stays behind. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from 'vitest';
import { isAlive } from '../support/alive.ts';
import { campaign, seeded } from '../support/campaign.ts';
import { openRequest, send } from '../support/engine-request.ts';
import { startEmbeddedEngine, type TestEngine } from '../support/engine.ts';
import { sqlRows, sqlText } from '../support/sql.ts';

const started: TestEngine[] = [];
const start = async (options: { dataDir?: string } = {}) => {
  const engine = await startEmbeddedEngine(options);
  started.push(engine);
  return engine;
};
afterEach(async () => {
  await Promise.all(started.splice(0).map((engine) => engine.stop()));
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
async function endsWithin(ms: number, pid: number): Promise<number> {
  const startedAt = performance.now();
  while (isAlive(pid)) {
    if (performance.now() - startedAt > ms) throw new Error(`process ${pid} lives after ${ms} ms`);
    await pause(20);
  }
  return performance.now() - startedAt;
}

const { sizes, seed, report } = campaign(
  'engine-kill',
  { kills: 6, stops: 1, maxStopMs: 2_000 },
  { kills: 160, stops: 40, maxStopMs: 120_000 },
);

test(
  'rows whose insert was answered outlive kill -9 and standing still, and a batch is never there in part',
  { timeout: 1_800_000 },
  async () => {
    const random = seeded(seed);
    const engine = await start();
    await sqlText(
      engine,
      'CREATE TABLE kept (batch UInt32, n UInt32) ENGINE = MergeTree ORDER BY (batch, n) SETTINGS non_replicated_deduplication_window = 1000',
    );
    const answered = new Set<number>();
    let sent = 0;
    const stoppedMs: number[] = [];
    for (let fault = 0; fault < sizes.kills + sizes.stops; fault += 1) {
      const isStop = stoppedMs.length < ((fault + 1) * sizes.stops) / (sizes.kills + sizes.stops);
      let alive = true;
      const writers = Array.from({ length: 3 }, async () => {
        while (alive) {
          const batch = (sent += 1);
          const body = Array.from({ length: 1000 }, (_, n) => `${batch}\t${n}\n`).join('');
          const answer = await send(engine, {
            user: 'ingest',
            url: { query: 'INSERT INTO kept FORMAT TSV', insert_deduplication_token: `batch-${batch}` },
            body,
          }).catch(() => null);
          if (answer?.status === 200) answered.add(batch);
        }
      });
      await pause(200 + random() * 800);
      if (isStop) {
        // From 1 s on, each length of time as likely as one of twice that length.
        const ms = 1_000 * (sizes.maxStopMs / 1_000) ** random();
        process.kill(engine.pid, 'SIGSTOP');
        await pause(ms);
        process.kill(engine.pid, 'SIGCONT');
        stoppedMs.push(Math.round(ms));
      } else await engine.kill();
      alive = false;
      await Promise.all(writers);
      if (!isStop) await engine.restart();
    }
    const stored = await sqlRows<{ batch: number; rows: number }>(
      engine,
      'SELECT batch, toUInt32(count()) AS rows FROM kept GROUP BY batch ORDER BY batch',
    );
    const there = new Set(stored.map(({ batch }) => batch));
    const unanswered = stored.length - [...answered].filter((batch) => there.has(batch)).length;
    report({
      sent,
      stoppedMs: stoppedMs.toSorted((a, b) => a - b),
      answered: answered.size,
      stored: stored.length,
      storedUnanswered: unanswered,
    });
    expect(answered.size).toBeGreaterThan(sizes.kills);
    expect([...answered].filter((batch) => !there.has(batch))).toEqual([]);
    expect(stored.filter(({ rows }) => rows !== 1000)).toEqual([]);
  },
);

test('a body that was on its way when the engine was killed is gone after the next start', async () => {
  const engine = await start();
  const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(100_000)) });
  const asked = openRequest(engine, { url: { query: 'INSERT INTO t FORMAT RowBinary' }, body }).catch(() => 'gone');
  const spool = join(engine.dataDir, 'engine-tmp');
  while (readdirSync(spool).length === 0) await pause(20);
  await engine.kill();
  expect(await asked).toBe('gone');
  expect(readdirSync(spool)).toHaveLength(1);
  await engine.restart();
  expect(readdirSync(spool)).toEqual([]);
});

test('a folder is locked while its engine lives, and free at once when it was killed', async () => {
  const engine = await start();
  await expect(start({ dataDir: engine.dataDir })).rejects.toMatchObject({ code: 'DATA_DIR_LOCKED' });
  await engine.kill();
  const next = await start({ dataDir: engine.dataDir });
  expect(await sqlText(next, 'SELECT 1')).toBe('1\n');
  expect(next.password).not.toBe(engine.password);
  await next.stop();
});

test('a data folder that is a file is refused with its path', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatetrail-engine-'));
  const file = join(folder, 'taken');
  writeFileSync(file, '');
  await expect(start({ dataDir: file })).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE', message: expect.stringContaining(file) });
  await rm(folder, { recursive: true });
});

test.each([
  ['at rest', null],
  ['in a read', 'SELECT sum(sin(number)) FROM numbers(1000000000000)'],
  ['in a write that nothing stops', 'INSERT INTO FUNCTION null() SELECT sleepEachRow(1) FROM numbers(60) SETTINGS max_block_size = 1'],
])('an engine %s whose parent was killed ends by itself within 2 s and frees its folder', async (_, statement) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gatetrail-engine-'));
  const spawnFile = join(import.meta.dirname, '../../dist/local/engine/spawn.js');
  const script = `import { spawnEngine } from ${JSON.stringify(spawnFile)};
    const engine = await spawnEngine({ dataDir: ${JSON.stringify(dataDir)} });
    console.log(JSON.stringify({ pid: engine.child.pid, url: engine.url, password: engine.password }));
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise<string>((resolve) => createInterface({ input: parent.stdout }).once('line', resolve));
  const { pid, url, password } = JSON.parse(line) as { pid: number; url: string; password: string }; // what the script prints
  const running = statement === null ? null : send({ url, user: 'default', password }, { body: statement }).catch(() => 'cut off');
  await pause(500);
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await endsWithin(2000, pid);
  if (running !== null) expect(await running).toBe('cut off');
  const next = await start({ dataDir });
  expect(await sqlText(next, 'SELECT 1')).toBe('1\n');
  await next.stop();
  await rm(dataDir, { recursive: true, force: true });
});

test('a stop while statements run ends within 5 s, and takes address and password with it', async () => {
  const engine = await start();
  const note = join(engine.dataDir, 'engine.json');
  const asked = send(engine, { url: { query: 'SELECT sum(sin(number)) FROM numbers(1000000000000)' } }).catch(() => 'cut off');
  await pause(500);
  expect(existsSync(note)).toBe(true);
  const startedAt = performance.now();
  await engine.kill('SIGTERM');
  expect(performance.now() - startedAt).toBeLessThan(5000);
  expect(await asked).toBe('cut off');
  expect(existsSync(note)).toBe(false);
});
