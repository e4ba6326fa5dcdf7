/** Names of members: kept for the next process, and never those of one that lives. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../../../core/logger.ts';
import { ownMark } from '../../../../core/process.ts';
import { nameInFolder, namesOfEnded } from '../../../../ingest/logs/membership.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatetrail-members-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const name = () => nameInFolder(folder, 'test', silentLogger);
const place = (at: number) => join(folder, `${hostname()}-${at}.json`);
/** As a process left it that had this id, and began at another time. */
const leave = (at: number, instance: string) => writeFileSync(place(at), JSON.stringify({ ...ownMark(), startedAt: '1', instance }));

test('the name of a process that has ended is taken, and kept for the next', () => {
  leave(1, 'dead');
  expect(name()).toBe('test-dead');
  expect(JSON.parse(readFileSync(place(1), 'utf8'))).toEqual({ ...ownMark(), instance: 'dead' });
});

test('processes that live side by side have names of their own', () => {
  const names = [name(), name(), name()];
  expect(new Set(names).size).toBe(3);
  expect(readdirSync(folder).toSorted()).toEqual([1, 2, 3].map((at) => `${hostname()}-${at}.json`));
});

test('of several that have ended each successor has one', () => {
  for (const at of [1, 2]) leave(at, `dead-${at}`);
  expect([name(), name()]).toEqual(['test-dead-1', 'test-dead-2']);
});

test('those that have ended are known to whoever lives, so that one can leave for all of them', () => {
  leave(1, 'dead-1');
  leave(2, 'dead-2');
  expect(namesOfEnded(folder, 'test')).toEqual(['test-dead-1', 'test-dead-2']);
  expect(name()).toBe('test-dead-1');
  expect(namesOfEnded(folder, 'test')).toEqual(['test-dead-2']);
});

test('whoever reads a place while it is taken reads the whole of what stood there', () => {
  leave(1, 'dead');
  const reading = openSync(place(1), 'r');
  expect(name()).toBe('test-dead');
  expect(JSON.parse(readFileSync(reading, 'utf8'))).toMatchObject({ startedAt: '1', instance: 'dead' });
  closeSync(reading);
});

test('of another machine that shares the folder none is taken', () => {
  writeFileSync(join(folder, 'elsewhere-1.json'), JSON.stringify({ ...ownMark(), startedAt: '1', instance: 'theirs' }));
  expect(name()).not.toContain('theirs');
});

test('processes that begin at one moment over places of dead ones share none', async () => {
  for (let at = 1; at <= 4; at += 1) leave(at, `dead-${at}`);
  const program = `import { nameInFolder } from ${JSON.stringify(join(import.meta.dirname, '../../../../dist/ingest/logs/membership.js'))};
    while (Date.now() < Number(process.argv[1])) {}
    console.log(nameInFolder(process.argv[2], 'test', { warn: console.error }));
    process.stdin.resume();`; // lives until all have their names
  const begin = String(Date.now() + 1_500);
  const children = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', program, begin, folder], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const names = await Promise.all(children.map(async ({ stdout }) => String((await once(stdout, 'data'))[0]).trim()));
  for (const { stdin } of children) stdin.end();
  await Promise.all(children.map((child) => once(child, 'exit')));
  expect(new Set(names).size).toBe(6);
  expect(names).not.toContain('null');
});

test('a folder that cannot be written leaves the group to the session', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(nameInFolder(join(folder, 'file'), 'test', silentLogger)).toBeNull();
});
