/** Dead letters as the engineer on call meets them: listed, read again after the configuration was mended, from the log and from what is kept. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { graphql, runGatetrail, startGatetrail, until, type Running } from '../support/gatetrail.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-letters-'));
const configFile = join(folder, 'gatetrail.yaml');
let service: Running | undefined;

afterAll(async () => {
  await service?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const record = (path: string) => ({ timestamp: new Date().toISOString(), gateway_kind: 'mesh', url_path: path });
const kong = (path: string) => ({
  request: { uri: path, method: 'GET', headers: { host: 'api.example.com' } },
  response: { status: 200 },
  latencies: { request: 1, kong: 0, proxy: 1 },
  client_ip: '203.0.113.9',
  started_at: Date.now(),
});

async function start(dataDir: string, config: object): Promise<{ url: string; token: string }> {
  await service?.stop();
  writeFileSync(configFile, stringify(config));
  service = await startGatetrail(['start', '--config', configFile], { dataDir });
  return { url: service.ready.url, token: service.ready.token ?? '' };
}

async function post({ url, token }: { url: string; token: string }, body: string): Promise<unknown> {
  const response = await fetch(`${url}/v1/records?wait=stored&topic=edge`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    body,
  });
  return response.json();
}

const verb = async (dataDir: string, ...args: string[]) => {
  const { code, out, log } = await runGatetrail(['dead-letters', ...args, '--config', configFile], { dataDir });
  return { code, log, out, lines: out.trim().split('\n') };
};
const json = async (dataDir: string, ...args: string[]) => {
  const { code, lines } = await verb(dataDir, ...args, '--json');
  return { code, answers: lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>) };
};

const ask = `{
  auditEvents(range: {relative: "PT1H"}, first: 100) { nodes { request { path } position { offset index } } }
  completeness(range: {relative: "PT1H"}) { complete partitions { records events rejected } }
}`;
interface Answer {
  readonly auditEvents: { readonly nodes: { readonly request: { readonly path: string } }[] };
  readonly completeness: { readonly complete: boolean; readonly partitions: { records: number; events: number; rejected: number }[] };
}
async function state(at: { url: string; token: string }) {
  const { data } = await graphql<Answer>(at, ask);
  const sum = (name: 'records' | 'events' | 'rejected') => data.completeness.partitions.reduce((total, each) => total + each[name], 0);
  const paths = data.auditEvents.nodes.map(({ request }) => request.path).toSorted();
  return { paths, complete: data.completeness.complete, records: sum('records'), events: sum('events'), rejected: sum('rejected') };
}

const wrong = { sources: [{ topic: 'edge', format: 'kong' }] };
const mended = { sources: [{ topic: 'edge' }] };

describe('records that a wrong configuration could not read', () => {
  const dataDir = join(folder, 'log');

  test('are listed with their reason, read again from the log after a mend, and stored once', async () => {
    const first = await start(dataDir, wrong);
    const lines = [record('/a'), kong('/k'), [kong('/in/0'), record('/in/1'), kong('/in/2')], { secret: 'hunter2' }];
    expect(await post(first, lines.map((line) => JSON.stringify(line)).join('\n'))).toMatchObject({ events: 3, rejected: 3 });
    expect(await state(first)).toMatchObject({ complete: true, records: 6, events: 3, rejected: 3 });

    const listed = await json(dataDir, 'list');
    expect(listed.code).toBe(0);
    expect(listed.answers).toHaveLength(3);
    for (const letter of listed.answers) expect(letter).toMatchObject({ detectedFormat: 'kong', replayable: true, replayedAt: null });
    expect(JSON.stringify(listed.answers)).not.toContain('hunter2');
    const { lines: table } = await verb(dataDir, 'list');
    expect(table.slice(0, 3).join('\n')).toMatch(/edge\/\d@\d+\.\d {2}\w+ {2}kong {2}in the log or kept/);
    expect(table.at(-1)).toMatch(/^ +\d \w+$/);

    const second = await start(dataDir, mended);
    expect(await json(dataDir, 'replay', '--dry-run')).toEqual({ code: 3, answers: [{ matched: 3, replayed: 2, rejectedAgain: 1 }] });
    expect(await state(second)).toMatchObject({ events: 3 });
    expect(await json(dataDir, 'replay')).toEqual({ code: 3, answers: [{ matched: 3, replayed: 2, rejectedAgain: 1 }] });
    expect(await state(second)).toEqual({
      paths: ['/a', '/in/0', '/in/1', '/in/2', '/k'],
      complete: true,
      records: 6,
      events: 5,
      rejected: 1,
    });
    expect(await json(dataDir, 'replay')).toEqual({ code: 3, answers: [{ matched: 1, replayed: 0, rejectedAgain: 1 }] });
    expect((await json(dataDir, 'list', '--code', 'UNKNOWN_FORMAT')).answers).toEqual([
      expect.objectContaining({ code: 'UNKNOWN_FORMAT', replayable: true, replayedAt: null }),
    ]);
    const done = (await json(dataDir, 'list')).answers.filter(({ replayedAt }) => replayedAt !== null);
    expect(done).toHaveLength(2);
    expect((await verb(dataDir, 'lost')).code).toBe(2);
  }, 180_000);
});

describe('where the log has forgotten them', () => {
  const [kept, gone] = [join(folder, 'kept'), join(folder, 'gone')];
  const secrets = ['the first secret of the tests, long enough', 'the second secret of the tests, long enough'];
  const short = { journal: { keep: '0s' } };

  const letters = '{deadLetters(range: {relative: "PT1H"}) {nodes {replayable}}}';
  const forgotten = (at: { url: string; token: string }, isKept: boolean) =>
    until(
      async () => (await graphql<{ deadLetters: { nodes: { replayable: boolean }[] } }>(at, letters)).data.deadLetters.nodes,
      (all) => all.length === 1 && all[0]?.replayable === isKept,
      30_000,
    );

  test('whole messages that are kept are read again, also after a rotation of the secret', async () => {
    const first = await start(kept, { ...wrong, ...short, deadLetters: { keepBytes: true }, secret: secrets[0] });
    expect(await post(first, JSON.stringify(record('/kept')))).toMatchObject({ rejected: 1 });
    const second = await start(kept, { ...mended, ...short, secret: { current: secrets[1], previous: [secrets[0]] } });
    await new Promise((resolve) => setTimeout(resolve, 12_000)); // the journal notes by spans of ten seconds what is stored
    await forgotten(second, true);
    expect(await json(kept, 'replay')).toEqual({ code: 0, answers: [{ matched: 1, replayed: 1, rejectedAgain: 0 }] });
    expect((await state(second)).paths).toEqual(['/kept']);
  }, 180_000);

  test('others say so, and stand', async () => {
    const first = await start(gone, { ...wrong, ...short });
    expect(await post(first, JSON.stringify(record('/gone')))).toMatchObject({ rejected: 1 });
    await forgotten(first, false);
    const { code, out, log } = await verb(gone, 'replay');
    expect({ code, out }).toEqual({ code: 3, out: '1 dead letter(s): 0 stored, 0 rejected again, 1 not read\n' });
    expect(log).toContain('1 not read again: their bytes are neither in the log of edge/');
    expect(await state(first)).toMatchObject({ events: 0, rejected: 1, complete: true });
  }, 180_000);
});
