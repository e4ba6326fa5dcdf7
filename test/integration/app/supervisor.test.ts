/** The supervisor with a stand-in program whose lives are counted in a file, then `gatetrail start` itself: what is left behind, and what is refused. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSupervisor, type Service, type Supervisor } from '../../../app/supervisor.ts';
import { silentLogger } from '../../../core/logger.ts';
import { isAlive } from '../../support/alive.ts';
import { graphql, type Running, runGatetrail, startGatetrail, until } from '../../support/gatetrail.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatetrail-supervisor-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes each life into the log of its role: `started`, `stopped`. Its first argument says how it lives. */
const standIn = join(folder, 'stand-in.mjs');
writeFileSync(
  standIn,
  `import { appendFileSync } from 'node:fs';
const [way, log] = process.argv.slice(2);
const tell = (what) => appendFileSync(log, what + ' ' + Date.now() + ' ' + process.pid + '\\n');
tell('started');
const ready = () => process.send({ event: 'ready', role: way, url: 'http://127.0.0.1:1' });
process.on('message', (message) => {
  if (message !== 'stop' || way === 'deaf') return;
  tell('stopped');
  process.exit(0);
});
setInterval(() => {}, 1000);
if (way === 'usage') process.exit(2);
if (way === 'failing') process.exit(1);
if (way === 'done') process.exit(0);
ready();
if (way === 'short') setTimeout(() => process.exit(1), 20);
if (way === 'late-usage') setTimeout(() => process.exit(2), 50);
`,
);

interface Life {
  readonly what: string;
  readonly at: number;
  readonly pid: number;
}

let count = 0;
function service(way: string): Service & { lives(): Life[] } {
  const log = join(folder, `${(count += 1)}.log`);
  appendFileSync(log, '');
  const lives = () =>
    readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' '))
      .map(([what = '', at, pid]) => ({ what, at: Number(at), pid: Number(pid) }));
  return { role: way, args: [way, log], env: {}, lives };
}

function supervisor(): Supervisor & { readonly refused: string[] } {
  const refused: string[] = [];
  return { ...createSupervisor({ program: standIn, logger: silentLogger, onUsage: (role) => refused.push(role) }), refused };
}

