/** A replay of dead letters whose process is killed on its way, again and again: in the end each record is stored once. Embedded. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { isAlive } from '../support/alive.ts';
import { campaign, seeded } from '../support/campaign.ts';
import { engineOf, graphql, type Running, startGatetrail, until } from '../support/gatetrail.ts';
import { sqlRows } from '../support/sql.ts';

const { sizes, seed, full, report } = campaign(
  'replay-kills',
  { batches: 4, letters: 20, kills: 1 },
  { batches: 300, letters: 20, kills: 60 },
);
const random = seeded(seed);
const folder = mkdtempSync(join(tmpdir(), 'gatetrail-replay-kills-'));
const [dataDir, config] = [join(folder, 'data'), join(folder, 'gatetrail.yaml')];
let service: Running | undefined;
afterAll(async () => {
  await service?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(settings: object): Promise<{ url: string; token: string }> {
  await service?.stop();
  writeFileSync(config, stringify(settings));
  service = await startGatetrail(['start', '--config', config], { dataDir });
  return { url: service.ready.url, token: service.ready.token ?? '' };
}

async function post({ url, token }: { url: string; token: string }, batch: number): Promise<void> {
  const record = (at: number) => JSON.stringify({ timestamp: new Date().toISOString(), gateway_kind: 'mesh', url_path: `/${batch}/${at}` });
  const response = await fetch(`${url}/v1/records?wait=stored&topic=edge`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    body: Array.from({ length: sizes.letters }, (_, at) => record(at)).join('\n'),
  });
  expect(await response.json()).toMatchObject({ rejected: sizes.letters });
}

/** The role that answers the API, and replays. */
function queryPid(): number {
  const parent = service?.pid ?? 0;
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ').map(Number);
  return children.find((pid) => isAlive(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[2] === 'query') ?? 0;
}

const rows = <Row>(sql: string) => sqlRows<Row>(engineOf(dataDir, 'reader'), sql, 'gatetrail');
/** Rows that replays have written so far. */
const progress = async () => (await rows<{ n: number }>('SELECT count() AS n FROM batches WHERE replay > 0'))[0]?.n ?? 0;

const mutation = 'mutation {replayDeadLetters(range: {relative: "PT3H"}) {matched replayed rejectedAgain userErrors {code}}}';
interface Replayed {
  readonly replayDeadLetters: { readonly matched: number; readonly replayed: number; readonly rejectedAgain: number };
}

/** Begins a replay, and kills its process once that has written something; false where all was over before. */
async function killed(at: { url: string; token: string }): Promise<boolean> {
  const [pid, before] = [queryPid(), await progress()];
  let isOver = false;
  const asked = graphql<Replayed>(at, mutation).then(
    () => (isOver = true),
    () => {},
  );
  while (!isOver && (await progress()) === before) await sleep(2);
  await sleep(random() * 150);
  const strikes = !isOver;
  if (strikes) process.kill(pid, 'SIGKILL');
  await asked;
  const isUp = () =>
    fetch(`${at.url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(isUp, Boolean, 60_000);
  return strikes;
}

test('each record is stored once, whenever its process is killed', { timeout: full ? 1_800_000 : 240_000 }, async () => {
  const first = await start({ sources: [{ topic: 'edge', format: 'kong' }] });
  for (let batch = 0; batch < sizes.batches; batch += 1) await post(first, batch);
  const mended = await start({ sources: [{ topic: 'edge' }] });
  let kills = 0;
  while (kills < sizes.kills && (await killed(mended))) kills += 1;
  const last = await graphql<Replayed>(mended, mutation);
  const records = sizes.batches * sizes.letters;
  const [stored] = await rows<{ n: number; paths: number }>(
    'SELECT count() AS n, uniqExact(url_path) AS paths FROM events WHERE batch_events > 0',
  );
  const open = await rows('SELECT first_offset FROM batches WHERE replay > 0 GROUP BY first_offset, replay HAVING max(settled) = 0');
  const completeness = '{completeness(range: {relative: "PT3H"}) {complete partitions {records events rejected}}}';
  const { data } = await graphql<{ completeness: { complete: boolean; partitions: { events: number; rejected: number }[] } }>(
    mended,
    completeness,
  );
  report({ killed: kills, last: last.data.replayDeadLetters, stored });
  expect(kills).toBeGreaterThan(0);
  expect(stored).toEqual({ n: records, paths: records });
  expect(open).toEqual([]);
  expect(data.completeness.complete).toBe(true);
  const sum = (name: 'events' | 'rejected') => data.completeness.partitions.reduce((total, each) => total + each[name], 0);
  expect({ events: sum('events'), rejected: sum('rejected') }).toEqual({ events: records, rejected: 0 });
  expect((await graphql<Replayed>(mended, mutation)).data.replayDeadLetters).toMatchObject({ matched: 0 });
});
