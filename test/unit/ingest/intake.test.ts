import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { accept, openGzip, type Posted } from '../../../ingest/intake.ts';
import type { Log, NewMessage } from '../../../ingest/log.ts';

const posted = (body: string | Buffer, rest: Partial<Posted> = {}): Posted => ({
  body: Buffer.from(body),
  encoding: undefined,
  type: 'application/x-ndjson',
  tenant: 'acme',
  format: undefined,
  ...rest,
});

/** A log that only remembers: what the log itself promises is shown by its own contract tests. */
function remembering() {
  const kept: NewMessage[] = [];
  const log = {
    append: async (_topic: string, messages: readonly NewMessage[]) => {
      for (const message of messages) kept.push(message);
      return messages.map((_, offset) => ({ partition: 0, offset }));
    },
  } as unknown as Log; // the intake calls append alone
  return { kept, log };
}

describe('a body that is posted', () => {
  test('is in the log as it came, message by message, before it is answered', async () => {
    const { kept, log } = remembering();
    expect((await accept(log, 'in', posted('{"a":1}\n{"a":2}'))).appended).toHaveLength(2);
    expect(kept.map(({ value }) => value.toString())).toEqual(['{"a":1}', '{"a":2}']);
  });

  test('carries the tenant of the key and the format that was named', async () => {
    const { kept, log } = remembering();
    await accept(log, 'in', posted('x', { format: 'kong' }));
    expect(kept[0]?.headers).toEqual({ 'gatetrail-tenant': 'acme', 'gatetrail-format': 'kong' });
  });

  test('may be gzip, said or only seen', async () => {
    const { kept, log } = remembering();
    await accept(log, 'in', posted(gzipSync('one\ntwo'), { encoding: 'gzip' }));
    await accept(log, 'in', posted(gzipSync('three')));
    await accept(log, 'in', posted(gzipSync('four'), { encoding: ' X-GZIP' }));
    await accept(log, 'in', posted('five', { encoding: 'Identity' }));
    expect(kept.map(({ value }) => value.toString())).toEqual(['one', 'two', 'three', 'four', 'five']);
  });

  test.each([
    ['another content type', posted('x', { type: 'application/xml' }), 'UNSUPPORTED_MEDIA_TYPE'],
    ['another encoding', posted('x', { encoding: 'br' }), 'UNSUPPORTED_MEDIA_TYPE'],
    ['an empty body', posted('\n\n'), 'BAD_USER_INPUT'],
    ['a damaged gzip stream', posted(gzipSync('one').subarray(0, 15), { encoding: 'gzip' }), 'BAD_USER_INPUT'],
    ['more than 200,000 lines', posted('1\n'.repeat(200_001)), 'PAYLOAD_TOO_LARGE'],
    ['as many in gzip', posted(gzipSync('1\n'.repeat(200_001))), 'PAYLOAD_TOO_LARGE'],
    ['a line beyond 16 MiB', posted(`ok\n${'x'.repeat(16 * 1024 * 1024 + 1)}`), 'PAYLOAD_TOO_LARGE'],
  ])('%s is refused whole', async (_, body, code) => {
    const { kept, log } = remembering();
    await expect(accept(log, 'in', body)).rejects.toMatchObject({ code });
    expect(kept).toEqual([]);
  });

  test('of 200,000 lines is taken, and a document over more lines is one message', async () => {
    const { kept, log } = remembering();
    await accept(log, 'in', posted('1\n'.repeat(200_000)));
    await accept(log, 'in', posted(`[${'1,\n'.repeat(200_001)}1]`));
    expect(kept).toHaveLength(200_001);
  });

  test('a bomb is refused before it is opened whole', async () => {
    await expect(openGzip(gzipSync(Buffer.alloc(80 * 1024 * 1024)))).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });
});