describe('a supervised role', () => {
  it('that ends is started again after 0.2 s, then after twice as long each time', async () => {
    const parent = supervisor();
    const short = service('short');
    expect(await parent.run(short)).toMatchObject({ event: 'ready', role: 'short' });
    await until(
      async () => short.lives().length,
      (lives) => lives >= 4,
      20_000,
    );
    await parent.stop([['short']]);
    const starts = short.lives().filter(({ what }) => what === 'started');
    const gaps = starts.slice(1, 4).map(({ at }, index) => at - (starts[index]?.at ?? 0));
    for (const [index, leastMs] of [200, 400, 800].entries()) expect(gaps[index], `wait ${index + 1}`).toBeGreaterThanOrEqual(leastMs);
    expect(gaps[0], 'it does not wait much longer than it says').toBeLessThan(1_500);
    const atStop = short.lives().length;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(short.lives().length, 'nothing is started after the stop').toBe(atStop);
  });

  it('that is dead before it hears of the stop is waited for like any other', async () => {
    const parent = supervisor();
    const steady = service('steady');
    await parent.run(steady);
    process.kill(steady.lives()[0]?.pid ?? 0, 'SIGKILL');
    // Held in one turn, so that this process still takes its channel for open.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    await parent.stop([['steady']]);
    expect(steady.lives(), 'nothing is started after the stop').toHaveLength(1);
  });

  it('that is killed is started again', async () => {
    const parent = supervisor();
    const steady = service('steady');
    await parent.run(steady);
    process.kill(steady.lives()[0]?.pid ?? 0, 'SIGKILL');
    await until(
      async () => steady.lives().length,
      (lives) => lives === 2,
      10_000,
    );
    await parent.stop([['steady']]);
    expect(steady.lives().map(({ what }) => what)).toEqual(['started', 'started', 'stopped']);
  });

  it('that ends with 2 before it is ready is refused at once and not started again', async () => {
    const parent = supervisor();
    const usage = service('usage');
    await expect(parent.run(usage)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('usage') });
    expect(usage.lives()).toHaveLength(1);
    await parent.stop([]);
  });

  it('that ends with 2 later stops everything: the supervisor tells which', async () => {
    const parent = supervisor();
    const late = service('late-usage');
    await parent.run(late);
    await until(
      async () => parent.refused,
      (roles) => roles.length > 0,
      10_000,
    );
    expect(parent.refused).toEqual(['late-usage']);
    expect(late.lives()).toHaveLength(1);
    await parent.stop([['late-usage']]);
  });

  it('that never becomes ready is given up with its name', async () => {
    const parent = supervisor();
    const failing = service('failing');
    await expect(parent.run(failing)).rejects.toMatchObject({ code: 'NOT_READY', message: expect.stringContaining('failing') });
    expect(failing.lives().length).toBeGreaterThan(2);
    await parent.stop([['failing']]);
  });

  it('that runs once resolves at its end, and fails with its code', async () => {
    const parent = supervisor();
    await expect(parent.once(service('done'))).resolves.toBeUndefined();
    await expect(parent.once(service('usage'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(parent.once(service('failing'))).rejects.toMatchObject({ code: 'NOT_READY', message: expect.stringContaining('1') });
  });
});

describe('a stop', () => {
  it('ends the roles group by group, in the order that it is told', async () => {
    const parent = supervisor();
    const [first, second] = [service('first'), service('second')];
    await parent.run(second);
    await parent.run(first);
    await parent.stop([['first'], ['second']]);
    const stopped = (one: typeof first) => one.lives().find(({ what }) => what === 'stopped')?.at ?? Number.NaN;
    expect(stopped(first)).toBeLessThanOrEqual(stopped(second));
    expect(stopped(first)).toBeGreaterThan(0);
  });

  it('kills what does not listen when the grace is over, within 5 s', async () => {
    const parent = supervisor();
    const deaf = service('deaf');
    await parent.run(deaf);
    const startedAt = Date.now();
    await parent.stop([['deaf']]);
    const tookMs = Date.now() - startedAt;
    expect(tookMs).toBeGreaterThan(4_000);
    expect(tookMs).toBeLessThan(5_000);
    expect(isAlive(deaf.lives()[0]?.pid ?? 0)).toBe(false);
  });
});

describe('gatetrail start', () => {
  const dataDir = join(folder, 'data');
  let running: Running;
  beforeAll(async () => (running = await startGatetrail(['start', '--port', '0'], { dataDir })));
  afterAll(() => running?.kill());

  const me = () => graphql<{ me: { roles: string[] } }>({ url: running.ready.url, token: running.ready.token ?? '' }, '{ me { roles } }');
  /** While a role is started again, a connection may be refused. */
  const answer = () => me().catch((error: unknown) => ({ data: { me: { roles: [String(error)] } } }));

  it('runs each role in a process of its own', () => {
    const roles = processesOf(dataDir).map(({ command }) => /main\.js (\w+)/.exec(command)?.[1]);
    expect(new Set(roles)).toEqual(new Set(['alerts', 'engine', 'ingest', 'query', 'start']));
  });

  it('answers with the key of its ready line; key, secret and address lie in files for this user alone', async () => {
    expect(running.ready).toMatchObject({ event: 'ready', role: 'all', url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) });
    expect((await me()).data.me.roles).toContain('ADMIN');
    for (const name of ['secret', 'admin.key', 'service.json', 'engine.json']) {
      expect(statSync(join(dataDir, name)).mode & 0o777, name).toBe(0o600);
    }
  });

  it('refuses a second start on the same data folder at once, naming who holds it, and goes on itself', async () => {
    const second = await runGatetrail(['start', '--port', '0'], { dataDir });
    // Nothing else is said: no role was tried before.
    const words = `^DATA_DIR_LOCKED: Process ${running.pid} works on the data folder ${dataDir}, .*Stop it, or choose another folder with --data.*\n$`;
    expect(second).toEqual({ code: 75, out: '', log: expect.stringMatching(words) });
    expect((await me()).data.me.roles).toContain('ADMIN');
    expect(processesOf(dataDir)).toHaveLength(5);
    expect(existsSync(join(dataDir, 'service.json')), 'the note of the first is left alone').toBe(true);
  });

  it('starts a killed engine again, and answers again', async () => {
    const engine = pidOf('engine');
    process.kill(engine, 'SIGKILL');
    await until(
      async () => pidOf('engine'),
      (pid) => pid !== 0 && pid !== engine,
      20_000,
    );
    const query = '{ auditEvents(range: {relative: "PT1H"}) { nodes { id } } }';
    const ask = () => graphql<{ auditEvents: unknown }>({ url: running.ready.url, token: running.ready.token ?? '' }, query);
    const back = await until(ask, ({ errors }) => errors === undefined, 30_000);
    expect(back.data.auditEvents).toEqual({ nodes: [] });
  });

  it('answers a post that waits with what became of its records, though the engine was killed meanwhile', async () => {
    const engine = pidOf('engine');
    process.kill(engine, 'SIGKILL');
    const record = JSON.stringify({ timestamp: new Date().toISOString(), gateway_kind: 'mesh', url_path: '/while-away' });
    const response = await fetch(`${running.ready.url}/v1/records?wait=stored`, {
      method: 'POST',
      headers: { authorization: `Bearer ${running.ready.token}`, 'content-type': 'application/x-ndjson' },
      body: record,
    });
    expect([response.status, await response.json()]).toEqual([202, { messages: 1, events: 1, rejected: 0, skipped: 0, reasons: {} }]);
    expect(pidOf('engine')).not.toBe(engine);
  });

  it('says on its one port why another role is not ready, until it is', async () => {
    const reasons = async () => ((await (await fetch(`${running.ready.url}/readyz`)).json()) as { reasons: string[] }).reasons;
    process.kill(pidOf('ingest'), 'SIGKILL');
    await until(reasons, (all) => all.some((reason) => reason.startsWith('NOT_READY: the role ingest does not answer')), 20_000);
    await until(reasons, (all) => all.length === 0, 30_000);
  });

  it('starts a killed query again, on the same port', async () => {
    const query = pidOf('query');
    process.kill(query, 'SIGKILL');
    await until(answer, ({ data }) => data.me.roles.includes('ADMIN'), 30_000);
    expect(pidOf('query')).not.toBe(query);
  });

  it('ends on Ctrl-C within 5 s with 0, and leaves no process and no note of its address', async () => {
    const startedAt = Date.now();
    await running.kill('SIGINT');
    expect(await running.exited).toBe(0);
    expect(Date.now() - startedAt).toBeLessThan(5_500);
    expect(processesOf(dataDir)).toEqual([]);
    expect(existsSync(join(dataDir, 'service.json'))).toBe(false);
    expect(existsSync(join(dataDir, 'engine.json'))).toBe(false);
  });

  it('killed with -9 leaves no process 5 s later, and starts again at once on the same folder with the same key', async () => {
    const token = running.ready.token;
    running = await startGatetrail(['start', '--port', '0'], { dataDir });
    const left = processesOf(dataDir).map(({ pid }) => pid);
    await running.kill('SIGKILL');
    const again = startGatetrail(['start', '--port', '0'], { dataDir });
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    expect(left.filter(isAlive)).toEqual([]);
    running = await again;
    expect(running.log()).not.toContain('DATA_DIR_LOCKED');
    expect(running.ready.token).toBe(token);
    expect((await me()).data.me.roles).toContain('ADMIN');
    expect(await running.stop()).toBe(0);
    expect(processesOf(dataDir)).toEqual([]);
  });

  it('starts beside a partition that stands still: the others go on, and readiness names it', async () => {
    rmSync(join(dataDir, 'journal'), { recursive: true });
    running = await startGatetrail(['start', '--port', '0'], { dataDir });
    expect((await me()).data.me.roles).toContain('ADMIN');
    const reasons = async () => ((await (await fetch(`${running.ready.url}/readyz`)).json()) as { reasons: string[] }).reasons;
    const named = await until(reasons, (all) => all.length > 0, 20_000);
    expect(named.filter((reason) => !reason.startsWith('LOG_REPLACED: '))).toEqual([]);
    expect(await running.stop()).toBe(0);
  });

  const pidOf = (role: string) => processesOf(dataDir).find(({ command }) => command.includes(`main.js ${role} `))?.pid ?? 0;
});

/** Every process whose command line names this folder. */
function processesOf(dataDir: string): { pid: number; command: string }[] {
  return execFileSync('ps', ['-eo', 'pid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+) (\S+)\s+(.*)$/.exec(line))
    .filter((found) => found !== null && !found[2]?.startsWith('Z') && found[3]?.includes(`--data ${dataDir}`))
    .map((found) => ({ pid: Number(found?.[1]), command: found?.[3] ?? '' }));
}
