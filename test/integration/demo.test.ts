/** `npm run demo`, as a newcomer runs it: ready soon, two different alert mails, none when calm, and nothing left behind. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { afterAll, describe, expect, test } from 'vitest';
import { campaign } from '../support/campaign.ts';
import { graphql, startGatetrail, until } from '../support/gatetrail.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-demo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Processes whose command line names the data folder. */
function processesOn(dataDir: string): string[] {
  const all = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.includes(dataDir) && line.includes('main.js'));
}

const mailsIn = (dataDir: string): string[] => {
  try {
    return readdirSync(join(dataDir, 'mailbox')).filter((name) => name.endsWith('.eml'));
  } catch {
    return []; // no mail yet, no folder yet
  }
};

describe('the demonstration', () => {
  const { sizes, report } = campaign('demo', { calmSeconds: 20 }, { calmSeconds: 120 });

  test('is ready within 15 s, mails two different alerts within two minutes, and ends within 5 s with nothing left', async () => {
    const dataDir = join(folder, 'incidents');
    const startedAt = Date.now();
    const demo = await startGatetrail(['demo'], { dataDir, readyWithinMs: 60_000 });
    const readyAfterMs = Date.now() - startedAt;
    const files = await until(
      async () => mailsIn(dataDir),
      (mails) => mails.length >= 2,
      120_000,
    );
    const mailsAfterMs = Date.now() - startedAt - readyAfterMs;
    const mails = await Promise.all(files.map((name) => PostalMime.parse(readFileSync(join(dataDir, 'mailbox', name)))));
    expect(mails.map(({ subject }) => subject?.split(' of ')[0] ?? '').toSorted()).toEqual([
      '[FIRING] Auth failures',
      '[FIRING] Rate breach',
    ]);
    const service = { url: demo.ready.url, token: demo.ready.token ?? '' };
    const { data } = await graphql<{ facets: { values: { value: string }[] }[] }>(
      service,
      '{ facets(range: {relative: "PT1H"}, dimensions: [GATEWAY]) { values { value } } }',
    );
    expect(data.facets[0]?.values).toHaveLength(5);
    const stoppedAt = Date.now();
    expect(await demo.stop()).toBe(0);
    const stoppedAfterMs = Date.now() - stoppedAt;
    expect(processesOn(dataDir)).toEqual([]);
    report({ readyAfterMs, mailsAfterMs, stoppedAfterMs });
    expect(stoppedAfterMs).toBeLessThan(6_000);
  });

  test('sends no mail when it is calm, and leaves no process after the supervisor was killed', async () => {
    const dataDir = join(folder, 'calm');
    const demo = await startGatetrail(['demo', '--calm'], { dataDir, readyWithinMs: 60_000 });
    await new Promise((resolve) => setTimeout(resolve, sizes.calmSeconds * 1000));
    expect(mailsIn(dataDir)).toEqual([]);
    await demo.kill('SIGKILL');
    await until(
      async () => processesOn(dataDir),
      (left) => left.length === 0,
      20_000, // two seconds on a machine that does nothing else
    );
  });
});
