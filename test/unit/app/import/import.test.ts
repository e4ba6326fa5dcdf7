/** What is sent of a file, and from where a repeated command goes on, whatever the service answered. */
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { followFile, importFile, type ImportOptions, type Tally } from '../../../../app/import/import.ts';
import { openProgress } from '../../../../app/import/progress.ts';

let folder: string;
let file: string;
let server: Server;
let posts: string[];
/** How the next posts are answered; 202 beyond. */
let answers: { status: number; body: object }[];
let notes: string[];
let asked: string[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatetrail-import-'));
  file = join(folder, 'access.log');
  [posts, answers, notes, asked] = [[], [], [], []];
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      posts.push(Buffer.concat(parts).toString());
      asked.push(request.url ?? '');
      const { status, body } = answers.shift() ?? { status: 202, body: { messages: 1, events: 1, rejected: 0, skipped: 0, reasons: {} } };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
});
afterEach(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** As a command of its own: what it knows of earlier ones stands in the list of marks. */
function optionsOf(again = false): ImportOptions {
  return {
    service: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, key: 'k' },
    progress: openProgress(join(folder, 'imports.json')),
    format: undefined,
    tenant: undefined,
    topic: undefined,
    again,
    note: (line) => void notes.push(line),
  };
}
const emptyTally = (): Tally => ({ files: 0, messages: 0, events: 0, rejected: 0, skipped: 0, reasons: {} });
const run = () => importFile(file, emptyTally(), optionsOf());
const sent = () => posts.flatMap((post) => post.split('\n'));
const linesTo = (count: number) => Array.from({ length: count }, (_, at) => `line ${at + 1}`);
const away = { status: 503, body: { error: { code: 'BACKEND_UNAVAILABLE', message: 'away' } } };

describe('a repeated command', () => {
  test('sends what was refused, and nothing that was taken', async () => {
    writeFileSync(file, `${linesTo(5_005).join('\n')}\n`);
    answers = [{ status: 202, body: { messages: 5_000, events: 5_000, rejected: 0, skipped: 0, reasons: {} } }, away];
    await expect(run()).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
    expect(posts.map((post) => post.split('\n').length)).toEqual([5_000, 5]);
    posts = [];
    await run();
    expect(sent()).toEqual(linesTo(5_005).slice(5_000));
    posts = [];
    await run();
    expect(posts).toEqual([]);
  });

  test('sends a long first line that was refused', async () => {
    writeFileSync(file, `${'x'.repeat(5 * 1024 * 1024)}\nshort\n`);
    answers = [away];
    await expect(run()).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
    posts = [];
    await run();
    expect(sent().map((line) => line.length)).toEqual([5 * 1024 * 1024, 5]);
  });

  test('does not send again what the log has, though it was not stored in time', async () => {
    writeFileSync(file, 'one\n');
    answers = [{ status: 202, body: { messages: 1, events: 0, rejected: 0, skipped: 0, reasons: {}, pending: true } }];
    const tally = emptyTally();
    await importFile(file, tally, optionsOf());
    expect([tally.pending, notes]).toEqual([1, [expect.stringContaining('is in the log, but was not stored within a minute; it will be')]]);
    appendFileSync(file, 'two\n');
    await run();
    expect(posts).toEqual(['one', 'two']);
  });

  test('goes on with the rest of a file without waiting, where its beginning was late to be stored', async () => {
    writeFileSync(file, `${linesTo(10_001).join('\n')}\n`);
    answers = [{ status: 202, body: { messages: 5_000, events: 0, rejected: 0, skipped: 0, reasons: {}, pending: true } }];
    const tally = emptyTally();
    await importFile(file, tally, optionsOf());
    expect(sent()).toEqual(linesTo(10_001));
    expect(asked.map((url) => url.includes('wait=stored'))).toEqual([true, false, false]);
    expect([tally.pending, notes.length]).toEqual([10_001, 1]);
  });

  test('names a line beyond the limit once', async () => {
    writeFileSync(file, `one\n${'x'.repeat(16 * 1024 * 1024 + 1)}\n`);
    await run();
    expect(notes).toEqual([expect.stringMatching(/a line of 16777217 bytes ends at byte 16777222/)]);
    await run();
    expect(notes).toHaveLength(1);
    expect(posts).toEqual(['one']);
  });
});

const columns = (names: string) => `#Fields: ${names}`;

describe('the columns of a W3C file', () => {
  test('go along with a single line', async () => {
    writeFileSync(file, `#Version: 1.0\n${columns('date time')}\n2026-11-24 11:00:05\n`);
    await run();
    expect(posts.at(-1)).toBe(`${columns('date time')}\n2026-11-24 11:00:05`);
  });

  test('that stood alone at the end are kept for the lines that follow', async () => {
    writeFileSync(file, `${columns('a')}\n1\n${columns('b')}\n`);
    await run();
    appendFileSync(file, '2\n3\n');
    await run();
    appendFileSync(file, '4\n');
    await run();
    expect(posts).toEqual([`${columns('a')}\n1`, `${columns('b')}\n2\n3`, `${columns('b')}\n4`]);
  });

  test('change within a file, each line with its own', async () => {
    writeFileSync(file, [columns('a'), '1', '2', columns('b'), '3', ''].join('\n'));
    await run();
    expect(posts).toEqual([`${columns('a')}\n1\n2`, `${columns('b')}\n3`]);
  });
});

describe('a file that is followed', () => {
  /** Follows until as many posts have come, running each step when there are that many. */
  async function follow(count: number, steps: Record<number, () => void> = {}, again = false): Promise<void> {
    const stop = new AbortController();
    const watch = setInterval(() => {
      const step = steps[posts.length];
      delete steps[posts.length];
      step?.();
      if (posts.length >= count) stop.abort();
    }, 5);
    await followFile(file, emptyTally(), { ...optionsOf(again), signal: stop.signal });
    clearInterval(watch);
  }

  test('goes on behind what was sent, with the columns in force', async () => {
    writeFileSync(file, `${columns('a')}\n`);
    await follow(1, { 0: () => appendFileSync(file, '1\n2') });
    await follow(2, { 1: () => appendFileSync(file, '\n') });
    expect(posts).toEqual([`${columns('a')}\n1`, `${columns('a')}\n2`]);
  });

  test('gives its last line when it is rotated away, line break or not', async () => {
    writeFileSync(file, 'one\nlast');
    const rotate = () => {
      renameSync(file, `${file}.1`);
      writeFileSync(file, 'new\n');
    };
    await follow(3, { 1: rotate });
    expect(posts).toEqual(['one', 'last', 'new']);
    file = `${file}.1`;
    await run();
    expect(posts).toHaveLength(3);
  });

  test('of which a part is refused is sent from there again', async () => {
    writeFileSync(file, 'one\n');
    await follow(1);
    appendFileSync(file, 'two\n');
    answers = [away];
    await expect(follow(2)).rejects.toMatchObject({ code: 'BACKEND_UNAVAILABLE' });
    await follow(3);
    expect(posts).toEqual(['one', 'two', 'two']);
  });
});
