/** `gatetrail positions`: where ingest stands, and a range that an operator leaves out, which stays on record. Embedded, in turn with and without a service. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { graphql, runGatetrail, startGatetrail, until, type Running } from '../../support/gatetrail.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-positions-'));
const dataDir = join(folder, 'data');
const topic = 'gatetrail-records';
const running: Running[] = [];
/** Of the partition that holds the three records which were never read. */
let place: Position;

beforeAll(async () => {
  const service = await start('start');
  expect(await post(service, ['/stored'])).toBe(202);
  await until(
    () => list(),
    (all) => all.length === 4 && all.some(({ position }) => position === 1),
    30_000,
  );
}, 120_000);
afterAll(async () => {
  for (const one of running) await one.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Position {
  readonly topic: string;
  readonly sourceEpoch: number;
  readonly partition: number;
  readonly position: number;
  readonly isOpen: boolean;
}

let key = '';
async function start(verb: string): Promise<Running> {
  const one = await startGatetrail([verb], { dataDir });
  running.push(one);
  key = one.ready.token ?? key;
  return one;
}
async function stopAll(): Promise<void> {
  for (const one of running.splice(0).toReversed()) expect(await one.stop()).toBe(0);
}

const positions = (...args: string[]) => runGatetrail(['positions', ...args, '--json'], { dataDir });
const linesOf = (out: string) =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Position);
async function list(): Promise<Position[]> {
  const { code, out, log } = await positions('list');
  expect({ code, log }).toEqual({ code: 0, log: '' });
  return linesOf(out);
}
const reset = (to: number, reason = 'they were sent by mistake', partition = place.partition) =>
  positions('reset', '--topic', topic, '--partition', String(partition), '--to', String(to), '--reason', reason);

async function post({ ready }: Running, paths: readonly string[]): Promise<number> {
  const record = (path: string) => JSON.stringify({ timestamp: new Date().toISOString(), gateway_kind: 'mesh', url_path: path });
  const response = await fetch(`${ready.url}/v1/records`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' },
    body: paths.map(record).join('\n'),
  });
  return response.status;
}

test('list shows each partition with where it goes on, beside a running service', async () => {
  const all = await list();
  expect(all.map(({ partition }) => partition)).toEqual([0, 1, 2, 3]);
  for (const one of all)
    expect(one).toEqual({ topic, sourceEpoch: 1, partition: one.partition, position: expect.any(Number), isOpen: false });
  expect(all.map(({ position }) => position).toSorted((a, b) => a - b)).toEqual([0, 0, 0, 1]);
});

test('reset and new-epoch are refused while ingest reads', async () => {
  for (const args of [['reset', '--partition', '0', '--to', '1'], ['new-epoch']]) {
    const { code, out, log } = await positions(...args, '--topic', topic, '--reason', 'a test');
    expect({ code, out }).toEqual({ code: 75, out: '' });
    expect(log).toMatch(/^NOT_READY: Ingest reads now: process \d+\. Positions change only while none does: stop it and try again/);
  }
});

test('list works where nothing runs, and shows nothing of what was posted and not read', async () => {
  const before = await list();
  await stopAll();
  expect(await list()).toEqual(before);
  await start('engine');
  const query = await start('query');
  expect(await post(query, ['/left/1', '/left/2', '/kept'])).toBe(202);
  expect(await running.pop()?.stop()).toBe(0);
  expect(await list()).toEqual(before);
});

const asked = (partition: string, to: string) => ['reset', '--topic', topic, '--partition', partition, '--to', to, '--reason', 'r'];
test.each([
  [['rewind'], /^BAD_USER_INPUT: expected positions list, reset or new-epoch, rewind came/],
  [asked('x', '2'), /^BAD_USER_INPUT: --partition: expected a whole number from 0 on, got x/],
  [asked('0', '2').slice(0, -2), /^BAD_USER_INPUT: expected --reason TEXT, nothing came/],
  [
    asked('0', '9000'),
    /--to: expected an offset above \d, where ingest goes on .*, and at most \d, the end of gatetrail-records\/0; got 9000/,
  ],
  [asked('0', '0'), /^BAD_USER_INPUT: --to: expected an offset above/],
  [asked('7', '1'), /^NOT_FOUND: Ingest has read nothing of gatetrail-records\/7/],
])('%j is refused in words', async (args, message) => {
  const { code, log } = await positions(...args);
  expect(log).toMatch(message);
  expect(code).toBe(message.source.includes('NOT_FOUND') ? 1 : 2);
});

test('reset leaves out the range: it is never stored, and completeness names it with its reason', async () => {
  // Which partition got the three is for the journal to say: it is the one whose end lies three beyond.
  for (const one of await list()) {
    const { code, out } = await reset(one.position + 2, 'they were sent by mistake', one.partition);
    if (code !== 0) continue;
    place = one;
    expect(linesOf(out)).toEqual([{ ...one, position: one.position + 2 }]);
  }
  expect((await list())[place.partition]).toEqual({ ...place, position: place.position + 2 });
  await stopAll();
  const service = await start('start');
  const asking = { url: service.ready.url, token: key };
  const paths = async () => {
    const { data } = await graphql<{ auditEvents: { nodes: { request: { path: string } }[] } }>(
      asking,
      '{ auditEvents(range: {relative: "PT1H"}) { nodes { request { path } } } }',
    );
    return data.auditEvents.nodes.map(({ request }) => request.path).toSorted();
  };
  expect(await until(paths, (all) => all.includes('/kept'), 30_000)).toEqual(['/kept', '/stored']);
  const report = await graphql<{ completeness: { complete: boolean; partitions: { partition: number; gaps: object[] }[] } }>(
    asking,
    '{ completeness(range: {relative: "PT1H"}) { complete partitions { partition gaps { from to reason note } } } }',
  );
  const found = report.data.completeness;
  expect(found.complete).toBe(false);
  expect(found.partitions.filter(({ gaps }) => gaps.length > 0)).toEqual([
    {
      partition: place.partition,
      gaps: [{ from: place.position, to: place.position + 2, reason: 'OPERATOR_RESET', note: 'they were sent by mistake' }],
    },
  ]);
});
