/** A disk that runs full under the running service: what is told, and that nothing acknowledged is lost when there is space again. Embedded, on small file systems. */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mountDisk, noDisk, type TestDisk } from '../../support/disk.ts';
import { engineOf, startGatetrail, until, type Running } from '../../support/gatetrail.ts';
import { sqlRows } from '../../support/sql.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-disk-'));
const dataDir = join(folder, 'data');
const engineDisk = mountDisk(dataDir, 'size=500m');
let journalDisk: TestDisk | null = null;
let service: Running;

beforeAll(async () => {
  if (engineDisk === null) return;
  journalDisk = mountDisk(join(dataDir, 'journal'), 'size=48m');
  service = await startGatetrail(['start'], { dataDir });
}, 120_000);
afterAll(async () => {
  await service?.stop();
  journalDisk?.unmount();
  engineDisk?.unmount();
  rmSync(folder, { recursive: true, force: true });
});

const records = 100;
let acknowledged = 0;
let rounds = 0;

/** Records of 5 kB, each with a path of its own. */
async function post(): Promise<{ status: number; text: string }> {
  rounds += 1;
  const record = (at: number) =>
    JSON.stringify({
      timestamp: new Date().toISOString(),
      gateway_kind: 'mesh',
      url_path: `/disk/${rounds}/${at}`,
      attributes: { x: 'x'.repeat(5_000) },
    });
  const response = await fetch(`${service.ready.url}/v1/records`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.ready.token}`, 'content-type': 'application/x-ndjson' },
    body: Array.from({ length: records }, (_, at) => record(at)).join('\n'),
  });
  if (response.status === 202) acknowledged += records;
  return { status: response.status, text: await response.text() };
}

async function reasons(): Promise<string[]> {
  const response = await fetch(`${service.ready.url}/readyz`);
  return ((await response.json()) as { reasons: string[] }).reasons;
}
const isReady = () => until(reasons, (all) => all.length === 0, 60_000);

/** Every acknowledged record, once. What was refused is there in no part. */
async function allStored(): Promise<void> {
  const count = async () => {
    const [row] = await sqlRows<{ n: number; paths: number }>(
      engineOf(dataDir, 'jobs'),
      'SELECT count() AS n, uniqExact(url_path) AS paths FROM events',
      'gatetrail',
    );
    return row;
  };
  const found = await until(count, (now) => (now?.paths ?? 0) >= acknowledged, 60_000);
  expect(found).toEqual({ n: acknowledged, paths: acknowledged });
}

test('under the journal: a post is refused with 507, readiness says so, and all goes on when there is space', async (context) => {
  if (journalDisk === null) return context.skip(noDisk);
  await isReady();
  const refused = await until(post, ({ status }) => status !== 202, 60_000);
  expect(refused.status).toBe(507);
  expect(JSON.parse(refused.text)).toEqual({
    error: {
      code: 'DISK_FULL',
      message: expect.stringMatching(new RegExp(`^The disk under the journal in ${dataDir}/journal is full: .*Nothing was acknowledged`)),
    },
  });
  expect((await post()).status).toBe(507);
  expect(await reasons()).toContainEqual(expect.stringMatching(`^DISK_FULL: .* are free under the journal in ${dataDir}/journal`));
  await allStored();
  journalDisk.resize(200);
  expect((await post()).status).toBe(202);
  await isReady();
  await allStored();
  expect(service.log()).not.toContain('a role ended');
});

/** Takes all the space there is. */
function fill(file: string): never {
  for (;;) appendFileSync(file, Buffer.alloc(64 * 1024));
}

test('under the engine: posts are kept in the log, readiness says so, and they are stored when there is space', async (context) => {
  if (engineDisk === null) return context.skip(noDisk);
  const filler = join(dataDir, 'filler');
  expect(() => fill(filler)).toThrow('ENOSPC');
  expect((await post()).status).toBe(202);
  await until(reasons, (all) => all.some((reason) => reason.startsWith('DISK_FULL: The disk of ClickHouse is full')), 30_000);
  expect((await post()).status).toBe(202);
  rmSync(filler);
  await allStored();
  await isReady();
});
