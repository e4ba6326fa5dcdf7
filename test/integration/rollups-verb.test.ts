/** `gatetrail rollups` on a running service, and the job that it has: what was posted is summed up by itself. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { engineOf, runGatetrail, startGatetrail, until, type Running } from '../support/gatetrail.ts';
import { rollupDrift } from '../support/rollup-drift.ts';
import { sqlText, type SqlServer } from '../support/sql.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-rollups-'));
const dataDir = join(folder, 'data');
/** The database of the embedded default. */
const name = 'gatetrail';
const at = '2026-11-22T10:30:00Z';
let service: Running;
let engine: SqlServer;

beforeAll(async () => {
  service = await startGatetrail(['start'], { dataDir });
  engine = engineOf(dataDir, 'default');
  const record = (path: string) => JSON.stringify({ timestamp: at, gateway_kind: 'mesh', url_path: path, http_response_status_code: 200 });
  const response = await fetch(`${service.ready.url}/v1/records`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.ready.token}`, 'content-type': 'application/x-ndjson' },
    body: ['/orders/1', '/orders/2', '/orders/3'].map(record).join('\n'),
  });
  expect(response.status).toBe(202);
}, 120_000);
afterAll(async () => {
  await service?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const rollups = (...args: string[]) => runGatetrail(['rollups', ...args], { dataDir });

test('the alerts role sums up what ingest stores', async () => {
  const verdict = await until(
    () => rollupDrift(engine, name),
    ({ hours, drift }) => hours > 0 && drift.length === 0,
    90_000,
  );
  expect(verdict).toMatchObject({ minutes: 1, hours: 2 });
});

test('verify finds nothing, then the hour that was planted, and rebuild mends it', async () => {
  expect(await rollups('verify')).toMatchObject({ code: 0, out: '' });
  await sqlText(engine, "ALTER TABLE rollup_hour UPDATE requests = 7 WHERE tenant != '' SETTINGS mutations_sync = 2", name);
  const found = await rollups('verify', '--json');
  expect(found).toMatchObject({ code: 3 });
  const { arrived, ...drift } = JSON.parse(found.out) as Record<string, unknown>;
  expect(arrived).toMatch(/^\d{4}-\d\d-\d\d$/);
  expect(drift).toEqual({ hour: '2026-11-22T10:00:00.000Z', table: 'rollup_hour', events: 3, rollup: 7 });
  expect(await rollups('verify', '--to', '2026-11-22T10:00:00Z')).toMatchObject({ code: 0, out: '' });
  const rebuilt = await rollups('rebuild', '--from', '2026-11-22T10:00:00Z', '--to', '2026-11-22T11:00:00Z');
  expect(rebuilt).toMatchObject({ code: 0, log: expect.stringContaining('made 1 hours again') });
  expect(rebuilt.out).toContain('2026-11-22T10:00:00.000Z rollup_hour');
  expect(await rollups('verify')).toMatchObject({ code: 0, out: '' });
});

test('wrong words and times are told before anything starts', async () => {
  expect(await rollups('mend')).toMatchObject({ code: 2 });
  expect(await rollups('verify', '--from', 'yesterday')).toMatchObject({ code: 2, log: expect.stringContaining('--from') });
});
