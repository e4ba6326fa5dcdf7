import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadRules } from '../../../alerts/alerts.ts';
import { firstPartyRules } from '../../../alerts/pack.ts';

const own = mkdtempSync(join(tmpdir(), 'gatetrail-rules-'));
afterAll(() => rmSync(own, { recursive: true, force: true }));

test('a folder that is not there stops the start, and is named', async () => {
  await expect(loadRules([join(own, 'none')])).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('none') });
});

test('an id that stands in two files stops the start, and both are named', async () => {
  copyFileSync(join(firstPartyRules, 'rate-breach.yml'), join(own, 'copied.yml'));
  const message = expect.stringMatching(/rate-breach\.yml and in copied\.yml/);
  await expect(loadRules([firstPartyRules, own])).rejects.toMatchObject({ code: 'CONFIG_INVALID', message });
});
