// Where the bench runs: stores (a data folder, with the engine in a process of its own), and a real Kafka as the tests start it.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '..');
const main = join(root, 'dist/main.js');

/** What `gatetrail start` runs of ingest. */
export const defaultProcesses = Math.min(2, availableParallelism());

/** Runs `work` with a Kafka, and stops it whatever happens. */
export async function withKafka(work) {
  const kafka = await startKafka();
  try {
    return await work(kafka);
  } finally {
    await kafka.stop();
  }
}

/** Runs `work` with an empty store, migrated, and removes it whatever happens. */
export async function withStore(work) {
  const store = await startStore();
  try {
    return await work(store);
  } finally {
    await store.stop();
  }
}

async function startStore() {
  const dataDir = mkdtempSync(join(tmpdir(), 'gatetrail-bench-'));
  const children = [];
  const secret = randomBytes(32).toString('hex'); // one for all processes, whichever starts first
  const given = Object.entries(process.env).filter(([name]) => !name.startsWith('GATETRAIL_'));
  const environment = { ...Object.fromEntries(given), NODE_ENV: 'production', GATETRAIL_LOG_LEVEL: 'warn', GATETRAIL_SECRET: secret };

  /** A role, in the environment of the image; resolves with its pid and ready line. */
  async function start(verb, env = {}) {
    const child = spawn(process.execPath, [main, verb, '--json', '--data', dataDir], {
      env: { ...environment, GATETRAIL_PORT: '0', ...env },
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

  /** `processes` of the role `ingest`, on one folder as under `gatetrail start`. */
  async function startIngest({ brokers, topics }, processes = defaultProcesses) {
    const kafka = { GATETRAIL_KAFKA_BROKERS: brokers.join(','), GATETRAIL_KAFKA_TOPICS: topics.join(',') };
    const all = await Promise.all(Array.from({ length: processes }, () => start('ingest', kafka)));
    return { pids: all.map(({ pid }) => pid), stop: () => Promise.all(all.map((each) => each.stop())) };
  }

  return {
    dataDir,
    engine,
    address: { url, password },
    clickhouse,
    start,
    startIngest,
    async stop() {
      await clickhouse.close();
      for (const child of children.toReversed()) await end(child);
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
