/** `gatetrail start` and its roles where the machine is not as they need it: what a person reads, and the exit code. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { mountDisk } from '../../support/disk.ts';
import { runGatetrail } from '../../support/gatetrail.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-start-'));
const dataDir = join(folder, 'data');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('where it listens', () => {
  test('a port that is taken ends start with 2, its number and what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo; // listening on TCP has an address of that kind
    const { code, log, out } = await runGatetrail(['start', '--port', String(port)], { dataDir });
    other.close();
    expect(log).toContain(`PORT_IN_USE: Port ${port} on 127.0.0.1 is in use by another process. Choose another one with --port`);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });

  test.each([
    [
      'an address of another machine',
      { GATETRAIL_HOST: '203.0.113.1', GATETRAIL_INSECURE: 'true' },
      /Cannot listen on port 0 of 203\.0\.113\.1: .*http\.host/,
    ],
    [
      'a certificate that is not there',
      { GATETRAIL_TLS_CERT: '/nowhere.pem', GATETRAIL_TLS_KEY: '/nowhere.key' },
      /http\.tls\.cert: expected the path of a file.*\/nowhere\.pem/,
    ],
  ])('%s ends a role with 2 and the setting', async (_, env, message) => {
    const { code, log } = await runGatetrail(['query'], { dataDir, env: { GATETRAIL_PORT: '0', ...env } });
    expect(log).toMatch(message);
    expect(log).toMatch(/^CONFIG_INVALID: /m);
    expect(code).toBe(2);
  });
});

describe('a data folder', () => {
  test('that is a file is refused at once, by its whole path', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(await runGatetrail(['start'], { dataDir: file })).toEqual({
      code: 2,
      out: '',
      log: expect.stringMatching(new RegExp(`^DATA_DIR_UNUSABLE: ${file} cannot be written: EEXIST.* choose another one with --data\n$`)),
    });
  });

  describe('that cannot be written', () => {
    const readOnly = join(folder, 'read-only');
    const disk = mountDisk(readOnly, 'ro');
    afterAll(() => disk?.unmount());

    test.each(['start', 'engine', 'ingest', 'query', 'alerts'])('is refused by %s, at once and in words', async (verb) => {
      if (disk === null) chmodSync(readOnly, 0o500); // enough for whoever is not root, and root may mount
      const { code, log } = await runGatetrail([verb], { dataDir: readOnly, env: { GATETRAIL_PORT: '0' } });
      expect(log).toMatch(new RegExp(`^DATA_DIR_UNUSABLE: .*${readOnly}.* cannot be.* (EROFS|EACCES|ENOENT)`, 'm'));
      expect(code).toBe(2);
    });
  });
});
