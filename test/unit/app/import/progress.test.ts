import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openProgress } from '../../../../app/import/progress.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'gatetrail-progress-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const list = () => join(folder, 'deep', 'imports.json');
const markOf = (text: string, fields = '') => ({ end: text.length, sha256: createHash('sha256').update(text).digest('hex'), fields });
async function* pieces(text: string, size: number) {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
}
const find = (text: string, size = 7) => openProgress(list()).find(pieces(text, size));

describe('a file that was imported before', () => {
  test('is continued after what was imported, however it is read', async () => {
    openProgress(list()).save(markOf('one\ntwo\n'));
    for (let size = 1; size < 20; size += 1) expect((await find('one\ntwo\nthree\n', size))?.end).toBe(8);
  });

  test('that has not changed is done', async () => {
    openProgress(list()).save(markOf('one\n'));
    expect((await find('one\n'))?.end).toBe(4);
  });

  test('goes on after the furthest of several marks', async () => {
    const progress = openProgress(list());
    for (const part of ['one\n', 'one\ntwo\nthree\n', 'one\ntwo\n']) progress.save(markOf(part));
    expect((await find('one\ntwo\nthree\nfour\n'))?.end).toBe(14);
  });

  test('keeps the columns that were in force', async () => {
    openProgress(list()).save(markOf('one\n', '#Fields: time'));
    expect((await find('one\ntwo\n'))?.fields).toBe('#Fields: time');
  });
});

describe('a file that was not imported', () => {
  test('is read from its start', async () => expect(await find('one\n')).toBeNull());

  test('is not taken for one that only begins alike', async () => {
    openProgress(list()).save(markOf('one\ntwo\n'));
    expect(await find('one\nTWO\nthree\n')).toBeNull();
  });

  test('that is shorter than what was imported is new', async () => {
    openProgress(list()).save(markOf('one\ntwo\n'));
    expect(await find('one\n')).toBeNull();
  });
});

test('a damaged list costs a second import, never a start that fails', async () => {
  openProgress(list()).save(markOf('one\n'));
  writeFileSync(list(), '[{"end":4');
  expect(await find('one\n')).toBeNull();
});
