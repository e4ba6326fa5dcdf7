/** The journal inside a running service: how long it keeps records, and who may open it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deriveKey } from '../../../core/keys.ts';
import { openJournal } from '../../../ingest/logs/journal.ts';
import { runGatetrail, startGatetrail, until, type Running } from '../../support/gatetrail.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-journal-'));
const dataDir = join(folder, 'data');
let service: Running;

beforeAll(async () => {
  service = await startGatetrail(['start'], { dataDir, env: { GATETRAIL_JOURNAL_KEEP: '1s' }, readyWithinMs: 110_000 });
}, 120_000);
afterAll(async () => {
  await service?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('a record leaves the journal once it was stored for as long as journal.keep says', async () => {
  const line = `203.0.113.9 - - [01/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 12 "-" "curl/8.5.0"`;
  const response = await fetch(`${service.ready.url}/v1/records?wait=stored`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.ready.token}`, 'content-type': 'text/plain' },
    body: Array.from({ length: 20 }, () => line).join('\n'),
  });
  expect(await response.json()).toMatchObject({ events: 20 });
  const secret = readFileSync(join(dataDir, 'secret'), 'utf8').trim();
  const journal = openJournal({ folder: join(dataDir, 'journal'), key: deriveKey(secret, 'journal') });
  const left = await until(
    () => journal.bounds(['gatetrail-records']),
    (bounds) => bounds.every(({ low, high }) => low === high),
    60_000,
  );
  expect(left.reduce((sum, { high }) => sum + high, 0)).toBe(20);
  await journal.close();
});

test('another secret ends the start with 2, and says how to go on', async () => {
  await service.stop();
  const { code, log } = await runGatetrail(['start'], {
    dataDir,
    env: { GATETRAIL_SECRET: 'another secret, long enough for the product' },
  });
  expect({ code, log }).toEqual({ code: 2, log: expect.stringContaining('secret.previous') });
});
