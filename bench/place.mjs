// Where the bench runs: a data folder with the engine in a process of its own, and a real Kafka as the tests start it.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '..');
const main = join(root, 'dist/main.js');

export async function startPlace() {
  const dataDir = mkdtempSync(join(tmpdir(), 'gatetrail-bench-'));
  const children = [];
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GATETRAIL_')));

  /** A role, with the NODE_ENV of the image; resolves with its pid and ready line. */
  async function start(verb, env = {}) {
    const child = spawn(process.execPath, [main, verb, '--json', '--data', dataDir], {
      env: { ...environment, NODE_ENV: 'production', GATETRAIL_PORT: '0', GATETRAIL_LOG_LEVEL: 'warn', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const ready = await new Promise((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`${verb} ended with ${code} before it was ready`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.startsWith('{') && JSON.parse(line).event === 'ready') resolve(JSON.parse(line));
      });
    });
    return { pid: child.pid, ready, stop: () => end(child) };
  }

  const engine = await start('engine');
  execFileSync(process.execPath, [main, 'migrate', '--data', dataDir], { env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
  const { url, password } = JSON.parse(readFileSync(join(dataDir, 'engine.json'), 'utf8'));
  const { connect } = await import(join(root, 'dist/storage/clickhouse.js'));
  const clickhouse = connect({ url, user: 'jobs', password, database: 'gatetrail', requestTimeoutMs: 300_000 });
  const kafka = await startKafka();
  return {
    engine,
    clickhouse,
    kafka,
    start,
    async stop() {
      await clickhouse.close();
      for (const child of children.toReversed()) await end(child);
      await kafka.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** The Kafka of the tests, compiled: Node 20 runs no TypeScript. */
async function startKafka() {
  const out = join(root, 'node_modules/.gatetrail-bench/test/support');
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(import.meta.dirname, 'tsconfig.json')], {
    stdio: 'inherit',
  });
  cpSync(join(root, 'test/support/kafka'), join(out, 'kafka'), { recursive: true });
  const support = await import(join(out, 'kafka.js'));
  return support.startKafka({ partitions: 4 });
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(late);
}

/** CPU seconds so far of a process and of those that it started: the engine is hosted by a child. */
export function cpuOf(pid) {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const stats = new Map(all.flatMap((name) => statOf(Number(name))));
  const belongs = (each) => each === pid || (stats.has(each) && belongs(stats.get(each).parent));
  return [...stats].filter(([each]) => belongs(each)).reduce((sum, [, { seconds }]) => sum + seconds, 0);
}

/** Nothing for a process that has ended meanwhile. Ticks are hundredths of a second. */
function statOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [[pid, { parent: Number(fields[1]), seconds: (Number(fields[11]) + Number(fields[12])) / 100 }]];
  } catch {
    return [];
  }
}
