/** A mark that a process leaves in a file holds as long as that very process lives. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { lives, ownMark } from '../../../core/process.ts';

test('a process that runs lives', () => {
  expect(lives(ownMark())).toBe(true);
});

test('a process that has ended does not', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  expect(lives({ pid: child.pid ?? 0, startedAt: null })).toBe(false);
});

test.runIf(process.platform === 'linux')('a later process under the same id does not', () => {
  expect(lives({ ...ownMark(), startedAt: '1' })).toBe(false);
});
