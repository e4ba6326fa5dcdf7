import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contentOf, followed } from '../../../../app/import/files.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatetrail-files-'));
  file = join(folder, 'access.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

async function textOf(content: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('a file', () => {
  test('is read as it is', async () => {
    writeFileSync(file, 'one\n');
    expect(await textOf(contentOf(file))).toBe('one\n');
  });

  test('is opened when it is gzip, whatever its name', async () => {
    writeFileSync(file, gzipSync('one\n'));
    expect(await textOf(contentOf(file))).toBe('one\n');
  });

  test('that is not there is named', async () => {
    await expect(textOf(contentOf(file))).rejects.toMatchObject({ code: 'BAD_USER_INPUT', message: expect.stringContaining(file) });
  });
});

describe('a file that is followed', () => {
  /** Collects what is followed until `expected` is there, running each step when the text before it has come. */
  async function follow(expected: string, steps: Record<string, () => void>, start = 0): Promise<string> {
    const stop = new AbortController();
    let seen = '';
    const timer = setTimeout(() => stop.abort(), 5_000);
    for await (const part of followed(file, start, stop.signal, 5)) {
      seen += part === 'restarted' ? '|' : part.toString();
      steps[seen]?.();
      if (seen === expected) stop.abort();
    }
    clearTimeout(timer);
    return seen;
  }

  test('gives what is appended', async () => {
    writeFileSync(file, 'one\n');
    expect(await follow('one\ntwo\n', { 'one\n': () => appendFileSync(file, 'two\n') })).toBe('one\ntwo\n');
  });

  test('goes on after what was imported before', async () => {
    writeFileSync(file, 'one\ntwo\n');
    expect(await follow('two\n', {}, 4)).toBe('two\n');
  });

  test('is read to its end after it was renamed, then the new file from its start', async () => {
    writeFileSync(file, 'one\n');
    const rotate = () => {
      appendFileSync(file, 'last\n');
      renameSync(file, `${file}.1`);
      writeFileSync(file, 'new\n');
    };
    expect(await follow('one\nlast\n|new\n', { 'one\n': rotate })).toBe('one\nlast\n|new\n');
  });

  test('is read from its start after it was cut off', async () => {
    writeFileSync(file, 'one\ntwo\n');
    const cutOff = () => {
      truncateSync(file);
      appendFileSync(file, 'new\n');
    };
    expect(await follow('one\ntwo\n|new\n', { 'one\ntwo\n': cutOff })).toBe('one\ntwo\n|new\n');
  });
});
