// Compiles the product into dist/ and copies what tsc leaves out: SQL, GraphQL, rules, templates, pages.
// `--if-stale` builds only when a source is newer than the last build: the tests call it so.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const folders = ['app', 'core', 'schemas', 'local', 'sigma', 'storage', 'ingest', 'query', 'alerts'];
const assets = new Set(['.sql', '.graphql', '.yml', '.yaml', '.eta', '.html', '.css', '.js', '.json', '.svg']);
const stamp = join(root, 'dist', '.built');

const onlyIfStale = process.argv.includes('--if-stale');
const sources = ['main.ts', 'package.json', 'tsconfig.json', ...folders.flatMap(files)].filter((file) => existsSync(join(root, file)));
if (!onlyIfStale || isStale()) exclusively(build);

function files(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath.slice(root.length + 1), entry.name));
}

function isStale() {
  if (!existsSync(stamp)) return true;
  const built = statSync(stamp).mtimeMs;
  return sources.some((file) => statSync(join(root, file)).mtimeMs > built);
}

function build() {
  if (onlyIfStale && !isStale()) return; // another process built while this one waited
  const startedAt = new Date();
  // Types are checked by `npm run check`; an install must not fail for a type error in a test.
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--noCheck'], { cwd: root, stdio: ['ignore', 2, 2] });
  // With --if-stale a half-written file elsewhere must not stop the tests of another; a whole build must be whole.
  if (status !== 0 && !onlyIfStale) process.exitCode = status ?? 1;
  for (const file of sources.filter((name) => assets.has(extname(name)) && folders.includes(name.split('/')[0]))) {
    const target = join(root, 'dist', file);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(root, file), target);
  }
  copyFileSync(join(root, 'package.json'), join(root, 'dist', 'package.json'));
  writeFileSync(stamp, startedAt.toISOString());
  utimesSync(stamp, startedAt, startedAt); // a source that changed meanwhile is newer
}

// Two builds at once would leave half-written files: the second waits for the first.
function exclusively(work) {
  const lock = join(root, 'node_modules', '.gatetrail-build');
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      if (Date.now() > deadline) rmSync(lock, { recursive: true, force: true });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
  try {
    work();
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}
